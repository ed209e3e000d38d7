"""What the custodian remembers about time: the last time that it believed, and what an operator confirmed.

In a file beside the keyring, not in the database: it has to survive the loss and the restoration of the database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from custodian.errors import CustodianMisuseError
from domain.time import MINUTE_NS
from runtime.private_files import read_private, write_private

_FORMAT: Final = "tallenne retention clock 1"
_WRITE_EVERY_NS: Final = MINUTE_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """An operator's word: these keyring hours, and no more camera-hours than were shown."""

    at_ns: int
    up_to_ns: int
    camera_hours: int
    actor: str
    shorter: Mapping[str, int] = field(default_factory=dict)  # cameras' ids, and the shorter retention (s) of each


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    tick_ns: int | None = None
    confirmation: Confirmation | None = None


class RetentionClock:
    """The file ``path``. ``advance()`` writes it at most once a minute."""

    def __init__(self, path: Path) -> None:
        """CustodianMisuseError: the file is damaged. PrivateFileError: others can read it."""
        self._path = path
        self._kept = _read(path)
        self._written_ns = self._kept.tick_ns

    @property
    def tick_ns(self) -> int | None:
        """The last time that was believed; None: there was none yet."""
        return self._kept.tick_ns

    @property
    def confirmation(self) -> Confirmation | None:
        """The last confirmation, in force for the hours that it names."""
        return self._kept.confirmation

    def advance(self, now_ns: int) -> None:
        """``now_ns`` is believed. It never goes back. OSError."""
        if self._kept.tick_ns is not None and now_ns <= self._kept.tick_ns:
            return
        self._kept = replace(self._kept, tick_ns=now_ns)
        if self._written_ns is None or now_ns - self._written_ns >= _WRITE_EVERY_NS:
            self._write()

    def confirm(self, confirmation: Confirmation) -> None:
        """Durable on return. OSError."""
        self._kept = _Kept(tick_ns=confirmation.at_ns, confirmation=confirmation)
        self._write()

    def _write(self) -> None:
        body = {"format": _FORMAT, **asdict(self._kept)}
        write_private(self._path, json.dumps(body).encode())
        self._written_ns = self._kept.tick_ns


def _read(path: Path) -> _Kept:
    try:
        body = json.loads(read_private(path))
        if body.pop("format") != _FORMAT:
            raise ValueError
        confirmed = body["confirmation"]
        return _Kept(tick_ns=body["tick_ns"], confirmation=Confirmation(**confirmed) if confirmed else None)
    except FileNotFoundError:
        return _Kept()
    except (ValueError, KeyError, TypeError):
        raise CustodianMisuseError(
            f"{path} is damaged.", "Remove it: nothing then expires until `tallenne retention confirm`."
        ) from None
