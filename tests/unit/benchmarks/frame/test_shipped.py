"""The stand runs what `tallenne up` runs: each role's settings, policy and start code are compared, field by field."""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from benchmarks.frame import role_child, stand
from benchmarks.frame.shipped import shipped
from benchmarks.suites import ingest
from pipeline.config.roles import RoleSettings
from pipeline.embedded.accounts import INDEX_USER
from pipeline.secret_files import secret
from runtime.sandbox.role import RolePolicy

Started = tuple[Any, Any, RolePolicy]  # the role's function, its settings, its policy


@pytest.fixture
def settings(tmp_path: Path) -> RoleSettings:
    """Of an installation whose services have addresses, although none runs."""
    found = shipped(tmp_path, cameras=3, doors=2)
    (tmp_path / "broker").mkdir()
    secret(tmp_path / "broker" / f"{INDEX_USER}.secret")
    found.endpoints.update(
        database={"host": str(tmp_path), "port": 5432}, broker={"host": "127.0.0.1", "port": 1}, serve={"port": 0}
    )
    found.installation.write_endpoints(found.endpoints)
    return found


def by_up(name: str, settings: RoleSettings, monkeypatch: pytest.MonkeyPatch) -> Started:
    """What the command starts that `tallenne up` runs (pipeline/supervise/roles.py)."""
    command = importlib.import_module(f"pipeline.commands.roles.{name}")
    started: list[Started] = []
    monkeypatch.setattr(command, "run_role", lambda role, own, policy, **_: started.append((role, own, policy)))
    command.run(argparse.Namespace(config=settings.loaded.path, data=settings.installation.root, worker=0))
    return started[0]


def by_stand(name: str, settings: RoleSettings, monkeypatch: pytest.MonkeyPatch) -> Started:
    """What the stand's child starts."""
    started: list[Started] = []

    @contextmanager
    def child(*_: Any, parameters: Any, **__: Any) -> Iterator[Any]:
        role_child.start(json.loads(json.dumps(parameters)))
        raise StopIteration

    monkeypatch.setattr(stand, "child", child)
    monkeypatch.setattr(role_child, "run_role", lambda role, own, policy: started.append((role, own, policy)))
    nothing = cast("Any", None)
    cameras = tuple(camera.camera_id for camera in settings.inventory().cameras)
    of = stand.Stand(shipped=settings, postgres=nothing, broker=nothing, store=nothing, cameras=cameras, doors={})
    with pytest.raises(RuntimeError):
        if name == "ingest":
            bench = ingest._Bench(ingest.Parameters(), nothing, of, nothing, {})
            place = settings.installation.root / "case"
            urls = [f"rtsp://127.0.0.1:{port}/" for port in (1, 2)]
            with stand.role(of, name, bench._settings(urls, place, ingest._NULL), core=None, writes=[place]):
                pass
        elif name == "custodian":
            with stand.custodian(of, core=None):
                pass
        else:
            with stand.role(of, name, getattr(settings, name)(), core=None):
                pass
    return started[0]


def differences(one: Any, other: Any, at: str = "") -> set[str]:
    """Paths of the fields that differ; of a tuple's items those that both have."""
    if is_dataclass(one) and type(one) is type(other):
        pairs = [(field.name, getattr(one, field.name), getattr(other, field.name)) for field in fields(one)]
        return {path for name, left, right in pairs for path in differences(left, right, f"{at}.{name}".lstrip("."))}
    if isinstance(one, tuple) and one and is_dataclass(one[0]):
        return {path for left, right in zip(one, other, strict=False) for path in differences(left, right, at)}
    return set() if one == other else {at}


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        (
            "ingest",
            {
                *("cameras.url", "spool.directory", "recorder_directory", "recorder_name"),
                *("store.endpoint", "store.access_key", "store.secret_key", "store.bucket", "store.null"),
            },
        ),
        ("custodian", {"store"}),
        ("index", set()),
        ("serve", set()),
    ],
)
def test_stand_starts_a_role_as_up_does(
    name: str, changed: set[str], settings: RoleSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    role, own, policy = by_up(name, settings, monkeypatch)
    our_role, ours, our_policy = by_stand(name, settings, monkeypatch)
    assert our_role is role
    assert differences(own, ours) == changed
    assert differences(policy, our_policy) <= {"writes"}
    assert set(policy.writes) <= set(our_policy.writes)


def test_stand_has_two_weeks_of_keys_and_the_usual_retention(settings: RoleSettings) -> None:
    assert settings.custodian().keys_ahead_hours == 14 * 24
    assert {camera.retention_s for camera in settings.inventory().cameras} == {72 * 3600}


def test_a_default_that_the_stand_overrides_is_found(settings: RoleSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was: hour keys of three hours instead of two weeks."""
    _, own, _ = by_up("custodian", settings, monkeypatch)
    real = RoleSettings.custodian

    def three_hours(self: RoleSettings) -> Any:
        return replace(real(self), keys_ahead_hours=3)

    monkeypatch.setattr(RoleSettings, "custodian", three_hours)
    _, ours, _ = by_stand("custodian", settings, monkeypatch)
    assert differences(own, ours) == {"store", "keys_ahead_hours"}
