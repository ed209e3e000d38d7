"""The alarms' one file: incidents and outbox together, so that a notice is raised and put in the outbox in one step.

It is replaced as a whole and synced whenever something changes, a few times an incident. A disk that refuses must not
silence the alarm about it: what is in memory goes out all the same, and only a restart meanwhile forgets it.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, Final

from runtime.private_files import private_directory, read_private, write_private

FILE: Final = "alarms.json"
FORMAT: Final = 1
_log = logging.getLogger(__name__)


class Journal:
    """``load()`` once, then ``save()`` at each change."""

    def __init__(self, directory: Path) -> None:
        """Make the directory where it is missing. PrivateFileError when others may enter it."""
        self._path = private_directory(directory) / FILE
        self._written = b""
        self.refusal = ""  # why the last save failed; "" when it did not

    def load(self) -> dict[str, Any]:
        """Return the saved state; {} the first time, and for a damaged file, which is logged and kept aside."""
        found = read(self._path.parent)
        if found is None:
            _log.error("%s is damaged: alarms are determined anew, waiting messages are lost", self._path)
            self._path.replace(self._path.with_suffix(".damaged"))
            return {}
        return found

    def save(self, state: dict[str, Any]) -> bool:
        """Whether it is on the disk."""
        data = json.dumps({"format": FORMAT, **state}).encode()
        if data == self._written:
            return True
        try:
            write_private(self._path, data)
        except OSError as exc:
            if self.refusal != (exc.strerror or "refused"):
                _log.error("the alarms' file cannot be written: %s", exc.strerror)
            self.refusal = exc.strerror or "refused"
            return False
        self._written, self.refusal = data, ""
        return True


def read(directory: Path) -> dict[str, Any] | None:
    """The state in ``directory``: {} where there is none, None: it is invalid. PrivateFileError."""
    try:
        state = json.loads(read_private(directory / FILE))
    except FileNotFoundError:
        return {}
    except ValueError:
        return None
    return state if isinstance(state, dict) and state.get("format") == FORMAT else None
