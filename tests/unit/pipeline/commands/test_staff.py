"""`tallenne staff add`: the password is asked for twice, and only at a terminal."""

from __future__ import annotations

import getpass
import sys

import pytest

from pipeline.commands import staff
from pipeline.errors import SetupError


class Terminal:
    """Standard input as a terminal, or not."""

    def __init__(self, *, interactive: bool) -> None:
        self._interactive = interactive

    def isatty(self) -> bool:
        return self._interactive


def test_password_without_a_terminal_needs_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(interactive=False))
    with pytest.raises(SetupError, match="TALLENNE_NEW_PASSWORD"):
        staff._asked()


@pytest.mark.parametrize(("second", "agrees"), [("horse battery", True), ("horse", False)])
def test_two_different_passwords_are_refused(second: str, agrees: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["horse battery", second])
    monkeypatch.setattr(sys, "stdin", Terminal(interactive=True))
    monkeypatch.setattr(getpass, "getpass", lambda _: next(typed))
    if agrees:
        assert staff._asked() == "horse battery"
    else:
        with pytest.raises(SetupError, match="differ"):
            staff._asked()
