"""Takes the usual packets of a camera together: in C where it was compiled, in Python otherwise, with equal results."""

from ingest.native.form import Form, Row, Scan
from ingest.native.library import make_scan

__all__ = ["Form", "Row", "Scan", "make_scan"]
