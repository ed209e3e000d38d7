"""What each role gets of the configuration, apart or together."""

from __future__ import annotations

from pathlib import Path

import pytest

from custodian.operations import allowed
from pipeline.cli import main
from pipeline.config.load import load
from pipeline.config.roles import RoleSettings
from pipeline.errors import SetupError
from pipeline.installation import Installation
from tests.support.configuration import GOOD, mistakes, written

ENDPOINTS = {"database": {"host": "nowhere", "port": 1}}


APART = """
run = "/run/tallenne"

[custodian]
socket = "/run/tallenne-custodian/custodian.sock"
users = { ingest = "1001", index = "1002", serve = "1003", operator = "1004" }
"""


def apart(text: str = APART) -> str:
    top, _, rest = text.partition("\n[")
    return f"{top}\n{GOOD}\n[{rest}"


def test_users_of_their_own_may_ask_the_custodian_for_what_their_role_needs(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, apart()))
    assert loaded.config.apart
    settings = RoleSettings(loaded=loaded, installation=Installation(tmp_path), endpoints=ENDPOINTS)
    (tmp_path / "secrets").mkdir()
    with pytest.raises(SetupError, match="install -d -m 1777"):
        settings.custodian()
    here = load(written(tmp_path, apart().replace('/run/tallenne"', f'{tmp_path}"')))
    asked = allowed(RoleSettings(loaded=here, installation=Installation(tmp_path), endpoints=ENDPOINTS).custodian())
    assert asked["open_segments"] == (1003,)
    assert asked["open_for_verify"] == asked["open_headers"] == asked["open_intake"] == (1004,)
    assert asked["enrol"] == (1001, 1004)
    assert {name for name, uids in asked.items() if 1001 in uids} == {"identity", "status", "enrol"}


def test_ingests_user_must_be_nobody_elses_and_the_socket_be_reachable(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, apart().replace('serve = "1003"', 'serve = "1001"'))
    assert "custodian.users.serve: It is ingest's user too" in said
    (said,) = mistakes(tmp_path, apart(APART.replace('socket = "/run/tallenne-custodian/custodian.sock"', "")))
    assert "Name a socket" in said


def test_secrets_of_other_roles_may_be_away_only_where_roles_are_apart(tmp_path: Path) -> None:
    camera = 'assessment = "2026-1"\n'
    with_secret = camera + 'password = { file = "away" }\n'
    (said,) = mistakes(tmp_path, GOOD.replace(camera, with_secret, 1))
    assert "away" in said
    load(written(tmp_path, apart().replace(camera, with_secret, 1)))
    (tmp_path / "away").write_text("here, and open to others")
    (tmp_path / "away").chmod(0o644)
    (said,) = mistakes(tmp_path, apart().replace(camera, with_secret, 1))
    assert "can be read by others" in said


def test_a_worker_that_there_is_none_of_does_not_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, GOOD)
    place = ["--config", str(path), "--data", str(tmp_path / "data")]
    installation = Installation(tmp_path / "data")
    installation.prepare()
    installation.write_endpoints({})
    assert main(["ingest", "--worker", "7", *place]) == 2
    assert "There is no worker 7: [ingest] workers is 1." in capsys.readouterr().err
