from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.ids import CameraId, HourKeyId, SiteId
from domain.time import HOUR_NS
from storage.keys import ForgedStatementError, HourKeyCache, NoHourKeyError, PublicHourKey

HOUR = 500_000 * HOUR_NS
SITE, CAMERA = SiteId(uuid.uuid4()), CameraId(uuid.uuid4())
SIGNER = Ed25519PrivateKey.generate()
PINNED = SIGNER.public_key().public_bytes_raw()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    hour_key_id: HourKeyId
    serial: int
    site_id: SiteId
    camera_id: CameraId
    hour_ns: int
    public_key: bytes
    state: str
    signature: bytes


def published(hour_ns: int, serial: int, *, signer: Ed25519PrivateKey = SIGNER, state: str = "active") -> Row:
    key = PublicHourKey(
        hour_key_id=HourKeyId(uuid.uuid4()),
        site_id=SITE,
        camera_id=CAMERA,
        hour_ns=hour_ns,
        public_key=bytes([serial]) * 32,
        serial=serial,
    )
    return Row(
        hour_key_id=key.hour_key_id,
        serial=serial,
        site_id=SITE,
        camera_id=CAMERA,
        hour_ns=hour_ns,
        public_key=key.public_key,
        state=state,
        signature=signer.sign(key.statement()),
    )


def test_cache_gives_the_signed_key_of_the_hour_only() -> None:
    cache = HourKeyCache(PINNED)
    cache.offer([published(HOUR, 1), published(HOUR + HOUR_NS, 2)])
    assert cache.key_for(CAMERA, HOUR).serial == 1
    assert cache.key_for(CAMERA, HOUR + HOUR_NS - 1).serial == 1
    assert cache.key_for(CAMERA, HOUR + HOUR_NS).serial == 2
    for time_ns, camera in ((HOUR - 1, CAMERA), (HOUR + 2 * HOUR_NS, CAMERA), (HOUR, CameraId(uuid.uuid4()))):
        with pytest.raises(NoHourKeyError):
            cache.key_for(camera, time_ns)


def test_cache_keeps_the_highest_serial_it_saw() -> None:
    cache = HourKeyCache(PINNED)
    old, new = published(HOUR, 3), published(HOUR, 7)
    cache.offer([new])
    cache.offer([old])
    assert cache.key_for(CAMERA, HOUR).serial == 7
    cache.offer([dataclasses.replace(new, state="draining")])
    with pytest.raises(NoHourKeyError):
        cache.key_for(CAMERA, HOUR)  # and not back to serial 3
    cache.offer([published(HOUR, 9)])
    assert cache.key_for(CAMERA, HOUR).serial == 9


def test_cache_believes_no_key_that_the_pinned_signer_did_not_sign() -> None:
    cache = HourKeyCache(PINNED)
    good = published(HOUR, 1)
    cache.offer([good, published(HOUR, 9, signer=Ed25519PrivateKey.generate())])
    cache.offer([dataclasses.replace(published(HOUR, 8), public_key=bytes(32))])
    assert cache.key_for(CAMERA, HOUR).serial == 1
    assert cache.refused == 2


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
    row = published(HOUR, 1)
    key = PublicHourKey(**{f.name: getattr(row, f.name) for f in dataclasses.fields(PublicHourKey)})
    key.check(SIGNER.public_key())  # positive control
    with pytest.raises(ForgedStatementError):
        dataclasses.replace(key, **{field: value}).check(SIGNER.public_key())


def test_statement_that_starts_within_an_hour_is_refused() -> None:
    row = published(HOUR + 1, 1)
    key = PublicHourKey(**{f.name: getattr(row, f.name) for f in dataclasses.fields(PublicHourKey)})
    with pytest.raises(ForgedStatementError):
        key.check(SIGNER.public_key())


def test_cache_on_disk_works_without_anybody_and_keeps_states(tmp_path: Path) -> None:
    path = tmp_path / "hour-keys"
    cache = HourKeyCache(PINNED, path)
    cache.offer([published(HOUR + n * HOUR_NS, n + 1) for n in range(48)])
    cache.offer([published(HOUR, 100, state="draining")])
    cache.save()
    again = HourKeyCache(PINNED, path)
    assert again.key_for(CAMERA, HOUR + 47 * HOUR_NS).serial == 48
    with pytest.raises(NoHourKeyError):
        again.key_for(CAMERA, HOUR)
    assert again.ahead_ns(CAMERA, HOUR + HOUR_NS + 5) == 47 * HOUR_NS - 5
    again.forget_before(HOUR + 40 * HOUR_NS)
    again.save()
    assert path.stat().st_size == 6 + 161 * 8 + 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_cache_file_damaged_counts_as_empty_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "hour-keys"
    cache = HourKeyCache(PINNED, path)
    cache.offer([published(HOUR, 1)])
    cache.save()
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    again = HourKeyCache(PINNED, path)
    assert again.damaged
    with pytest.raises(NoHourKeyError):
        again.key_for(CAMERA, HOUR)
    again.offer([published(HOUR, 2)])
    again.save()
    assert not HourKeyCache(PINNED, path).damaged
