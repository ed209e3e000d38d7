"""Every error travels under a code and arrives as the same kind."""

from __future__ import annotations

import pytest

from custodian.errors import CODES, CustodianAwayError, CustodianMisuseError, LookRefusedError, code_of
from custodian.protocol import raise_error
from domain.errors import MisuseError, RetryableError, TallenneError


@pytest.mark.parametrize("code", list(CODES))
def test_error_arrives_as_it_was_sent(code: str) -> None:
    sent = CODES[code]("What.", "Remedy.")
    assert code_of(sent) == code
    with pytest.raises(CODES[code]) as caught:
        raise_error({"code": code_of(sent), "what": sent.what, "remedy": sent.remedy})
    assert (caught.value.what, caught.value.remedy) == ("What.", "Remedy.")


def test_errors_of_others_travel_by_what_may_be_done_about_them() -> None:
    assert code_of(RetryableError("database away")) == "away"
    assert code_of(MisuseError("wrong password")) == "misuse"
    assert code_of(TallenneError("anything")) == "misuse"


def test_code_of_a_newer_custodian_is_a_misuse() -> None:
    with pytest.raises(CustodianMisuseError):
        raise_error({"code": "unheard of", "what": "What."})
    assert not issubclass(CustodianAwayError, LookRefusedError)
