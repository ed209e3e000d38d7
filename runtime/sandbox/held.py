"""What a sandbox holds, for status files and people."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PRIVILEGES: Final = "no new privileges"
CALLS: Final = "system calls"
FILES: Final = "files"
NETWORK: Final = "network"
CAPABILITIES: Final = "capabilities"
ALL: Final = (PRIVILEGES, CALLS, FILES, NETWORK, CAPABILITIES)


@dataclass(frozen=True, slots=True)
class Held:
    """``holds``: of ALL, those that hold for the process; ``lacks``: the others, which its policy wants, too."""

    holds: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    @classmethod
    def of(cls, outcomes: Mapping[str, bool]) -> Held:
        """From what became of each measure."""
        return cls(*(tuple(name for name in ALL if outcomes.get(name) is wanted) for wanted in (True, False)))

    @classmethod
    def load(cls, found: Mapping[str, Any]) -> Held:
        """As ``dump()`` wrote it."""
        return cls(tuple(found.get("holds", ())), tuple(found.get("lacks", ())))

    def dump(self) -> dict[str, list[str]]:
        """For JSON."""
        return {"holds": list(self.holds), "lacks": list(self.lacks)}


def held_now() -> Held:
    """What holds for this process, by the kernel's word rather than by what was asked of it."""
    said = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    outcomes = {
        PRIVILEGES: said.get("NoNewPrivs", "0") == "1",
        CALLS: said.get("Seccomp", "0") == "2",  # SECCOMP_MODE_FILTER
        FILES: _refused("/"),
    }
    return Held.of(outcomes)


def _refused(directory: str) -> bool:
    """Whether a directory that everybody may read cannot be read: only a policy says so."""
    try:
        os.close(os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def words(found: Iterable[str]) -> str:
    """For a line of text."""
    return ", ".join(found) or "none"
