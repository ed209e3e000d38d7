"""State machines as tables: their outcomes, their mistakes, and that the documents print them as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime import sql
from runtime.transitions import Machine, Transition
from tests.support.database.machines import DOCUMENTS, MACHINES

ROOT = Path(__file__).resolve().parents[3]
GO = Transition(name="go", sources=("a",), target="b", compares=True, renews=True)
STAY = Transition(name="stay", sources=("a", "b"), target=None, renews=True)
BACK = Transition(name="back", sources=("b",), target="a", compares=True)
LOOK = Transition(name="look", sources=("a",), target=None)
SMALL = Machine(name="Small", package="none", states={"a": "first", "b": "second"}, transitions=(GO, STAY, BACK))


@pytest.mark.parametrize(
    ("state", "order", "last", "took"),
    [
        ("a", (GO,), "b", [True]),
        ("b", (GO,), "b", [False]),
        ("a", (GO, GO), "b", [True, False]),
        ("a", (STAY, STAY), "a", [True, True]),
        ("a", (STAY, GO), "a", [True, False]),  # another version than the one that was read
        ("a", (STAY, LOOK, GO), "a", [True, True, False]),
        ("a", (GO, BACK), "b", [True, False]),
        ("b", (BACK, GO), "b", [True, True]),
    ],
)
def test_transitions_one_after_another(state: str, order: tuple[Transition, ...], last: str, took: list[bool]) -> None:
    assert SMALL.outcome(state, order) == (last, took)


@pytest.mark.parametrize(("sources", "target"), [((), "a"), (("c",), "a"), (("a",), "c")])
def test_unknown_states_are_refused(sources: tuple[str, ...], target: str) -> None:
    wrong = Transition(name="wrong", sources=sources, target=target)
    with pytest.raises(ValueError, match="wrong names no state"):
        Machine(name="M", package="none", states={"a": ""}, transitions=(wrong,))


def test_table_names_every_state_and_transition() -> None:
    assert SMALL.table() == (
        "## Small\n\n| state | meaning |\n|---|---|\n| `a` | first |\n| `b` | second |\n\n"
        "| transition | from | to | also |\n|---|---|---|---|\n"
        "| `go` | `a` | `b` | compares the version; makes a new version |\n"
        "| `stay` | `a`, `b` | as it is | makes a new version |\n"
        "| `back` | `b` | `a` | compares the version |\n"
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_print_the_tables_as_they_are(document: str) -> None:
    """``python -m tests.support.database.machines`` writes them anew."""
    _, mark, printed = (ROOT / document).read_text(encoding="utf-8").partition("\n## ")
    assert mark + printed == "\n" + "\n".join(machine.table() for machine in DOCUMENTS[document])


def test_every_machine_is_in_a_document_and_every_transition_is_a_query() -> None:
    assert {machine.name for found in DOCUMENTS.values() for machine in found} == {each.name for each in MACHINES}
    for machine in MACHINES:
        for transition in machine.transitions:
            assert transition.statement in sql.queries(machine.package), (machine.name, transition.name)
