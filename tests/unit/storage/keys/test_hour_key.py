"""The signed statement of an hour key: what it says, and that no field of it can be changed."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.ids import CameraId, HourKeyId, SiteId
from domain.time import HOUR_NS
from storage.keys import ForgedStatementError, PublicHourKey

HOUR = 500_000 * HOUR_NS
SITE, CAMERA = SiteId(uuid.uuid4()), CameraId(uuid.uuid4())
SIGNER = Ed25519PrivateKey.generate()


def signed(hour_ns: int = HOUR, signer: Ed25519PrivateKey = SIGNER) -> PublicHourKey:
    key = PublicHourKey(
        hour_key_id=HourKeyId(uuid.uuid4()),
        site_id=SITE,
        camera_id=CAMERA,
        hour_ns=hour_ns,
        public_key=bytes([1]) * 32,
        serial=1,
    )
    return dataclasses.replace(key, signature=signer.sign(key.statement()))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hour_key_id", HourKeyId(uuid.uuid4())),
        ("site_id", SiteId(uuid.uuid4())),
        ("camera_id", CameraId(uuid.uuid4())),
        ("hour_ns", HOUR + HOUR_NS),
        ("public_key", bytes(32)),
        ("serial", 2),
    ],
)
def test_statement_with_any_field_changed_is_forged(field: str, value: Any) -> None:
    key = signed()
    key.check(SIGNER.public_key())  # positive control
    with pytest.raises(ForgedStatementError):
        dataclasses.replace(key, **{field: value}).check(SIGNER.public_key())


def test_statement_that_starts_within_an_hour_is_refused() -> None:
    for hour_ns in (HOUR - 1, HOUR + 1):
        with pytest.raises(ForgedStatementError, match="UTC hour"):
            signed(hour_ns).check(SIGNER.public_key())


def test_statement_of_another_signer_is_refused() -> None:
    with pytest.raises(ForgedStatementError, match="not signed"):
        signed(signer=Ed25519PrivateKey.generate()).check(SIGNER.public_key())
    for signature in (b"", bytes(63), bytes(64), bytes(65)):
        with pytest.raises(ForgedStatementError, match="not signed"):
            dataclasses.replace(signed(), signature=signature).check(SIGNER.public_key())


def test_statement_is_laid_out_as_the_page_says() -> None:
    key = signed()
    body = SITE.bytes + CAMERA.bytes + key.hour_key_id.bytes + key.public_key
    times = HOUR.to_bytes(8, "big") + (HOUR + HOUR_NS).to_bytes(8, "big")
    assert key.statement() == b"tallenne/1 hour key" + body + times + (1).to_bytes(8, "big")


def test_key_is_valid_for_its_hour_half_open() -> None:
    key = signed()
    times = (HOUR - 1, HOUR, HOUR + HOUR_NS - 1, HOUR + HOUR_NS)
    assert [key.valid_at(time_ns) for time_ns in times] == [False, True, True, False]
    assert key.not_after_ns == HOUR + HOUR_NS
