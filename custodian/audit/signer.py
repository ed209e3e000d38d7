"""Signs the head of the audit chain before a look is answered, keeps the heads in every place, and watches the chain.

``cover()`` runs within a look: the key leaves only after a signed head that covers the look's entry is durable outside
the database. Looks that arrive together share one head. ``run_once()`` signs, each second, what other roles appended;
``pass_on()`` brings the newest head to a place that lacks it; ``sweep()`` follows the old part of the chain again and
again. All compare the database with what this process remembers, so that a change shows while it runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custodian.audit.chain import START, Link, SignedHead, follow, head_message
from custodian.audit.heads import HeadPlace
from custodian.audit.log import BATCH, batch_after, grown, require
from custodian.errors import BrokenAuditError, CustodianAwayError
from domain.errors import StorageError

_log = logging.getLogger(__name__)
_FAULTS: Final = (OSError, StorageError)  # of a place


@dataclass(slots=True)
class _Kept:
    """What is known of a place."""

    place: HeadPlace
    read: bool = False
    newest: SignedHead | None = None  # None, once read: the place holds no head
    compared: bool = False  # the database holds the entry of ``newest``, or did when it was signed
    using: asyncio.Lock = field(default_factory=asyncio.Lock)


class HeadSigner:
    """Bound to one database and signing key. ``places``: the one that answers fastest first."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        signing: Ed25519PrivateKey,
        places: Sequence[HeadPlace],
        *,
        clock_ns: Callable[[], int],
        begun: Callable[[], bool] = lambda: True,
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        """``begun``: False while the installation is new, so that a place without heads does not count as a loss;
        ``begin`` ends that state once every place holds a head."""
        self._pool = pool
        self._signing = signing
        self._signer = signing.public_key().public_bytes_raw()
        self._clock_ns = clock_ns
        self._begun, self._begin = begun, begin
        self._kept = [_Kept(place) for place in places]
        self._memory: Link | None = None
        self._newest: SignedHead | None = None
        self._signing_now = asyncio.Lock()
        self._swept = START

    @property
    def signed(self) -> Link:
        """The position of the newest signed head that this process knows; ``START``: none."""
        return self._newest.link if self._newest else START

    async def run_once(self) -> bool:
        """Verify the chain from what is remembered on, and sign its head if it has grown; whether it had.

        BrokenAuditError: the chain does not continue what is remembered, or no place holds a head any more.
        CustodianAwayError: no place takes the head. The database errors of runtime/errors.py.
        """
        async with self._signing_now:
            return await self._advance()

    async def cover(self, seq: int) -> None:
        """Return when a signed head that covers this entry is durable in a place. Errors as of ``run_once()``.

        A chain that is broken is not signed any further; looks stay possible while the alarm says so.
        """
        async with self._signing_now:
            if self.signed.seq >= seq:
                return
            try:
                await self._advance()
            except BrokenAuditError as error:
                _log.error("audit entry %d is not signed: %s", seq, error)

    async def pass_on(self, place: HeadPlace) -> None:
        """Bring the newest head to ``place``. BrokenAuditError: the place has lost its heads, or holds another's."""
        kept = next(one for one in self._kept if one.place is place)
        async with kept.using:
            await self._read(kept)
        if kept.newest is None and self._begun():
            raise BrokenAuditError(
                f"{place.name} holds no signed heads of the audit chain.",
                "They were removed, or the place is a new one. Run `tallenne audit verify`; then"
                " `tallenne audit restore-heads` copies them from the other place, on record.",
            )
        async with self._signing_now:
            self._remember(kept)
        async with kept.using:
            await self._add(kept)
        if all(one.newest is not None for one in self._kept):
            self._begin()

    async def restore(self) -> int:
        """Copy to every place what only other places hold; how many heads were copied. For the operator."""
        heads: dict[str, list[SignedHead]] = {}
        for kept in self._kept:
            async with kept.using:
                heads[kept.place.name] = await kept.place.read()
        known = {head for held in heads.values() for head in held}
        copied = 0
        for kept in self._kept:
            missing = sorted(known - set(heads[kept.place.name]), key=lambda head: (head.link.seq, head.signed_ns))
            async with kept.using:
                for head in missing:
                    head.check(self._signer)
                    await kept.place.add(head)
                kept.read, kept.compared = False, False  # read anew, and compared with the database
            copied += len(missing)
        return copied

    async def sweep(self) -> None:
        """Follow the next batch of the chain, from its first entry again after its last. BrokenAuditError."""
        entries = await batch_after(self._pool, self._swept.seq, BATCH)
        at = follow(entries, self._swept, signer=self._signer)
        if len(entries) < BATCH and at.seq < self.signed.seq:
            raise BrokenAuditError(
                f"Audit entries {at.seq + 1} to {self.signed.seq} are missing.",
                "The database was changed or rolled back: `tallenne audit verify` compares it with every signed head.",
            )
        self._swept = at if len(entries) == BATCH else START

    async def _advance(self) -> bool:
        if self._memory is None:
            await self._start()
        memory = self._memory or START
        head = await grown(self._pool, memory, signer=self._signer)
        if head == memory and self._newest is not None:
            return False
        signed_ns = self._clock_ns()
        signature = self._signing.sign(head_message(head, signed_ns))
        signed = SignedHead(link=head, signed_ns=signed_ns, signature=signature)
        self._newest = await self._keep(signed)
        self._memory = head
        return True

    async def _start(self) -> None:
        """Remember the newest head of the first place that has one: a database that fell behind it does not pass.

        ``pass_on()`` compares the other places, so that a look does not wait for a store that is away.
        """
        failed: Exception | None = None
        for kept in self._kept:
            try:
                async with kept.using:
                    await self._read(kept)
            except BrokenAuditError:
                raise
            except _FAULTS as error:
                failed = failed or error
            self._remember(kept)
            if self._memory is not None:
                return
        if self._begun():
            raise failed or BrokenAuditError(
                "No place holds a signed head of the audit chain any more.",
                "Restore the file of signed heads from a copy.",
            )

    def _remember(self, kept: _Kept) -> None:
        """Go on from the place's newest head where it is ahead of what is remembered."""
        if kept.newest is not None and (self._newest is None or kept.newest.link.seq > self._newest.link.seq):
            self._newest, self._memory = kept.newest, kept.newest.link

    async def _read(self, kept: _Kept) -> None:
        """BrokenAuditError: the newest head is not the custodian's, or the database no longer holds its entry."""
        if not kept.read:
            kept.newest = max(await kept.place.read(), key=_number, default=None)
            kept.read = True
        if kept.newest is not None and not kept.compared:
            kept.newest.check(self._signer)  # so that writing to the place skips no entries
            await require(self._pool, kept.newest.link)
            kept.compared = True

    async def _keep(self, head: SignedHead) -> SignedHead:
        """Write the head to the first place that takes it. CustodianAwayError: none does."""
        refused: list[str] = []
        for kept in self._kept:
            if kept.newest is None and self._begun():
                continue  # it lost its heads: see pass_on()
            try:
                async with kept.using:
                    await self._put(kept, head)
                return head
            except _FAULTS as error:
                refused.append(f"{kept.place.name}: {error}")
        raise CustodianAwayError(
            f"The head of the audit chain cannot be kept outside the database. {' '.join(refused)}".strip(),
            "Make room on the disk of the file of heads, or bring the object store back.",
        )

    async def _add(self, kept: _Kept) -> None:
        head = self._newest
        if head is not None and (kept.newest is None or kept.newest.link.seq < head.link.seq):
            await self._put(kept, head)

    async def _put(self, kept: _Kept, head: SignedHead) -> None:
        await kept.place.add(head)
        kept.newest, kept.read, kept.compared = head, True, True


def _number(head: SignedHead) -> int:
    return head.link.seq
