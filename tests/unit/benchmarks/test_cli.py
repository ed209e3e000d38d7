"""The command refuses what it does not know, with a remedy."""

from __future__ import annotations

import pytest

from benchmarks.cli import main


def test_command_of_an_unknown_revision_is_refused_with_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "no-such-revision", ".", "--probe", "sealing"]) == 2
    assert "git does not know the revision 'no-such-revision'" in capsys.readouterr().err
