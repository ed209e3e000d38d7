"""The audit chain in the database: signing its head, keeping the signed heads outside the database, verifying both.

storage/catalogue/audit.py appends the entries. The heads' file detects what the chain alone cannot: a database that
was rolled back, or rewritten from some entry on with recomputed hashes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custodian.audit.chain import START, ChainEntry, Link, SignedHead, follow, head_message
from custodian.errors import BrokenAuditError
from runtime import sql
from runtime.database import wrapped_errors
from runtime.private_files import sync_directory

_PACKAGE: Final = "custodian.audit"
_BATCH: Final = 5000
_LINE_MAX_BYTES: Final = 4096


async def follow_from(conn: asyncpg.Connection | asyncpg.Pool, start: Link) -> Link:
    """Verify every entry after ``start`` and return the chain's head. BrokenAuditError: an entry is wrong or missing.

    Reads a batch at a time: memory does not grow with the chain. Raises the database errors of runtime/errors.py.
    """
    while True:
        with wrapped_errors():
            rows = await conn.fetch(sql.load(_PACKAGE, "audit_entries"), start.seq, _BATCH)
        start = follow((ChainEntry(**row) for row in rows), start)
        if len(rows) < _BATCH:
            return start


class HeadSigner:
    """Signs the chain's head whenever the chain has grown, and appends each signed head to a file.

    The file belongs on another disk or machine than the database.
    """

    def __init__(
        self, pool: asyncpg.Pool, signing: Ed25519PrivateKey, heads: Path, *, clock_ns: Callable[[], int]
    ) -> None:
        self._pool = pool
        self._signing = signing
        self._heads = heads
        self._clock_ns = clock_ns
        self._last: Link | None = None

    @property
    def last_seq(self) -> int:
        """Number of the newest entry that a signed head covers; 0: none yet."""
        return self._last.seq if self._last else 0

    async def run_once(self) -> bool:
        """Verify the chain from the last signed head on, and sign its new head if it has grown.

        Returns whether a head was signed. After a start the last signed head is the newest one in the file, so that a
        database that was rolled back behind it does not pass. BrokenAuditError: the chain does not continue the last
        signed head. OSError: the file cannot be written.
        """
        last = self._last or _newest(read_heads(self._heads), self._signing.public_key().public_bytes_raw())
        await self._require(last)
        head = await follow_from(self._pool, last)
        self._last = last
        if head == last:
            return False
        signed_ns = self._clock_ns()
        signed = SignedHead(link=head, signed_ns=signed_ns, signature=self._signing.sign(head_message(head, signed_ns)))
        with wrapped_errors():
            await self._pool.execute(
                sql.load(_PACKAGE, "audit_add_head"), head.seq, head.hash, signed_ns, signed.signature
            )
        _append_head(self._heads, signed)
        self._last = head
        return True

    async def _require(self, link: Link) -> None:
        if link != START:
            await require_link(self._pool, link)


async def require_link(conn: asyncpg.Connection | asyncpg.Pool, link: Link) -> None:
    """BrokenAuditError unless the database still holds the entry with this number and hash."""
    with wrapped_errors():
        rows = await conn.fetch(sql.load(_PACKAGE, "audit_entries"), link.seq - 1, 1)
    if not rows or (rows[0]["seq"], rows[0]["hash"]) != (link.seq, link.hash):
        raise BrokenAuditError(
            f"Audit entry {link.seq} is no longer what the custodian signed.",
            "The database was changed or rolled back: compare it with its backups and the file of signed heads.",
        )


async def verify_audit(conn: asyncpg.Connection | asyncpg.Pool, heads: Sequence[SignedHead], signer: bytes) -> Link:
    """Verify the whole chain and compare it with every signed head. Returns the chain's head.

    ``signer``: the custodian's Ed25519 public key, 32 bytes. BrokenAuditError: a head's signature does not verify, an
    entry under a head was changed or removed, or the chain has a fault.
    """
    for head in heads:
        head.check(signer)
        await require_link(conn, head.link)
    return await follow_from(conn, START)


def read_heads(path: Path) -> list[SignedHead]:
    """Return the heads in the file, oldest first; none when the file does not exist. Signatures are not verified.

    A torn last line, which a crash leaves, is ignored. BrokenAuditError: any other line is damaged.
    """
    try:
        lines = path.read_text(encoding="ascii").split("\n")
    except FileNotFoundError:
        return []
    try:
        return [_head_from(json.loads(line)) for line in lines[:-1] if line]
    except (ValueError, KeyError, TypeError):
        raise BrokenAuditError(f"{path} is damaged.", "Restore the file of signed audit heads.") from None


def _head_from(body: Mapping[str, Any]) -> SignedHead:
    return SignedHead(
        link=Link(seq=body["seq"], hash=bytes.fromhex(body["hash"])),
        signed_ns=body["signed_ns"],
        signature=bytes.fromhex(body["signature"]),
    )


def _newest(heads: Sequence[SignedHead], signer: bytes) -> Link:
    """Return the newest head's link. Its signature is verified, so that writing the file skips no entries."""
    if not heads:
        return START
    newest = max(heads, key=lambda head: head.link.seq)
    newest.check(signer)
    return newest.link


def _append_head(path: Path, head: SignedHead) -> None:
    line = json.dumps(
        {
            "seq": head.link.seq,
            "hash": head.link.hash.hex(),
            "signed_ns": head.signed_ns,
            "signature": head.signature.hex(),
        }
    )
    fresh = not path.exists()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+b") as file:
        file.truncate(_whole_lines(file))
        file.write(line.encode("ascii") + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if fresh:
        sync_directory(path.parent)


def _whole_lines(file: BinaryIO) -> int:
    """Return the offset right after the last complete line; what follows, a crash left torn."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _LINE_MAX_BYTES)
    file.seek(start)
    return start + file.read().rfind(b"\n") + 1
