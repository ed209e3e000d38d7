"""Codes, keys and waits, without a database."""

from __future__ import annotations

import uuid
from pathlib import Path

import pyotp
import pytest

from api.credentials import second_factor
from api.credentials.passwords import check_new
from api.credentials.secret_key import load_secret_key
from api.credentials.throttle import PER_USER, Limit
from api.errors import SecretKeyError, StaffRefusedError
from domain.ids import StaffId
from domain.time import MINUTE_NS, NS
from runtime.errors import PrivateFileError

# RFC 6238, appendix B (SHA-1, the last six digits)
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(("at_s", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_totp_rfc_vectors_match(at_s: int, code: str) -> None:
    assert second_factor.matching_step(RFC_SECRET, code, at_s * NS) == at_s // 30


@pytest.mark.parametrize(("early", "step"), [(-2, None), (-1, 99), (0, 100), (1, 101), (2, None)])
def test_totp_one_step_either_way_accepted(early: int, step: int | None) -> None:
    code = pyotp.TOTP(RFC_SECRET).generate_otp(100 + early)
    assert second_factor.matching_step(RFC_SECRET, code, 100 * 30 * NS) == step


TYPED = ["510 035", "510\u00a0035", "510-035", " 510035\n", "510\u2009035", "510\u2011035", "\uff15\uff11\uff10035"]


@pytest.mark.parametrize("typed", TYPED)
def test_totp_code_may_be_typed_as_the_app_shows_it(typed: str) -> None:
    assert second_factor.normal_code(typed) == "510035"
    assert second_factor.is_totp_code(second_factor.normal_code(typed))


def test_recovery_codes_are_distinct_and_typed_freely() -> None:
    codes = second_factor.new_recovery_codes()
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert second_factor.normal_code(f" {codes[0].lower()} ") == codes[0].replace("-", "")
    assert not second_factor.is_totp_code(codes[0])
    assert not second_factor.is_totp_code("١٢٣٤٥٦")


def test_wait_doubles_up_to_the_longest() -> None:
    waits = [PER_USER.wait_ns(failures) // NS for failures in range(9)]
    assert waits == [0, 0, 0, 0, 0, 0, 1, 2, 4]
    assert Limit(free=0).wait_ns(10_000) == 15 * MINUTE_NS


def test_own_key_made_once_and_bound_to_the_person(tmp_path: Path) -> None:
    directory = tmp_path / "api"
    key, again = load_secret_key(directory), load_secret_key(directory)
    assert sorted(path.name for path in directory.iterdir()) == ["api.key"]
    assert (directory / "api.key").stat().st_mode & 0o777 == 0o600
    one, other = StaffId(uuid.uuid4()), StaffId(uuid.uuid4())
    sealed = key.seal_totp(one, RFC_SECRET)
    assert again.open_totp(one, sealed) == RFC_SECRET
    with pytest.raises(SecretKeyError):
        key.open_totp(other, sealed)
    (directory / "api.key").chmod(0o644)
    with pytest.raises(PrivateFileError):
        load_secret_key(directory)


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "mary.jones!", "x" * 300])
def test_new_password_too_easy_refused(password: str) -> None:
    with pytest.raises(StaffRefusedError):
        check_new(password, "mary.jones")
