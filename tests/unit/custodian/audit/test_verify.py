"""Examining a chain names what is missing, changed or rewritten, and which place lost its heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custodian.audit.chain import START, Link, SignedHead
from custodian.audit.verify import LAG_NS, Examination, Finding, report
from tests.support.database.trail import SIGNER, Trail, signed

pytestmark = pytest.mark.trust
EVERY = tuple(range(11))
SPARSE = (0, 4, 8)
Heads = dict[str, Sequence[SignedHead]]


def kept(trail: Trail, numbers: Sequence[int] = EVERY) -> Heads:
    return {"The file": trail.heads(*numbers), "The bucket": trail.heads(*numbers)}


def examine(trail: Trail, heads: Heads, **more: Any) -> list[Finding]:
    examined = Examination(heads, SIGNER, **{"now_ns": 1000, **more})
    for entry in trail.chain():
        examined.push([entry])
    return examined.finish()


def told(findings: Sequence[Finding]) -> list[tuple[str, int, int]]:
    return [(one.kind, one.first, one.last) for one in findings]


@pytest.mark.parametrize("numbers", [EVERY, SPARSE, (0, 10)])
def test_whole_chain_with_its_heads_holds(numbers: Sequence[int]) -> None:
    trail = Trail(10)
    assert examine(trail, kept(trail, numbers)) == []
    assert examine(trail, kept(trail, numbers), remembered=trail.link(10)) == []


def test_chain_without_entries_holds_with_its_first_heads() -> None:
    trail = Trail()
    assert examine(trail, kept(trail, [0])) == []


@pytest.mark.parametrize(
    ("spoil", "numbers", "expected"),
    [
        (lambda trail: trail.remove(9, 10), EVERY, [("missing", 9, 10)]),
        (lambda trail: trail.remove(10, 10), EVERY, [("missing", 10, 10)]),
        (lambda trail: trail.remove(1, 10), EVERY, [("missing", 1, 10)]),
        (lambda trail: trail.remove(1, 2), EVERY, [("missing", 1, 2)]),
        (lambda trail: trail.remove(4, 5), EVERY, [("missing", 4, 5)]),
        (lambda trail: trail.remove(4, 5), (0, 10), [("missing", 4, 5)]),
        (lambda trail: trail.change(3), EVERY, [("changed", 3, 3)]),
        (lambda trail: trail.change(3), SPARSE, [("changed", 3, 3)]),
        (lambda trail: trail.change(10), EVERY, [("changed", 10, 10)]),
        (lambda trail: trail.change(3, hashed=True), EVERY, [("rewritten", 3, 3)]),
        (lambda trail: trail.change(6, hashed=True), SPARSE, [("rewritten", 5, 6)]),
        (lambda trail: trail.change(10, hashed=True), EVERY, [("rewritten", 10, 10)]),
        (lambda trail: trail.rewrite(3), (0, 2, 10), [("rewritten", 3, 10)]),
        (lambda trail: trail.rewrite(6), SPARSE, [("rewritten", 5, 8)]),
        (lambda trail: trail.rewrite(9), EVERY, [("rewritten", 9, 9), ("rewritten", 10, 10)]),
        (lambda trail: (trail.change(2), trail.remove(7, 7)), EVERY, [("changed", 2, 2), ("missing", 7, 7)]),
    ],
)
def test_entries_that_are_missing_changed_or_rewritten_are_named(
    spoil: Callable[[Trail], Any], numbers: Sequence[int], expected: list[tuple[str, int, int]]
) -> None:
    trail = Trail(10)
    heads = kept(trail, numbers)
    spoil(trail)
    findings = examine(trail, heads)
    assert told(findings) == expected
    for one in findings:
        assert f"{one.first}" in one.what
        assert f"{one.last}" in one.what


def test_entry_put_in_place_of_the_one_after_a_signed_head_is_named_itself() -> None:
    trail = Trail(10)
    heads = kept(trail, [0, 5])
    trail.entries[5]["previous"] = bytes(32)
    trail.change(6, hashed=True)
    assert ("rewritten", 6, 6) in told(examine(trail, heads))


def test_tail_cut_in_the_database_and_in_one_place_is_named_by_the_other() -> None:
    trail = Trail(10)
    heads: Heads = {"The file": trail.heads(*range(6)), "The bucket": trail.heads(*EVERY)}
    trail.remove(6, 10)
    findings = examine(trail, heads, now_ns=LAG_NS * 2)
    assert told(findings) == [("behind", 6, 10), ("missing", 6, 10)]
    assert findings[0].what.startswith("The file lacks the heads since")


def test_tail_cut_in_every_place_is_named_by_what_the_running_custodian_remembers() -> None:
    trail = Trail(10)
    remembered = trail.link(10)
    trail.remove(6, 10)
    assert examine(trail, kept(trail, range(6))) == []  # why it is asked
    assert told(examine(trail, kept(trail, range(6)), remembered=remembered)) == [("missing", 6, 10)]


@pytest.mark.parametrize("lost", ["The file", "The bucket"])
def test_place_without_heads_is_named_although_the_chain_is_whole(lost: str) -> None:
    trail = Trail(10)
    (finding,) = examine(trail, kept(trail) | {lost: []})
    assert finding.kind == "place"
    assert finding.what.startswith(f"{lost} holds no signed head")


def test_chain_without_any_head_does_not_hold() -> None:
    trail = Trail(10)
    assert [one.kind for one in examine(trail, {"The file": [], "The bucket": []})] == ["place", "place"]
    trail.rewrite(1)
    assert examine(trail, {"The file": [], "The bucket": []})


def test_place_that_cannot_be_read_and_a_single_place_are_named() -> None:
    trail = Trail(10)
    (unread,) = examine(trail, {"The file": trail.heads(*EVERY)}, unread={"The bucket": "It does not answer."})
    assert unread.what == "The bucket cannot be read. It does not answer."
    (single,) = examine(trail, {"The file": trail.heads(*EVERY)})
    assert single.what == "Signed heads are kept in one place only."


def test_place_may_lack_heads_of_the_last_minute_only() -> None:
    trail = Trail(10)
    heads: Heads = {"The file": trail.heads(*EVERY), "The bucket": trail.heads(0, 5)}
    oldest_lacking = next(head.signed_ns for head in heads["The file"] if head.link.seq == 6)
    assert examine(trail, heads, now_ns=oldest_lacking + LAG_NS) == []
    (behind,) = examine(trail, heads, now_ns=oldest_lacking + LAG_NS + 1)
    assert (behind.kind, behind.first, behind.last) == ("behind", 6, 6)


def test_head_that_the_custodian_did_not_sign_is_named_and_proves_nothing() -> None:
    trail = Trail(10)
    heads = kept(trail)
    other = Ed25519PrivateKey.generate()
    for place in heads:
        heads[place] = [signed(head.link, other) if head.link.seq == 10 else head for head in heads[place]]
    trail.rewrite(10)
    assert told(examine(trail, heads)) == [("forged", 10, 10)] * 2
    assert told(examine(trail, kept(trail, [0]) | {"The file": trail.heads(0, 10)})) == []


def test_two_signed_heads_of_one_entry_that_differ_are_named() -> None:
    trail = Trail(10)
    heads = kept(trail)
    heads["The bucket"] = [*heads["The bucket"], signed(Link(seq=4, hash=bytes([1]) * 32))]
    assert ("split", 4, 4) in told(examine(trail, heads))


def test_report_counts_what_is_kept_and_what_is_not_signed_yet() -> None:
    trail = Trail(10)
    heads = kept(trail, [0, 8])
    examined = Examination(heads, SIGNER, now_ns=1000)
    examined.push(trail.chain())
    assert report(examined.finish(), examined, heads) == {
        "ok": True,
        "entries": 10,
        "hash": trail.link(10).hash.hex(),
        "unsigned": 2,
        "lost": [],
        "signed_heads": {"The file": 2, "The bucket": 2},
        "findings": [],
    }
    assert Examination(heads, SIGNER, now_ns=1000).head == START
