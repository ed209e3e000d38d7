"""What an access event and a quarantined message may go through."""

from __future__ import annotations

from typing import Final

from runtime.transitions import Machine, Transition

EVENT: Final = Machine(
    name="Access event",
    package="indexer.events",
    states={
        "in force": "found and tagged",
        "withdrawn": "should not have been; kept, and no longer found",
        "superseded": "another event, which it names, stands in its place",
    },
    transitions=(
        Transition(name="withdraw", query="events_supersede", sources=("in force",), target="withdrawn"),
        Transition(name="supersede", query="events_supersede", sources=("in force",), target="superseded"),
    ),
)

MESSAGE: Final = Machine(
    name="Quarantined message",
    package="indexer.events",
    states={
        "waiting": "was not understood; kept sealed",
        "replayed": "is an event now; its payload is gone",
        "gone": "its retention is over",
    },
    transitions=(
        Transition(name="quarantine_replayed", sources=("waiting",), target="replayed"),
        Transition(name="quarantine_reason", sources=("waiting",), target=None, note="a replay does not understand it"),
        Transition(name="quarantine_repeat", sources=("waiting",), target=None, note="the same message came again"),
        Transition(name="quarantine_expire", sources=("waiting", "replayed"), target="gone"),
    ),
)
