"""Each installation's own client id at the broker, kept over restarts, or the one that the configuration names."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.config.load import load
from pipeline.config.roles import RoleSettings
from pipeline.installation import Installation

ENDPOINTS = {"broker": {"host": "127.0.0.1", "port": 1}}
OWN = '[broker]\nhost = "mqtt.example"\nuser_name = "u"\npassword = {{ file = "mq" }}\n{more}'


def client_id(root: Path, more: str = "") -> str:
    """Of an installation in ``root`` on a broker that others use too."""
    root.mkdir(exist_ok=True, mode=0o700)
    (root / "mq").touch(mode=0o600)
    (root / "mq").write_text("word")
    path = root / "tallenne.toml"
    path.write_text('[[site]]\nname = "Gym"\n' + OWN.format(more=more))
    installation = Installation(root / "data")
    installation.prepare()
    return RoleSettings(loaded=load(path), installation=installation, endpoints={}).broker().client_id


def test_two_installations_have_two_client_ids(tmp_path: Path) -> None:
    assert client_id(tmp_path / "one") != client_id(tmp_path / "two")


def test_it_stays_over_restarts(tmp_path: Path) -> None:
    assert client_id(tmp_path / "one") == client_id(tmp_path / "one")


def test_every_broker_takes_it(tmp_path: Path) -> None:
    """MQTT 3.1.1, 3.1.3.1: what a server must allow."""
    assert re.fullmatch("[0-9a-zA-Z]{1,23}", client_id(tmp_path / "one"))


def test_the_configuration_may_name_another(tmp_path: Path) -> None:
    assert client_id(tmp_path / "one", 'client_id = "helsinki-index"\n') == "helsinki-index"


def test_embedded_broker_sees_it_too(tmp_path: Path) -> None:
    path = tmp_path / "tallenne.toml"
    path.write_text('[[site]]\nname = "Gym"\n')
    installation = Installation(tmp_path / "data")
    installation.prepare()
    (installation.root / "broker").mkdir(mode=0o700)
    secret = installation.root / "broker" / "tallenne_index.secret"
    secret.touch(mode=0o600)
    secret.write_text("word")
    settings = RoleSettings(loaded=load(path), installation=installation, endpoints=ENDPOINTS)
    assert settings.broker().client_id.endswith(installation.identity)
