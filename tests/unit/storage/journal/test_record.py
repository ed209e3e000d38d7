"""A record is what its signer wrote, under the one name that follows from it, or it is refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.time import HOUR_NS
from storage.journal import BadRecordError, JournalKind, parse_record_name
from storage.journal.names import RecordName
from storage.journal.record import open_record, pack_record

AT_NS = 500_000 * HOUR_NS + 5
ROWS = [{"a": 1, "b": "ä"}, {"a": 1 << 62, "b": None}]
KEY, STRANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
SIGNER = KEY.public_key().public_bytes_raw()


def packed(kind: JournalKind = JournalKind.GAP, key: Ed25519PrivateKey = KEY) -> tuple[RecordName, bytes]:
    name, data = pack_record(kind, AT_NS, ROWS, key.public_key().public_bytes_raw(), key.sign)
    parsed = parse_record_name(name)
    assert parsed is not None
    return parsed, data


def test_record_comes_back_as_it_was_written() -> None:
    name, data = packed()
    record = open_record(name, data, {SIGNER})
    assert (record.kind, record.hour_ns, record.signer) == (JournalKind.GAP, 500_000 * HOUR_NS, SIGNER)
    assert record.rows == ROWS


def test_same_rows_have_the_same_name_and_bytes() -> None:
    """Written again after a crash, a record changes nothing."""
    assert packed() == packed()


def test_every_changed_bit_is_refused() -> None:
    name, data = packed()
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadRecordError):
            open_record(name, bytes(changed), {SIGNER})


def test_every_truncation_is_refused() -> None:
    name, data = packed()
    for length in range(len(data)):
        with pytest.raises(BadRecordError):
            open_record(name, data[:length], {SIGNER})


def test_stranger_may_not_sign() -> None:
    name, data = packed(key=STRANGER)
    with pytest.raises(BadRecordError, match="signer"):
        open_record(name, data, {SIGNER})
    assert open_record(name, data, {STRANGER.public_key().public_bytes_raw()}).rows == ROWS


@pytest.mark.parametrize(
    "other",
    [
        {"kind": JournalKind.EPOCH, "hour_ns": 500_000 * HOUR_NS},
        {"kind": JournalKind.GAP, "hour_ns": 500_001 * HOUR_NS},
        {"kind": JournalKind.GAP, "hour_ns": 500_000 * HOUR_NS, "digest": "0" * 32},
    ],
)
def test_genuine_record_under_another_name_is_refused(other: dict[str, object]) -> None:
    name, data = packed()
    with pytest.raises(BadRecordError, match="another name"):
        open_record(RecordName(**({"digest": name.digest} | other)), data, {SIGNER})  # type: ignore[arg-type]
