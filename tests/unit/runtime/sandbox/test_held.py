"""What holds is told apart from what lacks, and survives a status file."""

from __future__ import annotations

from runtime.sandbox.held import CALLS, FILES, PRIVILEGES, Held, words


def test_outcomes_are_what_holds_and_what_lacks() -> None:
    held = Held.of({FILES: False, CALLS: True, PRIVILEGES: True})
    assert held == Held((PRIVILEGES, CALLS), (FILES,))
    assert Held.load(held.dump()) == held
    assert (words(held.holds), words(())) == ("no new privileges, system calls", "none")
