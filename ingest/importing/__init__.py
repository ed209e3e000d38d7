"""A recorded file as sealed footage in the past: `tallenne import`."""

from ingest.importing.run import Imported, ImportSettings, import_file, resume

__all__ = ["ImportSettings", "Imported", "import_file", "resume"]
