"""`tallenne demo sign-in`: what it prints signs in, now and in the next half minute."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyotp
import pytest

from pipeline.cli import main
from pipeline.exit_codes import MISUSE, OK
from pipeline.installation import Installation
from runtime.private_files import write_private

SECRETS = {"demo-staff": pyotp.random_base32(), "demo-colleague": pyotp.random_base32()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A demo that was started once."""
    installation = Installation(tmp_path)
    installation.prepare()
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "gym.json").write_text(json.dumps({"cameras": 4, "rtsp_port": 1, "mail_port": 2}))
    for name, key in SECRETS.items():
        write_private(installation.secrets / f"{name}.secret", b"open sesame 77")
        uri = pyotp.TOTP(key).provisioning_uri(name=name, issuer_name="Tallenne")
        write_private(installation.secrets / f"{name}-totp.secret", json.dumps({"secret": key, "uri": uri}).encode())
    return tmp_path


def test_name_password_and_codes_of_both_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "sign-in", "--data", str(folder)]) == OK
    said = capsys.readouterr().out
    assert "not running now" in said
    assert said.count("open sesame 77") == 2
    assert "demo" in said and "colleague" in said
    codes = re.findall(r"\b\d{6}\b", said)
    assert len(codes) == 4
    for code, key in zip(codes, [key for key in SECRETS.values() for _ in (0, 1)], strict=True):
        assert pyotp.TOTP(key).verify(code, valid_window=1)


def test_for_scripts_with_the_address(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = {"role": "serve", "state": "ready", "address": "https://127.0.0.1:1"}
    (folder / "run" / "serve-0.json").write_text(json.dumps(status))
    assert main(["demo", "sign-in", "--data", str(folder), "--json"]) == OK
    said = json.loads(capsys.readouterr().out)
    assert said["address"] == "https://127.0.0.1:1"
    assert [one["user_name"] for one in said["staff"]] == ["demo", "colleague"]
    for one, key in zip(said["staff"], SECRETS.values(), strict=True):
        totp = pyotp.parse_uri(one["otpauth_uri"])
        assert isinstance(totp, pyotp.TOTP) and totp.secret == key
        assert one["code"] != one["next_code"]


def test_without_a_demo_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "sign-in", "--data", str(tmp_path)]) == MISUSE
    assert "tallenne up" in capsys.readouterr().err
