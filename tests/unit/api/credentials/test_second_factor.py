"""Codes: RFC vectors, one step either way, typed freely."""

from __future__ import annotations

import re

import pyotp
import pytest

from api.credentials import second_factor
from domain.time import NS

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


def test_secret_has_160_bits_and_the_app_learns_whose_it_is() -> None:
    secret = second_factor.new_totp_secret()
    assert len(secret) == 32 and len({secret, second_factor.new_totp_secret()}) == 2
    uri = second_factor.otpauth_uri(secret, "ann")
    assert uri == f"otpauth://totp/Tallenne:ann?secret={secret}&issuer=Tallenne"


def test_code_of_two_steps_counts_for_the_first_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyotp.TOTP, "generate_otp", lambda self, step: "123456")
    assert second_factor.matching_step(RFC_SECRET, "123456", 100 * 30 * NS) == 100


@pytest.mark.parametrize(("code", "totp"), [("12345", False), ("1234567", False), ("12345a", False), ("123456", True)])
def test_six_digits_are_no_recovery_code(code: str, totp: bool) -> None:
    assert second_factor.is_totp_code(code) == totp


def test_recovery_code_has_four_groups_of_four() -> None:
    for code in second_factor.new_recovery_codes():
        assert re.fullmatch(r"([A-HJKMNP-Z2-9]{4}-){3}[A-HJKMNP-Z2-9]{4}", code)


def test_recovery_codes_are_distinct_and_typed_freely() -> None:
    codes = second_factor.new_recovery_codes()
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert second_factor.normal_code(f" {codes[0].lower()} ") == codes[0].replace("-", "")
    assert not second_factor.is_totp_code(codes[0])
    assert not second_factor.is_totp_code("١٢٣٤٥٦")
