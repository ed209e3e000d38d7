"""The settings of an import, for the command and the smoke check."""

from __future__ import annotations

from ingest.importing import ImportSettings
from pipeline.config.roles import RoleSettings


def import_settings(settings: RoleSettings) -> ImportSettings:
    """Return the settings of an import beside the running installation."""
    config = settings.loaded.config
    return ImportSettings(
        database=settings.database("owner"),
        store=settings.store(),
        custodian_socket=settings.custodian_socket,
        directory=settings.installation.root / "import",
        spools=tuple(map(settings.spool_of, range(config.ingest.workers))),
        fsync=config.spool.fsync,
    )
