"""What members read in their mail, in Finnish and English. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_TEXTS: Final = {
    "en": {
        "code.subject": "Your code for {gym}",
        "code.one": "Your code is {code}",
        "code.each": "This address belongs to several members. Each code opens the pages of one of them:",
        "code.rest": "Type it on the page that asked for it, within ten minutes. It works once.\n\n"
        "If you did not ask for a code, do nothing: without the code, these pages stay closed. "
        "{gym} never asks for it by phone or message.",
        "email.subject": "Confirm your address for {gym}",
        "email.one": "The code that confirms this address is {code}",
        "changed.subject": "Your e-mail address at {gym} was changed",
        "changed.text": "Another e-mail address was entered and confirmed on your own pages at {gym}. "
        "This address does not open them any more.\n\nIf that was not you, tell the gym at once.",
    },
    "fi": {
        "code.subject": "Koodisi: {gym}",
        "code.one": "Koodisi on {code}",
        "code.each": "Tämä osoite on usealla jäsenellä. Kukin koodi avaa yhden heidän omat sivunsa:",
        "code.rest": "Kirjoita koodi kymmenen minuutin kuluessa sille sivulle, jolla pyysit sitä. Se toimii kerran."
        "\n\n"
        "Jos et pyytänyt koodia, sinun ei tarvitse tehdä mitään: ilman koodia sivut pysyvät kiinni. "
        "{gym} ei koskaan kysy koodia puhelimessa eikä viestillä.",
        "email.subject": "Vahvista osoitteesi: {gym}",
        "email.one": "Koodi, joka vahvistaa tämän osoitteen, on {code}",
        "changed.subject": "Sähköpostiosoitteesi on vaihdettu: {gym}",
        "changed.text": "Omilla sivuillasi ({gym}) on vaihdettu ja vahvistettu toinen sähköpostiosoite. "
        "Tämä osoite ei enää avaa sivuja.\n\nJos et tehnyt sitä itse, kerro siitä heti salille.",
    },
}


def code_mail(language: str, gym: str, codes: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return subject and text for one member's code, or for those of several (name, code) who share the address."""
    words = _TEXTS[language]
    if len(codes) == 1:
        first = words["code.one"].format(code=spaced(codes[0][1]))
    else:
        lines = [f"{' '.join(name.split())}: {spaced(code)}" for name, code in codes]
        first = "\n".join([words["code.each"], "", *lines])
    return words["code.subject"].format(gym=gym), f"{first}\n\n{words['code.rest'].format(gym=gym)}\n"


def new_email_mail(language: str, gym: str, code: str) -> tuple[str, str]:
    """Return subject and text of the mail to an address that a member wants to have from now on."""
    words = _TEXTS[language]
    text = f"{words['email.one'].format(code=spaced(code))}\n\n{words['code.rest'].format(gym=gym)}\n"
    return words["email.subject"].format(gym=gym), text


def changed_mail(language: str, gym: str) -> tuple[str, str]:
    """Return subject and text of the mail to the address that a member had until now."""
    words = _TEXTS[language]
    return words["changed.subject"].format(gym=gym), words["changed.text"].format(gym=gym) + "\n"


def spaced(code: str) -> str:
    """``1234 5678``"""
    return f"{code[:4]} {code[4:]}"
