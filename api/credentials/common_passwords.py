"""Passwords that attackers try first (NIST SP 800-63B-4, 3.1.1.2: compare with commonly used and expected values).

A short list of stems covers many variants: signs in place of letters are read as letters, and digits and signs around a
stem are ignored. Runs along the keyboard, the alphabet and the digits count as well. Pure.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_WORDS: Final = """
password passwort passord salasana motdepasse contrasena parola haslo letmein welcome tervetuloa iloveyou loveyou
administrator admin root user default changeme change secret secure access login master manager system server
computer internet windows samsung google facebook youtube apple microsoft monkey dragon shadow sunshine princess
football baseball basketball soccer hockey superman batman spiderman pokemon starwars matrix ninja hunter ranger
killer trustno whatever freedom flower cookie cheese chocolate summer winter spring autumn monday friday january
december charlie michael michelle jennifer jessica ashley daniel thomas jordan george andrew robert william maggie
buster tigger ginger pepper bailey harley mustang ferrari porsche mercedes corvette liverpool arsenal chelsea
barcelona realmadrid nothing zaqxsw qazwsx qweasd asdasd testtest test testing guest temp temporary
suomi finland helsinki perkele kesa talvi syksy kevat kissa koira jaakiekko tallenne tallennus kuntosali fitness gym
training trainer workout staff camera kamera recorder security valvonta
"""
_STEMS: Final = frozenset(_WORDS.split())
_READ_AS: Final = str.maketrans("013457@$!|", "oleastasil")
_RUNS: Final = tuple(
    run + run
    for run in (
        *("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop"),
        *("1qaz2wsx3edc4rfv5tgb", "1q2w3e4r5t6y7u8i9o0p", "qazwsxedcrfvtgb", "zaq12wsxcde34rfv", "azertyuiop"),
    )
)
_RUN_MIN: Final = 4


def is_common(password: str) -> bool:
    """Whether the password is a stem with additions, two stems, or only runs."""
    plain = unicodedata.normalize("NFKD", password.casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    letters = {"".join(filter(str.isalpha, text)) for text in (plain, plain.translate(_READ_AS), plain.rstrip(_TRIM))}
    letters |= {"".join(filter(str.isalpha, plain.strip(_TRIM).translate(_READ_AS)))}
    return any(_of_stems(text) for text in letters) or _is_runs(plain)


_TRIM: Final = "0123456789!?.,-_#*@$%&+= "


def _of_stems(text: str) -> bool:
    """Whether the text is a stem, two stems, or one twice."""
    if not text:
        return False
    return text in _STEMS or any(text[:cut] in _STEMS and text[cut:] in _STEMS for cut in range(3, len(text) - 2))


def _is_runs(text: str) -> bool:
    """Whether the text consists of runs of neighbouring keys, letters or digits, forwards or backwards."""
    at = 0
    while at < len(text):
        long = next((size for size in range(len(text) - at, _RUN_MIN - 1, -1) if _is_run(text[at : at + size])), 0)
        if not long:
            return at > 0 and len(text) - at < _RUN_MIN
        at += long
    return True


def _is_run(text: str) -> bool:
    return any(text in run or text[::-1] in run for run in _RUNS) or len(set(text)) == 1
