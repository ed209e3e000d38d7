"""What an order to erase footage may go through: nothing is erased that two people did not decide."""

from __future__ import annotations

from typing import Final

from runtime.transitions import Machine, Transition

ERASURE: Final = Machine(
    name="Erasure",
    package="custodian.erasure",
    states={
        "asked": "waits for a second person",
        "approved": "decided: nothing of it is shown any more, and the keys that open it are being replaced",
        "refused": "a second person said no",
        "cancelled": "taken back before a second person decided",
        "done": "it opens nowhere; a certificate says so",
    },
    transitions=(
        Transition(
            name="erasure_approve",
            sources=("asked",),
            target="approved",
            note="not by the asker or an account in one hand with the asker's; no hold or open case touches it",
        ),
        Transition(name="erasure_refuse", sources=("asked",), target="refused", note="not by the asker"),
        Transition(name="erasure_cancel", sources=("asked",), target="cancelled", note="by the asker"),
        Transition(
            name="erasure_done", sources=("approved",), target="done", note="none of its hour keys is left uncertified"
        ),
    ),
)
