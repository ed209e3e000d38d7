"""An operator's own PostgreSQL: Debian's, under its own user, with roles as pipeline/README.md asks for them."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.embedded.accounts import DATABASE, OWNER, ROLES

_BINARIES: Final = Path("/usr/lib/postgresql")
_USER: Final = "postgres"
_SQL_OWNER: Final = (
    "CREATE ROLE {owner} LOGIN PASSWORD '{word}'",
    "CREATE DATABASE {database} OWNER {owner} ENCODING 'UTF8' TEMPLATE template0",
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
)


def own_postgres_is_there() -> bool:
    """Whether Debian's server is installed, in a version that Tallenne takes."""
    return _newest() is not None and shutil.which("runuser") is not None


def _newest() -> Path | None:
    found = [path for path in _BINARIES.glob("*/bin") if path.parent.name.isdecimal() and int(path.parent.name) >= 15]
    return max(found, key=lambda path: int(path.parent.name), default=None)


@dataclass(slots=True)
class OwnPostgres:
    """A cluster in ``directory``, reached through a Unix socket there, by passwords."""

    directory: Path
    words: dict[str, str] = field(default_factory=lambda: {role: secrets.token_hex(12) for role in (OWNER, *ROLES)})

    def configuration(self, secrets_in: Path) -> str:
        """The section [database]; passwords go into files of ``secrets_in``."""
        lines = ["[database]", f'host = "{self.directory}"']
        for role, word in self.words.items():
            name = role.removeprefix("tallenne_")
            file = secrets_in / f"db-{name}"
            file.write_text(word)
            file.chmod(0o600)
            lines.append(f'{name}_password = {{ file = "{file.name}" }}')
        return "\n".join(lines) + "\n"

    def make(self) -> None:
        """The cluster with database and roles, running."""
        self._run("initdb", "-D", self._data, "-A", "scram-sha-256", "--auth-local=scram-sha-256", "-U", _USER, pw=True)
        self.start()
        for statement in _SQL_OWNER:
            self._psql("postgres", statement.format(owner=OWNER, database=DATABASE, word=self.words[OWNER]))
        for role in ROLES:
            self._psql("postgres", f"CREATE ROLE {role} LOGIN PASSWORD '{self.words[role]}'")
            self._psql("postgres", f"GRANT CONNECT ON DATABASE {DATABASE} TO {role}")

    def start(self) -> None:
        """Begin to serve."""
        options = f"-c unix_socket_directories={self.directory} -c listen_addresses='' -c max_connections=100"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", self.directory / "log", "-o", options, "start")

    def stop(self) -> None:
        """At once, as with a lost machine."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop", check=False)

    def back_up(self, name: str) -> None:
        """The operator's own backup: a physical copy with the log that makes it whole."""
        self._run("pg_basebackup", "-D", self.directory / name, "-h", self.directory, "-U", _USER, "-X", "stream")

    def bring_back(self, name: str) -> None:
        """The cluster is that backup from now on."""
        self._run_plain("rm", "-rf", self._data)
        self._run_plain("mv", self.directory / name, self._data)
        self.start()

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _psql(self, database: str, statement: str) -> None:
        self._run("psql", "-h", self.directory, "-U", _USER, "-d", database, "-v", "ON_ERROR_STOP=1", "-qc", statement)

    def _run(self, program: str, *words: str | Path, pw: bool = False, check: bool = True) -> None:
        binaries = _newest()
        assert binaries is not None
        more = [f"--pwfile={self.directory / 'word'}"] if pw else []
        self._run_plain(binaries / program, *words, *more, check=check)

    def _run_plain(self, *words: str | Path, check: bool = True) -> None:
        command = ["runuser", "-u", _USER, "--", "env", f"PGPASSFILE={self.directory / 'pgpass'}", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.directory)
        assert not check or done.returncode == 0, done.stderr


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """Running within the block. Its directory is short (a socket's path is) and belongs to the server's user."""
    directory = Path(tempfile.mkdtemp(prefix="tallenne-own-", dir="/tmp"))
    word = secrets.token_hex(12)
    for name, text in (("word", word), ("pgpass", f"*:*:*:{_USER}:{word}")):
        (directory / name).write_text(text + "\n")
        (directory / name).chmod(0o600)
    for path in (directory, *directory.iterdir()):
        shutil.chown(path, _USER)
    directory.chmod(0o711)  # clients are other users
    own = OwnPostgres(directory)
    try:
        own.make()
        yield own
    finally:
        own.stop()
        shutil.rmtree(directory, ignore_errors=True)
