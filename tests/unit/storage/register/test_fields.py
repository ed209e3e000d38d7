"""What may stand in a field of the register."""

from __future__ import annotations

from datetime import date

import pytest

from storage.register import Field, FieldError, checked

TODAY = date(2026, 11, 29)


@pytest.mark.parametrize(
    ("field", "typed", "stored"),
    [
        (Field.NAME, "  Aino Virtanen ", "Aino Virtanen"),
        (Field.NAME, "Ha\u0308ma\u0308la\u0308inen", "Hämäläinen"),
        (Field.BIRTH_DATE, "2010-02-28", "2010-02-28"),
        (Field.EMAIL, "Aino.Virtanen@Example.ORG", "Aino.Virtanen@example.org"),
        (Field.EMAIL, "äiti@esimerkki.fi", "äiti@esimerkki.fi"),
        (Field.PHONE, "+358 (0)40-123 4567", "+3580401234567"),
        (Field.ADDRESS, " Kotikatu 1 \r\n 33100 Tampere", "Kotikatu 1\n33100 Tampere"),
        (Field.OFFERS_EMAIL, "No", "no"),
        (Field.OTHER, "", ""),
        (Field.EMAIL, "   ", ""),
    ],
)
def test_value_is_stored_in_one_form(field: Field, typed: str, stored: str) -> None:
    assert checked(field, typed, TODAY) == stored
    assert checked(field, stored, TODAY) == stored


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        (Field.NAME, " "),
        (Field.NAME, "Aino\nVirtanen"),
        (Field.NAME, "x" * 201),
        (Field.NAME, "Aino \u202e"),
        (Field.BIRTH_DATE, "28.2.2010"),
        (Field.BIRTH_DATE, "2026-11-30"),
        (Field.BIRTH_DATE, "1899-12-31"),
        (Field.BIRTH_DATE, "2023-02-29"),
        (Field.MEMBER_TO, "2128-01-02"),
        (Field.EMAIL, "aino"),
        (Field.EMAIL, "a@b"),
        (Field.EMAIL, "a@b@example.org"),
        (Field.EMAIL, "a@example.org, b@example.org"),
        (Field.EMAIL, "a@example.org\nBcc: b@example.org"),
        (Field.EMAIL, "<a@example.org>"),
        (Field.EMAIL, "=?utf-8?q?b=40example.com=2C?=@example.org"),
        (Field.EMAIL, "=?utf-8?q?a=0aBcc=3Ab=40example.com?=@example.org"),
        (Field.EMAIL, "a@" + "x" * 250 + ".org"),
        (Field.PHONE, "call me"),
        (Field.PHONE, "123"),
        (Field.OFFERS_SMS, "maybe"),
        (Field.OTHER, "x" * 1001),
        (Field.ADDRESS, "Kotikatu\x001"),
    ],
)
def test_value_that_a_field_cannot_have_is_refused_without_repeating_it(field: Field, typed: str) -> None:
    with pytest.raises(FieldError) as refused:
        checked(field, typed, TODAY)
    assert refused.value.field is field
    assert typed.strip() == "" or typed not in str(refused.value)


def test_last_day_on_which_one_can_be_born_is_today() -> None:
    assert checked(Field.BIRTH_DATE, TODAY.isoformat(), TODAY) == TODAY.isoformat()
