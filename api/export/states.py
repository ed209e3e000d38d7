"""What an export may go through: nothing leaves that is not approved by a second person who knew what it shows."""

from __future__ import annotations

from typing import Final

from runtime.transitions import Machine, Transition

_APPROVED: Final = ("approved", "working", "ready", "failed")

EXPORT: Final = Machine(
    name="Export",
    package="api.export",
    states={
        "approval": "waits for a second person's approval",
        "approved": "may be made",
        "working": "is being made; shown as `interrupted` when its maker is gone",
        "ready": "may be fetched, with a fresh code each time",
        "failed": "could not be made; may be tried again",
        "refused": "the second person refused it, with a reason that the asker reads",
        "cancelled": "the asker took it back while it waited",
        "lapsed": "some of its footage ended while it waited",
    },
    transitions=(
        Transition(
            name="export_approve",
            sources=("approval",),
            target="approved",
            note="by who has looked at it, not the asker or an account in one hand with the asker's; knowing of the"
            " minor if there is one; all the footage that it had is there",
        ),
        Transition(
            name="export_refuse",
            sources=("approval",),
            target="refused",
            note="with a reason; not by the asker or an account in one hand with the asker's",
        ),
        Transition(name="export_cancel", sources=("approval",), target="cancelled", note="by the asker"),
        Transition(
            name="export_lapse",
            sources=("approval",),
            target="lapsed",
            note="some of its footage has expired or was erased; `serve` looks each half minute and before a decision",
        ),
        Transition(
            name="export_arrived",
            sources=("approval",),
            target=None,
            compares=True,
            renews=True,
            note="the version is how much footage there is: a recorder delivered what was on its way",
        ),
        Transition(
            name="export_begin",
            sources=_APPROVED,
            target="working",
            compares=True,
            renews=True,
            note="the version is the attempt",
        ),
        Transition(name="export_ready", sources=("working",), target="ready", compares=True),
        Transition(name="export_failed", sources=("working",), target="failed", compares=True),
        Transition(
            name="export_reopen",
            sources=_APPROVED,
            target="approval",
            note="a minor came to light; the approval, and what was made with it, are gone",
        ),
    ),
)
