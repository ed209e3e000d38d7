"""An audit chain in memory, as the custodian's query reads it, and places that keep its signed heads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custodian.audit.chain import START, ChainEntry, Link, SignedHead, head_message
from runtime import sql

SIGNING = Ed25519PrivateKey.generate()
SIGNER = SIGNING.public_key().public_bytes_raw()


def signed(link: Link, signing: Ed25519PrivateKey = SIGNING, *, signed_ns: int = 5) -> SignedHead:
    return SignedHead(link=link, signed_ns=signed_ns, signature=signing.sign(head_message(link, signed_ns)))


class Trail:
    """The table of entries."""

    def __init__(self, count: int = 0) -> None:
        self.entries: list[dict[str, Any]] = []
        self.queries = 0
        self.append(count)

    def append(self, count: int = 1) -> int:
        for _ in range(count):
            seq = self.entries[-1]["seq"] + 1 if self.entries else 1
            previous = self.entries[-1]["hash"] if self.entries else bytes(32)
            self.put(seq, previous, b"line %d" % seq)
        return len(self.entries)

    def put(self, seq: int, previous: bytes, line: bytes) -> None:
        digest = hashlib.sha256(previous + line).digest()
        self.entries.append({"seq": seq, "previous": previous, "line": line, "hash": digest})

    def change(self, seq: int, *, hashed: bool = False) -> None:
        """Another text in this place; ``hashed``: with its own hash computed anew, as whoever writes the table can."""
        entry = self._at(seq)
        entry["line"] = b"forged " + entry["line"]
        if hashed:
            entry["hash"] = hashlib.sha256(entry["previous"] + entry["line"]).digest()

    def rewrite(self, seq: int) -> None:
        """Another entry in this place, and every later hash computed anew."""
        kept, self.entries = self.entries, self.entries[: seq - 1]
        for old in kept[seq - 1 :]:
            previous = self.entries[-1]["hash"] if self.entries else bytes(32)
            self.put(old["seq"], previous, b"forged " + old["line"])

    def remove(self, first: int, last: int) -> None:
        self.entries = [entry for entry in self.entries if not first <= entry["seq"] <= last]

    def link(self, seq: int) -> Link:
        return Link(seq=seq, hash=self._at(seq)["hash"]) if seq else START

    def chain(self) -> list[ChainEntry]:
        return [ChainEntry(**entry) for entry in self.entries]

    def heads(self, *numbers: int, signed_ns: int = 5) -> list[SignedHead]:
        return [signed(self.link(seq), signed_ns=signed_ns + seq) for seq in numbers]

    def _at(self, seq: int) -> dict[str, Any]:
        return next(entry for entry in self.entries if entry["seq"] == seq)

    async def fetch(self, statement: str, after: int, limit: int) -> Sequence[Mapping[str, Any]]:
        assert statement == sql.load("custodian.audit", "audit_entries")
        self.queries += 1
        return [entry for entry in self.entries if entry["seq"] > after][:limit]


class Shelf:
    """A place for heads that can fail."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.held: list[SignedHead] = []
        self.fault: Exception | None = None

    async def read(self) -> list[SignedHead]:
        if self.fault is not None:
            raise self.fault
        return list(self.held)

    async def add(self, head: SignedHead) -> None:
        if self.fault is not None:
            raise self.fault
        self.held.append(head)
