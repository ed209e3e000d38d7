"""Corrections of events: the door that is meant, and a correction that corrects nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from pipeline.commands.doors import event_corrections
from pipeline.errors import SetupError
from tests.support.commands import settings_in


def test_door_is_found_by_its_name_or_by_its_sites(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert event_corrections.door_named(settings, "Main") == event_corrections.door_named(settings, "Helsinki/Main")
    with pytest.raises(SetupError, match="no door 'Side'"):
        event_corrections.door_named(settings, "Side")


async def test_correction_without_a_change_is_refused(tmp_path: Path) -> None:
    nothing = argparse.Namespace(event=None, door=None, kind=None, direction=None, time=None, member=None)
    with pytest.raises(SetupError, match="No correction was given"):
        await event_corrections._correct(None, settings_in(tmp_path), nothing)


async def test_changes_are_those_that_are_named(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    named = argparse.Namespace(door="Main", kind="exit", direction="out", time=5, member="nobody")
    assert await event_corrections._changes(None, settings, named) == {
        "door_id": event_corrections.door_named(settings, "Main"),
        "kind": "exit",
        "direction": "out",
        "occurred_ns": 5,
        "uncertain": False,
        "member_id": None,
    }
