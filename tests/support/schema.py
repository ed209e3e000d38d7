"""What the migrations make, as text. ``python -m tests.support.schema`` writes storage/catalogue/schema.sql."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from pipeline.embedded.accounts import ROLES
from pipeline.embedded.postgres import binary, start_postgres
from pipeline.embedded.provision import provision
from runtime.settings import DatabaseSettings
from storage.catalogue.migrate import migrate

FILE: Final = Path(__file__).resolve().parents[2] / "storage/catalogue/schema.sql"
_HEAD: Final = "-- What the migrations make. Generated: python -m tests.support.schema\n"
_NOISE: Final = re.compile(r"(--|\\restrict|\\unrestrict|SET |SELECT pg_catalog\.set_config)")


def schema_text(database: DatabaseSettings) -> str:
    """Tables, constraints, indexes, functions and grants of the schema ``tallenne``, without pg_dump's own remarks."""
    command = [str(binary("pg_dump")), "--schema-only", "--schema=tallenne", "--no-owner"]
    command += ["-h", database.host, "-p", str(database.port), "-U", database.user, database.database]
    environment = {**os.environ, "PGPASSWORD": database.password}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    kept = [line for line in done.stdout.splitlines() if not _NOISE.match(line)]
    return _HEAD + re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).rstrip() + "\n"


async def _write(directory: Path) -> None:
    postgres = start_postgres(directory / "pg", log=directory / "pg.log", durable=False)
    try:
        database = postgres.settings(database="tallenne_schema")
        await provision(postgres.settings(), dict.fromkeys(ROLES, "schema"), database.database)
        await migrate(database)
        FILE.write_text(schema_text(database), encoding="utf-8")
    finally:
        postgres.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="tallenne-schema-") as made:
        asyncio.run(_write(Path(made)))
