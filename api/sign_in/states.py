"""What a session and a person's one-time codes may go through."""

from __future__ import annotations

from typing import Final

from runtime.transitions import Machine, Transition

SESSION: Final = Machine(
    name="Session",
    package="api.sign_in",
    states={
        "open": "in use; good until it is 15 minutes idle or 12 hours old, whichever comes first",
        "ended": "signed out, by the person or by a change of the account; it does not come back",
    },
    transitions=(
        Transition(name="session_touch", sources=("open",), target=None, note="a request keeps it from idling"),
        Transition(name="session_step_up", sources=("open",), target=None, note="with a fresh code"),
        Transition(name="session_end_one", sources=("open",), target="ended", note="sign-out"),
        Transition(name="session_end", sources=("open",), target="ended", note="a sign-in with its cookie"),
        Transition(name="sessions_end_all", sources=("open",), target="ended", note="sign-out everywhere, and resets"),
    ),
)

CODE: Final = Machine(
    name="Code of an authenticator app",
    package="api.sign_in",
    states={"unused": "it and every earlier one may be accepted once", "used": "it, or a later one, was accepted"},
    transitions=(
        Transition(
            name="totp_take",
            sources=("unused",),
            target="used",
            note="the account is active, and has the password and the secret that were checked",
        ),
    ),
)

RECOVERY_CODE: Final = Machine(
    name="Recovery code",
    package="api.sign_in",
    states={"unused": "may be accepted once", "used": "was accepted"},
    transitions=(
        Transition(
            name="recovery_code_take",
            sources=("unused",),
            target="used",
            note="the account is active, and has the password that was checked",
        ),
    ),
)
