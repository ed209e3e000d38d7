"""The chain: whatever is changed, removed, added or put in another order is found, and where."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custodian.audit.chain import START, ChainEntry, Link, SignedHead, follow, head_message
from custodian.errors import BrokenAuditError

SIGNING = Ed25519PrivateKey.generate()
SIGNER = SIGNING.public_key().public_bytes_raw()


def entry(seq: int, previous: bytes, line: bytes) -> ChainEntry:
    """An entry whose own hash is right."""
    return ChainEntry(seq=seq, previous=previous, line=line, hash=hashlib.sha256(previous + line).digest())


def chain(count: int, start: Link = START) -> list[ChainEntry]:
    entries, at = [], start
    for seq in range(start.seq + 1, start.seq + count + 1):
        entries.append(entry(seq, at.hash, b"line %d" % seq))
        at = Link(seq=seq, hash=entries[-1].hash)
    return entries


def test_chain_is_followed_to_its_last_entry() -> None:
    entries = chain(5)
    assert follow(entries) == Link(seq=5, hash=entries[-1].hash)
    assert follow([]) == START
    middle = Link(seq=3, hash=entries[2].hash)
    assert follow(entries[3:], middle) == follow(entries)
    assert follow([], middle) == middle


def test_hash_is_over_the_previous_one_and_the_line() -> None:
    (first,) = chain(1)
    assert first.hash == hashlib.sha256(bytes(32) + b"line 1").digest()
    assert follow([first]).hash == first.hash


@pytest.mark.parametrize("number", range(5))
def test_changed_entry_is_found(number: int) -> None:
    entries = chain(5)
    entries[number] = replace(entries[number], line=b"something else")
    with pytest.raises(BrokenAuditError, match=f"entry {number + 1} was changed"):
        follow(entries)


@pytest.mark.parametrize("number", range(4))
def test_rewritten_entry_whose_hash_was_recomputed_is_found_by_the_next(number: int) -> None:
    """Whoever can write the database can compute hashes too."""
    entries = chain(5)
    entries[number] = entry(number + 1, entries[number].previous, b"something else")
    with pytest.raises(BrokenAuditError, match=f"entry {number + 2} does not follow"):
        follow(entries)


def test_entry_that_states_another_predecessor_is_found_although_its_own_hash_is_right() -> None:
    entries = chain(5)
    entries[3] = entry(4, bytes(32), entries[3].line)
    with pytest.raises(BrokenAuditError, match="entry 4 does not follow"):
        follow(entries)
    with pytest.raises(BrokenAuditError, match="entry 1 does not follow"):
        follow([entry(1, bytes([1]) * 32, b"line 1")])


@pytest.mark.parametrize("number", range(4))
def test_removed_entry_is_found(number: int) -> None:
    entries = chain(5)
    del entries[number]
    with pytest.raises(BrokenAuditError, match=f"entry {number + 1} is missing"):
        follow(entries)


def test_entry_twice_and_entries_in_another_order_are_found() -> None:
    entries = chain(3)
    for wrong in ([*entries[:2], entries[1]], [entries[0], entries[2], entries[1]], [replace(entries[0], seq=0)]):
        with pytest.raises(BrokenAuditError, match="is missing"):
            follow(wrong)


def test_chain_rewritten_from_an_entry_on_holds_by_itself_and_ends_elsewhere() -> None:
    """Why heads are signed and kept elsewhere."""
    entries = chain(5)
    head = follow(entries)
    rewritten = entries[:2]
    for seq in (3, 4, 5):
        rewritten.append(entry(seq, rewritten[-1].hash, b"other %d" % seq))
    assert follow(rewritten).seq == head.seq
    assert follow(rewritten) != head


def test_head_that_the_custodian_signed_passes_and_any_other_does_not() -> None:
    link = follow(chain(3))
    head = SignedHead(link=link, signed_ns=99, signature=SIGNING.sign(head_message(link, 99)))
    head.check(SIGNER)
    for changed in (
        replace(head, signed_ns=98),
        replace(head, link=replace(link, seq=4)),
        replace(head, link=replace(link, hash=bytes(32))),
        replace(head, signature=bytes(64)),
        replace(head, signature=Ed25519PrivateKey.generate().sign(head_message(link, 99))),
    ):
        with pytest.raises(BrokenAuditError, match="not the custodian's"):
            changed.check(SIGNER)


def test_signed_message_is_laid_out_as_the_module_says() -> None:
    link = Link(seq=1, hash=bytes([7]) * 32)
    expected = b"tallenne/1 audit head" + (1).to_bytes(8, "big") + link.hash + (2).to_bytes(8, "big")
    assert head_message(link, 2) == expected
