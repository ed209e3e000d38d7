"""Settings of live pictures: defaults on loopback, a range of ports, and TURN only with its secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.config.live import live_settings, turn_settings
from pipeline.config.model import Config, Live, Secret, Site

SITE = Site(name="Gym")


def test_by_default_browsers_of_this_machine_alone_are_answered() -> None:
    made = live_settings(Config(site=(SITE,)), Path("/run/x"), Path("/run/c"))
    assert (made.addresses, made.ports, made.looks_max) == (("127.0.0.1",), None, 64)
    assert made.viewer_uids == made.feeder_uids == (os.geteuid(),)


def test_what_is_configured_is_taken() -> None:
    own = Live(addresses=("192.0.2.7", "2001:db8::7"), ports=(50_000, 50_099), looks_max=4)
    made = live_settings(Config(site=(SITE,), live=own), Path("/run/x"), Path("/run/c"))
    assert (made.addresses, made.ports, made.looks_max) == (("192.0.2.7", "2001:db8::7"), (50_000, 50_099), 4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ports": (50_099, 50_000)},
        {"ports": (0, 9)},
        {"addresses": ()},
        {"addresses": ("gym.example",)},
        {"turn": "turn:turn.example"},
        {"turn": "http://turn.example", "turn_secret": {"env": "X"}},
        {"turn_secret": {"env": "X"}},
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Live.model_validate(wrong)


def test_turn_has_its_secret() -> None:
    own = Live(turn="turn:turn.example:3478", turn_secret=Secret(env="X"))
    made = turn_settings(own, lambda secret: f"of {secret.env}")
    assert made is not None
    assert (made.url, made.secret) == ("turn:turn.example:3478", "of X")
    assert turn_settings(Live(), lambda _: "") is None
