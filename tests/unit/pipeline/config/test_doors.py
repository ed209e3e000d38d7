"""Names of doors and topics that the broker, or the way to it, would misinterpret."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.load import load
from tests.support.configuration import GOOD, mistakes, written

OWN_BROKER = '\n[broker]\nhost = "mqtt.example"\nuser_name = "gym"\npassword = { env = "MQTT" }\n'


@pytest.mark.parametrize("name", ["a/b", "a+", "#"])
def test_sign_that_no_level_can_hold_is_a_mistake_with_any_broker(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MQTT", "secret")
    text = GOOD.replace('external_id = "main"', f'external_id = "{name}"')
    for more in ("", OWN_BROKER):
        (found,) = mistakes(tmp_path, text + more)
        assert "no level can hold" in found


@pytest.mark.parametrize("name", ["main door", "*", ">"])
def test_name_that_only_the_embedded_broker_refuses(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MQTT", "secret")
    text = GOOD.replace('external_id = "main"', f'external_id = "{name}"')
    (found,) = mistakes(tmp_path, text)
    assert "broker of your own" in found
    assert load(written(tmp_path, text + OWN_BROKER)).config.site[0].door[0].external_id == name


def test_other_decoders_read_the_name_from_the_payload(tmp_path: Path) -> None:
    text = GOOD.replace('external_id = "main"', 'external_id = "main door/1"')
    text = text.replace('topic = "access/helsinki/+"', 'topic = "axis/#"\ndecoder = "axis"')
    assert load(written(tmp_path, text)).config.site[0].door[0].external_id == "main door/1"


def test_topic_with_a_blank_is_a_mistake_of_its_door_system(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, GOOD.replace("access/helsinki/+", "access/the gym/+"))
    assert "door_system[1].topic" in found
