"""The fields of the register, and what may stand in each. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from enum import StrEnum
from typing import Final

from domain.errors import MisuseError


class Field(StrEnum):
    """The values are stored; do not rename them."""

    NAME = "name"
    BIRTH_DATE = "birth_date"
    EMAIL = "email"
    PHONE = "phone"
    ADDRESS = "address"
    OTHER = "other"
    MEMBERSHIP = "membership"
    MEMBER_FROM = "member_from"
    MEMBER_TO = "member_to"
    OFFERS_EMAIL = "offers_email"
    OFFERS_SMS = "offers_sms"
    OFFERS_POST = "offers_post"


OFFERS: Final = (Field.OFFERS_EMAIL, Field.OFFERS_SMS, Field.OFFERS_POST)
"""``no`` is the member's opt-out from offers on that way; ``yes``, or blank, is none."""
DAYS: Final = (Field.BIRTH_DATE, Field.MEMBER_FROM, Field.MEMBER_TO)
LIMITS: Final = {
    Field.NAME: 200,
    Field.EMAIL: 254,
    Field.PHONE: 40,
    Field.ADDRESS: 300,
    Field.OTHER: 1000,
    Field.MEMBERSHIP: 100,
}
_LINES: Final = (Field.ADDRESS, Field.OTHER)
_EARLIEST: Final = date(1900, 1, 1)
_LATEST: Final = date(2128, 1, 1)
_EMAIL: Final = re.compile(r"[^\s@\"<>(),;:\\\[\]]{1,64}@[^\s@\"<>(),;:\\\[\]]+\.[^\s@\"<>(),;:\\\[\].]{2,}")
_PHONE: Final = re.compile(r"\+?[0-9]{4,17}")


class FieldError(MisuseError):
    """A value that a field cannot have. The message does not repeat it."""

    def __init__(self, field: Field, what: str) -> None:
        super().__init__(f"{field}: {what}", "Correct the field.")
        self.field, self.why = field, what


def checked(field: Field, text: str, today: date) -> str:
    """Return the text as it is stored, in NFC and without blanks around it. FieldError when the field cannot have it.

    An empty text removes the value; a name cannot be removed.
    """
    value = unicodedata.normalize("NFC", text).strip()
    if not value:
        if field is Field.NAME:
            raise FieldError(field, "must not be blank")
        return ""
    if field in DAYS:
        return _day(field, value, today)
    if field in OFFERS:
        return _yes_or_no(field, value)
    if len(value) > LIMITS[field]:
        raise FieldError(field, f"is longer than {LIMITS[field]} characters")
    if field in _LINES:
        value = "\n".join(line.strip() for line in value.splitlines())
    if not all(sign.isprintable() or (sign == "\n" and field in _LINES) for sign in value):
        raise FieldError(field, "has characters that cannot be printed")
    if field is Field.EMAIL:
        return _email(value)
    if field is Field.PHONE:
        return _phone(value)
    return value


def _day(field: Field, text: str, today: date) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise FieldError(field, "is not a day like 2026-01-31") from None
    if not _EARLIEST <= day <= _LATEST or (field is Field.BIRTH_DATE and day > today):
        raise FieldError(field, "is not a day that it can be")
    return day.isoformat()


def _yes_or_no(field: Field, text: str) -> str:
    if text.lower() not in ("yes", "no"):
        raise FieldError(field, "is neither yes nor no")
    return text.lower()


def _email(text: str) -> str:
    """Return the address with its domain in lower case (RFC 5321, 2.4: the local part may distinguish case).

    Without encoded words (RFC 2047), of which programs for mail read other addresses.
    """
    if not _EMAIL.fullmatch(text) or any(part in text for part in ("..", "@.", "=?")):
        raise FieldError(Field.EMAIL, "is not an address like name@example.org")
    local, _, host = text.rpartition("@")
    return f"{local}@{host.lower()}"


def _phone(text: str) -> str:
    """Return the digits, with a plus sign in front if there was one. Blanks, hyphens, dots and brackets separate."""
    number = re.sub(r"[\s().\-/]", "", text)
    if not _PHONE.fullmatch(number):
        raise FieldError(Field.PHONE, "is not a telephone number")
    return number
