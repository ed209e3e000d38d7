"""Certificates for a custodian on a machine of its own, held against OpenSSL's own verification."""

from __future__ import annotations

import datetime
import shutil
import stat
import subprocess
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from pipeline.commands.certificates.authority import AUTHORITY, CERTIFICATE, KEY, Authority
from pipeline.errors import SetupError
from runtime.errors import PrivateFileError
from runtime.private_files import make_private

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


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", ".", "käyttäjä", "*", "*.example", "a\nb", "a b", "-x", "a\0b", "a" * 254]
)
@pytest.mark.parametrize("custodian", [False, True])
def test_name_that_is_none_is_refused(tmp_path: Path, name: str, custodian: bool) -> None:
    with pytest.raises(SetupError, match="cannot be the name in a certificate"):
        Authority.in_folder(tmp_path).issue(name, custodian=custodian, lasts=YEAR)


def test_addresses_are_for_a_custodian_and_long_names_for_both(tmp_path: Path) -> None:
    authority, long = Authority.in_folder(tmp_path / "authority"), ".".join(["recorder-of-a-hall"] * 13)
    assert verified(authority.issue("2001:db8::1", custodian=True, lasts=YEAR), "-verify_ip", "2001:db8::1")
    with pytest.raises(SetupError, match="cannot be the name in a certificate"):
        authority.issue("2001:db8::1", custodian=False, lasts=YEAR)
    assert len(long) > 64  # more than a common name holds
    for custodian in (False, True):
        assert verified(authority.issue(long, custodian=custodian, lasts=YEAR), "-verify_hostname", long)


def _issued(folder: Path, name: str) -> Path:
    return Authority.in_folder(folder).issue(name, custodian=False, lasts=YEAR)


def test_authorities_that_are_begun_at_once_are_one(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, get_context("spawn")) as pool:
        for place in pool.map(_issued, [tmp_path / "authority"] * 4, ("a", "b", "c", "d")):
            assert verified(place)
            assert (place / AUTHORITY).read_bytes() == (tmp_path / "authority" / AUTHORITY).read_bytes()


@pytest.mark.parametrize("interrupted", [KEY, AUTHORITY])
def test_interrupted_beginning_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted: str) -> None:
    def killed(path: Path, data: bytes) -> None:
        if path.name == interrupted:
            raise KeyboardInterrupt
        make_private(path, data)

    monkeypatch.setattr("pipeline.commands.certificates.authority.make_private", killed)
    with pytest.raises(KeyboardInterrupt):
        Authority.in_folder(tmp_path)
    monkeypatch.undo()
    assert verified(Authority.in_folder(tmp_path).issue("a", custodian=False, lasts=YEAR))


def test_authority_without_its_key_is_not_replaced(tmp_path: Path) -> None:
    """Else all certificates that are in use would be good for nothing, and nobody would know."""
    Authority.in_folder(tmp_path)
    before = (tmp_path / AUTHORITY).read_bytes()
    (tmp_path / KEY).rename(tmp_path / "elsewhere.pem")
    with pytest.raises(SetupError, match=r"key.pem is gone"):
        Authority.in_folder(tmp_path)
    Authority.in_folder(tmp_path / "other")
    (tmp_path / "other" / KEY).rename(tmp_path / KEY)
    with pytest.raises(SetupError, match=r"is not the key of .*authority.pem"):
        Authority.in_folder(tmp_path)
    (tmp_path / "elsewhere.pem").rename(tmp_path / KEY)
    Authority.in_folder(tmp_path)
    assert (tmp_path / AUTHORITY).read_bytes() == before
