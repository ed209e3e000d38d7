"""What a member's request may go through."""

from __future__ import annotations

from typing import Final

from runtime.transitions import Machine, Transition

_OPEN: Final = ("received", "checked")

REQUEST: Final = Machine(
    name="Request of a member",
    package="api.requests",
    states={
        "received": "waits for the check of who asks; due a month after it came",
        "checked": "waits for its answer",
        "answered": "the member has the answer",
        "refused": "the member has the reason, and knows where to complain",
        "withdrawn": "the member took it back",
    },
    transitions=(
        Transition(name="request_identify", sources=("received",), target="checked", note="how it was checked"),
        Transition(name="request_answer", sources=("checked",), target="answered"),
        Transition(name="request_refuse", sources=_OPEN, target="refused", note="with the reason"),
        Transition(name="request_withdraw", sources=_OPEN, target="withdrawn"),
    ),
)
