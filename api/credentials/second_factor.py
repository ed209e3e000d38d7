"""Second factors: TOTP (RFC 6238: SHA-1, 6 digits, 30 s, as every app supports) and recovery codes. Pure."""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from typing import Final

import pyotp

from domain.time import NS

STEP_S: Final = 30
RECOVERY_CODES: Final = 10
_WINDOW: Final = (0, -1, 1)  # one step early or late: the telephone's clock
_ALPHABET: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # without characters that look alike
_GROUPS: Final = 4


def new_totp_secret() -> str:
    """160 random bits in base32."""
    return pyotp.random_base32(32)


def otpauth_uri(secret: str, user_name: str) -> str:
    """What an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=user_name, issuer_name="Tallenne")


def matching_step(secret: str, code: str, now_ns: int) -> int | None:
    """Return the time step of ``code``, or None. The caller ensures that a step is accepted once."""
    totp = pyotp.TOTP(secret)
    step = now_ns // (STEP_S * NS)
    found = None
    for offset in _WINDOW:
        if hmac.compare_digest(totp.generate_otp(step + offset), code) and found is None:
            found = step + offset
    return found


def is_totp_code(code: str) -> bool:
    """Whether the code has six digits; any other is a recovery code."""
    return len(code) == 6 and code.isascii() and code.isdigit()


def new_recovery_codes() -> tuple[str, ...]:
    """Ten codes of 78 bits, like ``7KQM-3FHX-WD9P-RT4C``."""
    return tuple(
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    )


def normal_code(text: str) -> str:
    """Return a typed code in capitals, without separators: blanks, hyphens and dots of all kinds."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in plain if unicodedata.category(sign)[0] not in "ZPC").upper()
