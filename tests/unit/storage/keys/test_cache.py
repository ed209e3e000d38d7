from __future__ import annotations

import dataclasses
import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.ids import CameraId, HourKeyId, SiteId
from domain.time import HOUR_NS
from storage.keys import HourKeyCache, NoHourKeyError, PublicHourKey

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


@pytest.mark.trust
@pytest.mark.parametrize("known", [True, False], ids=["after", "before"])
@pytest.mark.parametrize(
    "forged",
    [
        {"serial": 99},
        {"serial": 1},
        {"public_key": bytes(32)},
        {"public_key": bytes(32), "state": "draining"},
        {"site_id": uuid.uuid4()},
        {"signature": bytes(64), "state": "dead"},
    ],
)
def test_forged_row_under_the_newest_keys_id_brings_no_older_key_back(forged: dict[str, object], known: bool) -> None:
    """The custodian replaced the older key: what is sealed with it might outlive its retention."""
    cache = HourKeyCache(PINNED)
    old, newest = published(HOUR, 3), published(HOUR, 7)
    row = dataclasses.replace(newest, **forged)  # type: ignore[arg-type]
    cache.offer([old])
    for offered in (newest, row) if known else (row, newest):
        cache.offer([offered])
        if known or offered is newest:
            assert cache.key_for(CAMERA, HOUR).public_key == newest.public_key
    cache.offer([row])
    assert cache.key_for(CAMERA, HOUR).serial == 7
    cache.offer([dataclasses.replace(newest, state="draining")])
    with pytest.raises(NoHourKeyError):
        cache.key_for(CAMERA, HOUR)


@pytest.mark.trust
def test_forged_rows_are_not_brought_back_by_the_file(tmp_path: Path) -> None:
    path = tmp_path / "hour-keys"
    cache = HourKeyCache(PINNED, path)
    newest = published(HOUR, 7)
    cache.offer([published(HOUR, 3), newest, dataclasses.replace(newest, serial=99)])
    cache.save()
    again = HourKeyCache(PINNED, path)
    assert again.key_for(CAMERA, HOUR).serial == 7
    assert again.refused == 1


def test_offered_key_changes_its_state_only() -> None:
    cache = HourKeyCache(PINNED)
    row = published(HOUR, 5)
    cache.offer([row])
    assert cache.key_for(CAMERA, HOUR).serial == 5
    for _ in range(2):
        cache.offer([dataclasses.replace(row, state="draining")])
        with pytest.raises(NoHourKeyError):
            cache.key_for(CAMERA, HOUR)
        cache.offer([row])
        assert cache.key_for(CAMERA, HOUR).public_key == row.public_key
    assert cache.refused == 0


def test_key_published_again_under_its_id_with_another_serial_replaces_it() -> None:
    cache = HourKeyCache(PINNED)
    row = published(HOUR, 5)
    cache.offer([row])
    assert cache.key_for(CAMERA, HOUR).serial == 5
    again = dataclasses.replace(published(HOUR, 6), hour_key_id=row.hour_key_id)
    key = PublicHourKey(**{f.name: getattr(again, f.name) for f in dataclasses.fields(PublicHourKey)})
    cache.offer([dataclasses.replace(again, signature=SIGNER.sign(key.statement()))])
    assert cache.key_for(CAMERA, HOUR).serial == 6
    assert cache.refused == 0


@pytest.mark.parametrize(("before_ns", "known"), [(HOUR_NS - 1, True), (HOUR_NS, False), (HOUR_NS + 1, False)])
def test_forgotten_are_exactly_the_hours_that_are_over(before_ns: int, known: bool) -> None:
    cache = HourKeyCache(PINNED)
    cache.offer([published(HOUR, 1), published(HOUR + HOUR_NS, 2)])
    cache.forget_before(HOUR + before_ns)
    assert (cache.ahead_ns(CAMERA, HOUR) == 2 * HOUR_NS) is known
    assert cache.ahead_ns(CAMERA, HOUR + HOUR_NS) == HOUR_NS


@pytest.mark.parametrize(
    ("hours", "ahead"),
    [([], 0), ([0], 1), ([1], 0), ([0, 1], 2), ([0, 2, 3], 1), ([0, 1, 2], 3)],
)
def test_keys_reach_ahead_to_the_first_hour_without_one(hours: list[int], ahead: int) -> None:
    cache = HourKeyCache(PINNED)
    cache.offer([published(HOUR + number * HOUR_NS, number + 1) for number in hours])
    assert cache.ahead_ns(CAMERA, HOUR) == ahead * HOUR_NS
    assert cache.ahead_ns(CAMERA, HOUR + HOUR_NS - 1) == (1 if ahead == 1 else max(0, (ahead - 1) * HOUR_NS + 1))


@pytest.mark.parametrize("state", ["draining", "dead", ""])
def test_hour_whose_newest_key_is_not_active_ends_what_lies_ahead(state: str) -> None:
    cache = HourKeyCache(PINNED)
    cache.offer([published(HOUR, 1), published(HOUR + HOUR_NS, 2), published(HOUR + HOUR_NS, 3, state=state)])
    assert cache.ahead_ns(CAMERA, HOUR) == HOUR_NS


def test_cache_file_is_written_only_when_something_changed(tmp_path: Path) -> None:
    path = tmp_path / "hour-keys"
    cache = HourKeyCache(PINNED, path)
    row = published(HOUR, 1)

    def written() -> bool:
        path.unlink(missing_ok=True)
        cache.save()
        return path.exists()

    assert not written()  # nothing was offered yet
    cache.offer([row])
    assert written()
    cache.offer([row])
    cache.forget_before(HOUR)
    assert not written()  # known, in the same state, and not over
    cache.offer([dataclasses.replace(row, state="draining")])
    assert written()
    cache.forget_before(HOUR + HOUR_NS)
    assert written()
    assert path.stat().st_size == 6 + 32


def test_cache_file_of_another_format_or_length_counts_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "hour-keys"
    cache = HourKeyCache(PINNED, path)
    cache.offer([published(HOUR, 1)])
    cache.save()
    body = path.read_bytes()[:-32]
    for other in (b"TLHK2\n" + body[6:], body[:-1], body + b"\0", b""):
        path.write_bytes(other + hashlib.sha256(other).digest())
        assert HourKeyCache(PINNED, path).damaged
    for length in (0, 31, 32):
        path.write_bytes(body[:length])
        assert HourKeyCache(PINNED, path).damaged


def test_signatures_are_verified_again_after_a_restart(tmp_path: Path) -> None:
    """Whoever can write the file cannot put a key into it."""
    path = tmp_path / "hour-keys"
    cache = HourKeyCache(PINNED, path)
    cache.offer([published(HOUR, 9, signer=Ed25519PrivateKey.generate())])
    cache.save()
    again = HourKeyCache(PINNED, path)
    assert not again.damaged
    with pytest.raises(NoHourKeyError):
        again.key_for(CAMERA, HOUR)
    assert again.refused == 1


def test_cache_without_a_file_saves_nothing() -> None:
    cache = HourKeyCache(PINNED)
    cache.offer([published(HOUR, 1)])
    cache.save()


class Looks(dict[Any, Any]):
    """The keys by camera and hour; counts the looks."""

    looks = 0

    def get(self, key: Any, default: Any = None) -> Any:
        self.looks += 1
        return super().get(key, default)


def test_hours_that_did_not_change_are_not_looked_at_again() -> None:
    cache = HourKeyCache(PINNED)
    rows = [published(HOUR + number * HOUR_NS, number + 1) for number in range(50)]
    cache._known = looks = Looks()
    cache.offer(rows[:48])

    def ahead_and_looks(time_ns: int) -> tuple[int, int]:
        looks.looks = 0
        return cache.ahead_ns(CAMERA, time_ns) // HOUR_NS, looks.looks

    assert ahead_and_looks(HOUR) == (48, 49)
    assert ahead_and_looks(HOUR) == (48, 1)
    assert ahead_and_looks(HOUR + 10 * HOUR_NS) == (38, 1)
    cache.offer(rows)  # two more
    assert ahead_and_looks(HOUR) == (50, 3)
    cache.forget_before(HOUR + 5 * HOUR_NS)
    assert ahead_and_looks(HOUR + 5 * HOUR_NS) == (45, 1)
    assert ahead_and_looks(HOUR) == (0, 1)  # the clock was set back
    assert ahead_and_looks(HOUR + 5 * HOUR_NS) == (45, 46)
    cache.offer([dataclasses.replace(rows[30], state="draining")])
    assert ahead_and_looks(HOUR + 5 * HOUR_NS) == (25, 1)
    cache.offer([rows[30]])
    assert ahead_and_looks(HOUR + 5 * HOUR_NS) == (45, 21)
    cache.offer([dataclasses.replace(rows[5], state="draining")])  # the first of those that were looked at
    assert ahead_and_looks(HOUR + 5 * HOUR_NS) == (0, 1)
