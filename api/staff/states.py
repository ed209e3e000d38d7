"""What an account may go through. It is never deleted: the audit trail goes on naming it."""

from __future__ import annotations

from typing import Final

from runtime.transitions import Machine, Transition

_ANY: Final = ("active", "disabled")

ACCOUNT: Final = Machine(
    name="Account",
    package="api.staff",
    states={
        "active": "may sign in with its password and second factor, from the moment it is made",
        "disabled": "may not; its sessions have ended",
    },
    transitions=(
        Transition(
            name="staff_disable",
            sources=("active",),
            target="disabled",
            note="ends its sessions; never the last administrator",
        ),
        Transition(name="staff_enable", sources=("disabled",), target="active"),
        Transition(
            name="staff_own_password",
            sources=("active",),
            target=None,
            compares=True,
            renews=True,
            note="the version is the password's hash; ends its other sessions",
        ),
        Transition(
            name="staff_password",
            sources=_ANY,
            target=None,
            renews=True,
            note="by an administrator; ends its sessions, and puts both accounts in one hand",
        ),
        Transition(
            name="staff_factor",
            sources=_ANY,
            target=None,
            note="by an administrator; ends its sessions and codes, and puts both accounts in one hand",
        ),
    ),
)
