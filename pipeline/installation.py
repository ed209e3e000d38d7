"""The data directory: its layout, its format version, and its lock."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import SetupError
from pipeline.secret_files import secret
from runtime.locks import FileLock
from runtime.private_files import private_directory, write_private

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Installation:
    """Everything under one directory that only we may enter.

    identity       a random text that identifies this installation at services shared by several
    version        which format of data directory this is
    secrets/       passwords of the database's roles, and the demo's
    postgres/ broker/ store/   the embedded services, where they are used
    custodian/     keyring and keys: the only part that opens footage; never back it up with the rest
    recorder/      each recorder's own signing key and hour keys
    serve/         the api's own key and certificate
    papers/        what was published; `serve` reads it
    spool/         sealed footage on its way to the store
    run/           status files, the custodian's socket, where the services are
    backup/        the keys that write backups, and how far they are
    alarms/        what is raised, what waits to be sent
    logs/          one per process
    tmp/           temporary files of the roles; no footage in the clear, as everywhere
    """

    root: Path

    @property
    def secrets(self) -> Path:
        """Passwords of services, mode 0700."""
        return self.root / "secrets"

    @property
    def run(self) -> Path:
        """Status files, sockets, endpoints."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """Logs of roles and services."""
        return self.root / "logs"

    @property
    def alarms(self) -> Path:
        """State of the notify role."""
        return self.root / "alarms"

    @property
    def papers(self) -> Path:
        """What was published: `tallenne paper publish`."""
        return self.root / "papers"

    @property
    def scratch(self) -> Path:
        """Temporary files of roles."""
        return self.root / "tmp"

    @property
    def endpoints_file(self) -> Path:
        """Addresses of this run's services."""
        return self.run / "endpoints.json"

    @property
    def custodian_socket(self) -> Path:
        """The custodian's Unix socket."""
        return self.run / "custodian.sock"

    def prepare(self) -> None:
        """Make what is missing. SetupError: a newer version's, one that others may enter, one that cannot be named."""
        if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in str(self.root)):
            raise SetupError(
                f"The path {str(self.root)!r} holds a control character, or bytes that are not UTF-8.",
                "Name another directory with --data: some programs cannot take this one.",
            )
        private_directory(self.root)
        stamp = self.root / "version"
        if stamp.exists():
            found = stamp.read_text().strip()
            if not found.isdigit():
                raise SetupError(
                    f"The file {stamp} does not say which format the directory has.",
                    f"If this version of Tallenne has written it, write {FORMAT} into that file.",
                )
            if int(found) > FORMAT:
                raise SetupError(
                    f"{self.root} was written by a newer Tallenne (format {found}; this one knows {FORMAT}).",
                    "Install that version, or name another directory with --data.",
                )
        else:
            write_private(stamp, f"{FORMAT}\n".encode())
        for folder in (self.secrets, self.run, self.logs, self.scratch, self.papers):
            private_directory(folder)

    @property
    def restoring_file(self) -> Path:
        """There while a restoration is not finished."""
        return self.root / "restoring"

    def require_restored(self) -> None:
        """SetupError while a restoration is not finished: what was erased since the backup is still there."""
        if self.restoring_file.exists():
            raise SetupError(
                f"The restoration into {self.root} is not finished.", "Run `tallenne restore` again, as before."
            )

    def lock(self) -> FileLock:
        """Held until the process ends. SetupError when another `tallenne up` uses the directory."""
        lock = FileLock(self.root / "lock", self._in_use)
        try:
            lock.acquire()
        except OSError as exc:
            raise SetupError(
                f"{self.root} cannot be written to ({exc.strerror}).", "Correct that, or name another with --data."
            ) from exc
        return lock

    def _in_use(self, holder: str) -> SetupError:
        return SetupError(
            f"Tallenne already runs on {self.root} ({holder}).", "Stop it, or name another directory with --data."
        )

    @property
    def identity(self) -> str:
        """Ten hexadecimal digits that are this installation's alone; made at first use, kept in ``identity``.

        They distinguish its sessions at a shared broker from another installation's.
        """
        digits = hashlib.sha256(secret(self.root / "identity").encode()).hexdigest()
        return digits[:10]

    @property
    def client_id(self) -> str:
        """Of this installation's indexer: 23 letters and digits, which every broker accepts (MQTT 3.1.1, 3.1.3.1)."""
        return f"tallenneindex{self.identity}"

    def role_password(self, role: str) -> str:
        """Of one of the embedded database's roles; made at first use."""
        return secret(self.secrets / f"database-{role}.secret")

    def write_endpoints(self, endpoints: dict[str, Any]) -> None:
        """Where the services of this run are: for the roles, and for commands."""
        write_private(self.endpoints_file, json.dumps(endpoints, indent=1).encode())

    def read_endpoints(self) -> dict[str, Any]:
        """SetupError when nothing was started here yet."""
        try:
            body: dict[str, Any] = json.loads(self.endpoints_file.read_text())
        except (OSError, ValueError):
            raise SetupError(
                f"Tallenne was not started on {self.root} yet.", "Start it with `tallenne up`, or name its --data."
            ) from None
        return body
