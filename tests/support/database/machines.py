"""All state machines of rows, and the documents that print them. As a program it writes their tables anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from api.export.states import EXPORT
from api.requests.states import REQUEST
from api.sign_in.states import CODE, RECOVERY_CODE, SESSION
from api.staff.states import ACCOUNT
from custodian.erasure.states import ERASURE
from custodian.holds.states import CASE
from indexer.events.states import EVENT, MESSAGE
from runtime.transitions import Machine

MACHINES: Final = (EXPORT, REQUEST, ACCOUNT, SESSION, CODE, RECOVERY_CODE, EVENT, MESSAGE, CASE, ERASURE)
DOCUMENTS: Final[Mapping[str, tuple[Machine, ...]]] = {
    "api/STATES.md": (EXPORT, REQUEST, ACCOUNT, SESSION, CODE, RECOVERY_CODE),
    "custodian/STATES.md": (CASE, ERASURE),
    "indexer/STATES.md": (EVENT, MESSAGE),
}

if __name__ == "__main__":
    root = Path(__file__).resolve().parents[3]
    for name, machines in DOCUMENTS.items():
        introduction = (root / name).read_text(encoding="utf-8").partition("\n## ")[0].rstrip()
        text = f"{introduction}\n\n" + "\n".join(machine.table() for machine in machines)
        (root / name).write_text(text, encoding="utf-8")
