"""State machines of rows: their states, and the transitions between them. Pure; the statements are in the SQL files.

A transition is one statement that names the states it starts from. Of two at the same time PostgreSQL lets the second
wait for the first and look again, so that it finds a state that it does not start from and changes nothing. A SELECT
before it is advice to a person, never the condition. Where a change needs more than the state to be as it was read (the
password that was checked, the attempt that is finished), the statement compares a version as well.

A machine's table is printed in its package's STATES.md. tests/integration/runtime/test_transitions.py runs every pair
of its transitions at once, from every state, over PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One conditional statement. ``target`` None: the row stays in its state."""

    name: str
    sources: tuple[str, ...]
    target: str | None
    query: str = ""  # the statement's name in its package, where it is not the transition's own
    compares: bool = False  # it finds the version that its caller has read, or changes nothing
    renews: bool = False  # it makes a new version
    note: str = ""  # what else it asks for, or does

    @property
    def statement(self) -> str:
        """The name of its query."""
        return self.query or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a kind of row may go through. ``states``: each with its meaning, the first one first."""

    name: str
    package: str  # whose queries the transitions are
    states: Mapping[str, str]
    transitions: tuple[Transition, ...]

    def __post_init__(self) -> None:
        for each in self.transitions:
            unknown = {*each.sources, *([each.target] if each.target else [])} - set(self.states)
            if unknown or not each.sources:
                raise ValueError(f"{self.name}: {each.name} names no state, or an unknown one: {sorted(unknown)}")

    def outcome(self, state: str, order: Iterable[Transition]) -> tuple[str, list[bool]]:
        """Where the transitions lead one after another, all asked for by callers who have read the same version.

        Returns the last state, and which of them took place.
        """
        renewed, took = False, list[bool]()
        for each in order:
            takes = state in each.sources and not (each.compares and renewed)
            took.append(takes)
            if takes:
                state, renewed = each.target or state, renewed or each.renews
        return state, took

    def table(self) -> str:
        """As STATES.md prints it."""
        lines = [f"## {self.name}", "", "| state | meaning |", "|---|---|"]
        lines += [f"| `{state}` | {meaning} |" for state, meaning in self.states.items()]
        lines += ["", "| transition | from | to | also |", "|---|---|---|---|"]
        for each in self.transitions:
            sources = ", ".join(f"`{state}`" for state in each.sources)
            target = f"`{each.target}`" if each.target else "as it is"
            compared = "compares the version; " if each.compares else ""
            renewed = "makes a new version; " if each.renews else ""
            also = f"{compared}{renewed}{each.note}".removesuffix("; ")
            lines.append(f"| `{each.name}` | {sources} | {target} | {also} |")
        return "\n".join(lines) + "\n"
