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
from runtime.private_files import write_private
from runtime.settings import CustodianAt
from tests.support.configuration import GOOD, mistakes, written

ENDPOINTS = {"database": {"host": "nowhere", "port": 1}, "store": {"endpoint": "nowhere", "bucket": "none"}}


APART = """
run = "/run/tallenne"

[custodian]
socket = "/run/tallenne-custodian/custodian.sock"
users = { ingest = "1001", index = "1002", serve = "1003", live = "1005", operator = "1004" }
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
    (tmp_path / "store").mkdir()
    for name in ("access", "secret"):
        write_private(tmp_path / "store" / f"custodian-{name}-key.secret", b"x")
    asked = allowed(RoleSettings(loaded=here, installation=Installation(tmp_path), endpoints=ENDPOINTS).custodian())
    assert asked["open_segments"] == (1003,)
    assert asked["open_for_verify"] == asked["open_headers"] == asked["open_intake"] == (1004,)
    assert asked["enrol"] == (1001, 1004)
    assert {name for name, uids in asked.items() if 1001 in uids} == {"identity", "status", "enrol"}


LISTENING = """
run = "{here}"
roles = ["custodian"]

[custodian.listen]
host = "192.0.2.1"
tls_ca = "authority.pem"
certificate = "certificate.pem"
key = "key.pem"
callers = {{ ingest = ["recorder-1", "recorder-2"], serve = ["serve-1"], operator = ["operator-1"] }}
"""
ELSEWHERE = """
roles = ["ingest", "notify"]

[custodian.at]
host = "custodian.example"
tls_ca = "authority.pem"
certificate = "certificate.pem"
key = "key.pem"
"""


def test_callers_on_other_machines_may_ask_by_the_names_in_their_certificates(tmp_path: Path) -> None:
    here = load(written(tmp_path, apart(LISTENING.format(here=tmp_path))))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "store").mkdir()
    for name in ("access", "secret"):
        write_private(tmp_path / "store" / f"custodian-{name}-key.secret", b"x")
    made = RoleSettings(loaded=here, installation=Installation(tmp_path), endpoints=ENDPOINTS).custodian()
    assert made.listen is not None
    assert (made.listen.host, made.listen.port) == ("192.0.2.1", 7443)
    assert made.listen.files.key == tmp_path / "key.pem"
    asked = {op: [who for who in callers if isinstance(who, str)] for op, callers in allowed(made).items()}
    assert asked["open_segments"] == asked["end_case"] == ["serve-1"]
    assert asked["open_for_verify"] == asked["open_headers"] == asked["open_intake"] == ["operator-1"]
    assert asked["look_live"] == []
    assert {op for op, names in asked.items() if "recorder-2" in names} == {"identity", "status", "enrol"}


def test_custodian_of_another_machine_is_asked_there_with_ones_own_certificate(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, apart(ELSEWHERE)))
    assert loaded.config.apart
    place = RoleSettings(loaded=loaded, installation=Installation(tmp_path), endpoints=ENDPOINTS).custodian_socket
    assert isinstance(place, CustodianAt)
    assert (place.host, place.port, place.files.certificate) == (
        "custodian.example",
        7443,
        tmp_path / "certificate.pem",
    )


def test_custodian_is_in_one_place_and_recorders_have_names_of_their_own(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, apart(ELSEWHERE.replace('"ingest", ', '"ingest", "custodian", ')))
    assert "custodian.at: The custodian runs on another machine" in said
    (said,) = mistakes(tmp_path, apart(LISTENING.format(here=tmp_path).replace('"serve-1"', '"recorder-2"')))
    assert "custodian.listen.callers.serve: 'recorder-2' is the name of a recorder, too" in said


def test_ingests_user_must_be_nobody_elses_and_the_socket_be_reachable(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, apart().replace('serve = "1003"', 'serve = "1001"'))
    assert "custodian.users.serve: It is the user of ingest, too" in said
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
