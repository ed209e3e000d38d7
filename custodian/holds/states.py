"""What a case may go through: what it keeps ends by the word of two people."""

from __future__ import annotations

from typing import Final

from runtime.transitions import Machine, Transition

CASE: Final = Machine(
    name="Case",
    package="custodian.holds",
    states={
        "open": "keeps what its holds name",
        "closing": "keeps it still; its end was asked for",
        "closed": "keeps nothing any more",
    },
    transitions=(
        Transition(name="ask_end", sources=("open",), target="closing", note="by a person who may end all its holds"),
        Transition(name="keep_case", sources=("closing",), target="open"),
        Transition(
            name="end_case",
            sources=("closing",),
            target="closed",
            note="not by the asker or an account in one hand with the asker's",
        ),
    ),
)
