"""Where signed heads are kept: a file of the custodian's, and the object store's bucket, which has another owner.

A database that was rolled back or rewritten shows in the heads; a place that was cut or emptied shows in the other
place. A time stamp of a third party would be one more ``HeadPlace``.

In the bucket a head is the *name* of an object: ``heads/<seq>.<signed_ns>.<hash>.<signature>``. The custodian's user of
the store may create objects there and delete none, and to write one again changes no name, so that a head that was
written stays. Verification lists names and reads no object.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from custodian.audit.chain import Link, SignedHead
from custodian.errors import BrokenAuditError
from runtime.private_files import sync_directory
from storage.store import ObjectStore

PREFIX: Final = "heads/"
_LINE_MAX_BYTES: Final = 4096
_DIGITS: Final = 20  # of the largest u64: names sort by number


class HeadPlace(Protocol):
    """Keeps signed heads. The methods raise OSError or the errors of the store; BrokenAuditError: it is damaged."""

    @property
    def name(self) -> str:
        """The place for people, as a sentence begins with it."""
        ...

    async def read(self) -> list[SignedHead]:
        """Return all heads, oldest first; none when there is no such place. Signatures are not verified."""
        ...

    async def add(self, head: SignedHead) -> None:
        """Keep one more. Durable on return."""
        ...


class HeadFile:
    """One line of JSON a head, appended. The file belongs on another disk or machine than the database."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """See ``HeadPlace``."""
        return f"The file {self._path}"

    async def read(self) -> list[SignedHead]:
        """See ``HeadPlace``. A torn last line, which a crash leaves, is ignored."""
        try:
            text = await asyncio.to_thread(self._path.read_text, encoding="ascii")
            lines = text.split("\n")
            return [_head_from(json.loads(line)) for line in lines[:-1] if line]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError):
            raise BrokenAuditError(f"{self.name} is damaged.", "Restore the file of signed audit heads.") from None

    async def add(self, head: SignedHead) -> None:
        """See ``HeadPlace``."""
        await asyncio.to_thread(_append_line, self._path, _line(head))


class HeadBucket:
    """One object a head, whose name says it all."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @property
    def name(self) -> str:
        """See ``HeadPlace``."""
        return "The object store's bucket"

    async def read(self) -> list[SignedHead]:
        """See ``HeadPlace``."""
        async with aclosing(self._store.list(PREFIX)) as listed:
            return [head_named(info.name) async for info in listed]

    async def add(self, head: SignedHead) -> None:
        """See ``HeadPlace``."""
        body = _line(head)
        await self._store.put_new(name_of(head), body, size_bytes=len(body), sha256=hashlib.sha256(body).digest())


def name_of(head: SignedHead) -> str:
    """Return the name of the object that is this head."""
    digest, signature = (urlsafe_b64encode(raw).decode().rstrip("=") for raw in (head.link.hash, head.signature))
    return f"{PREFIX}{head.link.seq:0{_DIGITS}d}.{head.signed_ns:0{_DIGITS}d}.{digest}.{signature}"


def head_named(name: str) -> SignedHead:
    """Return the head that is named so. BrokenAuditError: no head is."""
    try:
        seq, signed_ns, digest, signature = name.removeprefix(PREFIX).split(".")
        head = SignedHead(
            link=Link(seq=int(seq), hash=urlsafe_b64decode(digest + "=")),
            signed_ns=int(signed_ns),
            signature=urlsafe_b64decode(signature + "=="),
        )
        if name_of(head) != name:
            raise ValueError
    except ValueError:
        raise BrokenAuditError(
            f"The bucket holds {name!r}, which is not a signed head.", "Find out who writes there beside the custodian."
        ) from None
    return head


def _line(head: SignedHead) -> bytes:
    body = {
        "seq": head.link.seq,
        "hash": head.link.hash.hex(),
        "signed_ns": head.signed_ns,
        "signature": head.signature.hex(),
    }
    return json.dumps(body).encode("ascii") + b"\n"


def _head_from(body: Mapping[str, Any]) -> SignedHead:
    return SignedHead(
        link=Link(seq=body["seq"], hash=bytes.fromhex(body["hash"])),
        signed_ns=body["signed_ns"],
        signature=bytes.fromhex(body["signature"]),
    )


def _append_line(path: Path, line: bytes) -> None:
    fresh = not path.exists()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+b") as file:
        file.truncate(_whole_lines(file))
        file.write(line)
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
