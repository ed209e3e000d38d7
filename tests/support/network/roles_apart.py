"""What installations whose roles run apart have in common: the configuration, and a role as a process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from tests.support.processes.started import ROOT

_TOML = """
[[site]]
name = "Gym"

[[site.camera]]
name = "Entrance"
url = "{url}"
networks = ["127.0.0.0/8"]
segment_s = 2
zone = "simulated"
purpose = "test"
assessment = "nobody is filmed"

[database]
host = "{host}"
port = {port}
owner_password = {{ file = "db-owner" }}
ingest_password = {{ file = "db-ingest" }}
index_password = {{ file = "db-index" }}
custodian_password = {{ file = "db-custodian" }}
serve_password = {{ file = "db-serve" }}
keeper_password = {{ file = "db-keeper" }}

[broker]
host = "127.0.0.1"
user_name = "nobody"
password = {{ file = "mqtt" }}

[store]
endpoint = "{endpoint}"
tls = false
bucket = "{bucket}"
access_key = {{ file = "s3-access" }}
secret_key = {{ file = "s3-secret" }}
"""


def site_and_services(*, url: str, host: str, port: int, endpoint: str, bucket: str) -> str:
    """One camera at ``url``, the database at ``host`` (an address or a socket's directory), the store; no broker."""
    return _TOML.format(url=url, host=host, port=port, endpoint=endpoint, bucket=bucket)


@contextlib.asynccontextmanager
async def role_process(command: Sequence[str], log: Path, **how: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """A role started with this command, stopped in good order. ``how``: as for ``create_subprocess_exec``."""
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=file, stderr=file, **how)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
