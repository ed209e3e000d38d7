"""Signed heads: kept in a file, compared with the chain, believed only with the custodian's signature."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custodian.audit.chain import START, Link, SignedHead, head_message
from custodian.audit.log import HeadSigner, read_heads, verify_audit
from custodian.errors import BrokenAuditError
from runtime import sql

SIGNING = Ed25519PrivateKey.generate()
SIGNER = SIGNING.public_key().public_bytes_raw()


class Trail:
    """The table of entries in memory, as the chain's query reads it."""

    def __init__(self, count: int = 0) -> None:
        self.entries: list[dict[str, Any]] = []
        self.heads: list[tuple[Any, ...]] = []
        self.append(count)

    def append(self, count: int) -> None:
        for _ in range(count):
            seq = len(self.entries) + 1
            previous = self.entries[-1]["hash"] if self.entries else bytes(32)
            self.put(seq, previous, b"line %d" % seq)

    def put(self, seq: int, previous: bytes, line: bytes) -> None:
        digest = hashlib.sha256(previous + line).digest()
        self.entries.append({"seq": seq, "previous": previous, "line": line, "hash": digest})

    def rewrite(self, seq: int) -> None:
        """Another entry in this place, and every later hash computed anew."""
        kept, self.entries = self.entries, self.entries[: seq - 1]
        for old in kept[seq - 1 :]:
            previous = self.entries[-1]["hash"] if self.entries else bytes(32)
            self.put(old["seq"], previous, b"forged " + old["line"])

    def link(self, seq: int) -> Link:
        return Link(seq=seq, hash=self.entries[seq - 1]["hash"])

    async def fetch(self, statement: str, after: int, limit: int) -> Sequence[Mapping[str, Any]]:
        assert statement == sql.load("custodian.audit", "audit_entries")
        return [entry for entry in self.entries if entry["seq"] > after][:limit]

    async def execute(self, statement: str, *arguments: Any) -> str:
        assert statement == sql.load("custodian.audit", "audit_add_head")
        self.heads.append(arguments)
        return ""


def signed(link: Link, signing: Ed25519PrivateKey = SIGNING) -> SignedHead:
    return SignedHead(link=link, signed_ns=5, signature=signing.sign(head_message(link, 5)))


def signer_of(trail: Trail, path: Path) -> HeadSigner:
    return HeadSigner(trail, SIGNING, path, clock_ns=lambda: 99)


async def test_head_is_signed_when_the_chain_has_grown_and_kept_in_both_places(tmp_path: Path) -> None:
    trail, path = Trail(3), tmp_path / "heads" / "audit"
    signer = signer_of(trail, path)
    assert signer.last_seq == 0
    assert await signer.run_once()
    assert not await signer.run_once()
    trail.append(2)
    assert await signer.run_once()
    assert signer.last_seq == 5
    heads = read_heads(path)
    assert [head.link for head in heads] == [trail.link(3), trail.link(5)]
    assert [(seq, digest) for seq, digest, *_ in trail.heads] == [(head.link.seq, head.link.hash) for head in heads]
    for head in heads:
        head.check(SIGNER)
        assert head.signed_ns == 99
    assert await verify_audit(trail, heads, SIGNER) == trail.link(5)


async def test_empty_chain_has_no_head(tmp_path: Path) -> None:
    assert not await signer_of(Trail(), tmp_path / "heads").run_once()
    assert read_heads(tmp_path / "heads") == []
    assert await verify_audit(Trail(), [], SIGNER) == START


async def test_signer_that_starts_again_goes_on_from_the_newest_head_in_the_file(tmp_path: Path) -> None:
    trail, path = Trail(3), tmp_path / "heads"
    await signer_of(trail, path).run_once()
    trail.append(1)
    await signer_of(trail, path).run_once()
    assert not await signer_of(trail, path).run_once()
    assert [head.link.seq for head in read_heads(path)] == [3, 4]


@pytest.mark.parametrize("change", ["rolled back", "rewritten", "emptied"])
async def test_database_that_fell_behind_its_signed_head_is_noticed(tmp_path: Path, change: str) -> None:
    trail, path = Trail(5), tmp_path / "heads"
    running = signer_of(trail, path)
    await running.run_once()
    if change == "rolled back":
        del trail.entries[4:]
    elif change == "rewritten":
        trail.rewrite(2)
    else:
        trail.entries.clear()
    for signer in (running, signer_of(trail, path)):
        with pytest.raises(BrokenAuditError, match="entry 5 is no longer"):
            await signer.run_once()
    with pytest.raises(BrokenAuditError, match="entry 5 is no longer"):
        await verify_audit(trail, read_heads(path), SIGNER)
    assert len(read_heads(path)) == 1  # nothing was signed since


async def test_head_in_the_file_that_the_custodian_did_not_sign_is_refused_at_the_start(tmp_path: Path) -> None:
    """Whoever rewrites the chain and the file would have the signer go on behind the rewritten part."""
    trail, path = Trail(5), tmp_path / "heads"
    forged = signed(trail.link(5), Ed25519PrivateKey.generate())
    path.write_text(line_of(forged))
    with pytest.raises(BrokenAuditError, match="not the custodian's"):
        await signer_of(trail, path).run_once()
    assert read_heads(path) == [forged]
    assert trail.heads == []


async def test_every_head_is_verified_not_only_the_newest(tmp_path: Path) -> None:
    trail = Trail(5)
    forged = signed(trail.link(3), Ed25519PrivateKey.generate())
    with pytest.raises(BrokenAuditError, match="entry 3 is not the custodian's"):
        await verify_audit(trail, [forged, signed(trail.link(5))], SIGNER)


async def test_entries_behind_the_last_head_are_verified_too() -> None:
    trail = Trail(5)
    heads = [signed(trail.link(3))]
    trail.entries[4]["line"] = b"something else"
    with pytest.raises(BrokenAuditError, match="entry 5 was changed"):
        await verify_audit(trail, heads, SIGNER)


async def test_long_chain_is_read_in_batches_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custodian.audit.log._BATCH", 4)
    for count in (3, 4, 5, 8, 9):
        trail = Trail(count)
        assert await verify_audit(trail, [], SIGNER) == trail.link(count)


def line_of(head: SignedHead) -> str:
    body = {
        "seq": head.link.seq,
        "hash": head.link.hash.hex(),
        "signed_ns": head.signed_ns,
        "signature": head.signature.hex(),
    }
    return json.dumps(body) + "\n"


def test_torn_last_line_is_no_head_and_any_other_damage_is_an_error(tmp_path: Path) -> None:
    path, head = tmp_path / "heads", signed(Link(seq=3, hash=bytes(32)))
    assert read_heads(path) == []
    path.write_text(line_of(head) + line_of(head)[:-5])
    assert read_heads(path) == [head]
    for damaged in ("{}\n", "no JSON\n", '{"seq": 1, "hash": "zz", "signed_ns": 1, "signature": ""}\n', "[]\n"):
        path.write_text(line_of(head) + damaged + line_of(head))
        with pytest.raises(BrokenAuditError, match="damaged"):
            read_heads(path)


async def test_line_that_a_crash_left_torn_is_cut_before_the_next_head(tmp_path: Path) -> None:
    trail, path = Trail(3), tmp_path / "heads"
    await signer_of(trail, path).run_once()
    whole = path.read_bytes()
    trail.append(1)
    path.write_bytes(whole + b'{"seq": 4, "ha')
    await signer_of(trail, path).run_once()
    assert path.read_bytes().startswith(whole)
    assert [head.link.seq for head in read_heads(path)] == [3, 4]
