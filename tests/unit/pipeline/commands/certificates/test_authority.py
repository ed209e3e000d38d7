"""Certificates for a custodian on a machine of its own, held against OpenSSL's own verification."""

from __future__ import annotations

import datetime
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from pipeline.commands.certificates.authority import AUTHORITY, CERTIFICATE, KEY, Authority
from pipeline.errors import SetupError
from runtime.errors import PrivateFileError

YEAR = datetime.timedelta(days=365)


def verified(place: Path, *more: str) -> bool:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    command = [openssl, "verify", "-x509_strict", "-CAfile", str(place / AUTHORITY), *more, str(place / CERTIFICATE)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_certificates_are_good_for_their_own_end_alone(tmp_path: Path) -> None:
    authority = Authority.in_folder(tmp_path / "authority")
    custodian = authority.issue("custodian.example", custodian=True, lasts=YEAR)
    caller = authority.issue("recorder-1", custodian=False, lasts=YEAR)
    for place, purpose, other, name in (
        (custodian, "sslserver", "sslclient", "custodian.example"),
        (caller, "sslclient", "sslserver", "recorder-1"),
    ):
        assert verified(place, "-purpose", purpose, "-verify_hostname", name)
        assert not verified(place, "-purpose", other)
        assert not verified(place, "-purpose", purpose, "-verify_hostname", "other.example")
    assert verified(authority.issue("192.0.2.1", custodian=True, lasts=YEAR), "-verify_ip", "192.0.2.1")


def test_authority_is_made_once_and_signs_on(tmp_path: Path) -> None:
    first = Authority.in_folder(tmp_path / "authority").issue("a", custodian=False, lasts=YEAR)
    second = Authority.in_folder(tmp_path / "authority").issue("b", custodian=False, lasts=YEAR)
    assert (first / AUTHORITY).read_bytes() == (second / AUTHORITY).read_bytes()
    other = Authority.in_folder(tmp_path / "other").issue("b", custodian=False, lasts=YEAR)
    assert verified(second)
    assert not verified(second, "-no-CAfile", "-trusted", str(other / AUTHORITY))


def test_keys_are_for_their_user_alone_and_the_authoritys_is_in_no_other_folder(tmp_path: Path) -> None:
    place = Authority.in_folder(tmp_path / "authority").issue("a", custodian=False, lasts=YEAR)
    assert {path.name for path in place.iterdir()} == {AUTHORITY, CERTIFICATE, KEY}
    assert (place / KEY).read_bytes() != (tmp_path / "authority" / KEY).read_bytes()
    files = [path for path in (tmp_path / "authority").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    (tmp_path / "authority" / KEY).chmod(0o644)
    with pytest.raises(PrivateFileError):
        Authority.in_folder(tmp_path / "authority")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".", "käyttäjä"])
def test_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SetupError, match="cannot be the name in a certificate"):
        Authority.in_folder(tmp_path).issue(name, custodian=False, lasts=YEAR)
