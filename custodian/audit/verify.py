"""Examines a whole chain against every signed head: entries missing, changed or rewritten, and places that lack heads.

Pure: entries come from the database or from an export of it, heads from the places that keep them. Where ``follow()``
stops at the first fault, this goes on to the end and names each one.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from custodian.audit.chain import START, ChainEntry, Link, SignedHead, resumes
from custodian.errors import BrokenAuditError
from domain.time import MINUTE_NS, to_iso

LAG_NS: Final = MINUTE_NS
"""A place may lack heads that are younger: the custodian brings each head to every place within seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that does not hold: ``kind`` is missing, changed, rewritten, forged, split, place or behind."""

    kind: str
    what: str
    first: int = 0  # numbers of entries, both included; 0: it concerns no entry
    last: int = 0


class Examination:
    """``push()`` the entries in order, then ``finish()``."""

    def __init__(
        self,
        heads: Mapping[str, Sequence[SignedHead]],
        signer: bytes,
        *,
        unread: Mapping[str, str] = MappingProxyType({}),
        remembered: Link = START,
        now_ns: int,
    ) -> None:
        """``heads``: by the place that keeps them. ``unread``: places that cannot be read, and why.

        ``remembered``: what the running custodian says it signed last.
        """
        self._findings: list[Finding] = []
        self._signed: defaultdict[int, set[bytes]] = defaultdict(set)
        genuine = {name: self._genuine(name, held, signer) for name, held in heads.items()}
        self._findings += _about_places(genuine, unread, now_ns)
        for link in {head.link for held in genuine.values() for head in held} | {remembered}:
            if link != START:
                self._signed[link.seq].add(link.hash)
        self._findings += [
            Finding(kind="split", what=f"The custodian signed two different entries {seq}.", first=seq, last=seq)
            for seq, hashes in sorted(self._signed.items())
            if len(hashes) > 1
        ]
        self._signer = signer
        self.lost: list[tuple[int, int]] = []  # numbers of entries that a restoration lost, on record
        self._at = START
        self._confirmed = 0  # up to here entries are known to be what was signed
        self._suspect_end = 0  # rewritten entries up to here are named already

    @property
    def head(self) -> Link:
        """The last entry so far."""
        return self._at

    @property
    def unsigned(self) -> int:
        """How many of the last entries no signed head covers yet."""
        return self._at.seq - min(self._at.seq, max(self._signed, default=0))

    def push(self, entries: Iterable[ChainEntry]) -> None:
        """Examine the next entries."""
        for entry in entries:
            self._link(entry)
            if entry.hash != hashlib.sha256(entry.previous + entry.line).digest():
                self._entry_fault("changed", entry.seq, entry.seq, "was changed after it was written")
            self._at = Link(seq=entry.seq, hash=entry.hash)
            if entry.seq in self._signed:
                self._compare(entry)

    def finish(self) -> list[Finding]:
        """Everything that does not hold; nothing: the chain does."""
        last = max(self._signed, default=0)
        if last > self._at.seq:
            self._missing(self._at.seq + 1, last)
        return self._findings

    def _link(self, entry: ChainEntry) -> None:
        if resumes(entry, self._at, self._signer):
            self.lost.append((self._at.seq + 1, entry.seq - 1))
            self._confirmed = entry.seq - 1
            if entry.previous not in self._signed.get(entry.seq - 1, {entry.previous}):
                self._entry_fault("changed", entry.seq, entry.seq, "does not go on from the signed head before it")
        elif entry.seq != self._at.seq + 1:
            self._missing(self._at.seq + 1, entry.seq - 1)
            self._confirmed = entry.seq - 1  # what the missing ones were, their neighbour cannot say
        elif entry.previous != self._at.hash and self._suspect_end < self._at.seq:
            # The entry names another predecessor than the one that stands there. Those since the last signed head were
            # rewritten; where a head confirms the predecessor itself, it is this entry.
            if self._confirmed < self._at.seq:
                self._rewritten(self._confirmed + 1, self._at.seq)
                self._confirmed = self._at.seq
            else:
                self._rewritten(entry.seq, entry.seq)

    def _compare(self, entry: ChainEntry) -> None:
        if entry.hash not in self._signed[entry.seq]:
            self._rewritten(self._confirmed + 1, entry.seq)
        self._confirmed = entry.seq

    def _missing(self, first: int, last: int) -> None:
        self._entry_fault("missing", first, last, "is missing" if first == last else "are missing")

    def _rewritten(self, first: int, last: int) -> None:
        first = max(first, self._suspect_end + 1)
        if first <= last:
            self._suspect_end = last
            said = "was rewritten" if first == last else "were rewritten, at least one of them"
            self._entry_fault("rewritten", first, last, said)

    def _entry_fault(self, kind: str, first: int, last: int, said: str) -> None:
        which = f"Audit entry {first}" if first == last else f"Audit entries {first} to {last}"
        self._findings.append(Finding(kind=kind, what=f"{which} {said}.", first=first, last=last))

    def _genuine(self, name: str, heads: Sequence[SignedHead], signer: bytes) -> list[SignedHead]:
        genuine = []
        for head in heads:
            try:
                head.check(signer)
            except BrokenAuditError as error:
                seq = head.link.seq
                self._findings.append(Finding(kind="forged", what=f"{name}: {error.what}", first=seq, last=seq))
            else:
                genuine.append(head)
        return genuine


def _about_places(heads: Mapping[str, Sequence[SignedHead]], unread: Mapping[str, str], now_ns: int) -> list[Finding]:
    """A place without heads, and one that lacks those that another place has had for a while."""
    found = [Finding(kind="place", what=f"{name} cannot be read. {why}") for name, why in unread.items()]
    if len(heads) + len(unread) < 2:
        found.append(Finding(kind="place", what="Signed heads are kept in one place only."))
    everything = sorted((head for held in heads.values() for head in held), key=lambda head: head.signed_ns)
    for name, held in heads.items():
        if not held:
            found.append(Finding(kind="place", what=f"{name} holds no signed head: it is missing or was emptied."))
            continue
        newest = max(head.link.seq for head in held)
        lacking = [head for head in everything if head.link.seq > newest and head.signed_ns < now_ns - LAG_NS]
        if lacking:
            said = f"{name} lacks the heads since {to_iso(lacking[0].signed_ns)}, which another place has"
            last = max(head.link.seq for head in lacking)
            found.append(
                Finding(kind="behind", what=f"{said}: it ends at entry {newest}.", first=newest + 1, last=last)
            )
    return found


def report(
    findings: Sequence[Finding], examined: Examination, heads: Mapping[str, Sequence[SignedHead]]
) -> dict[str, Any]:
    """The result for scripts."""
    return {
        "ok": not findings,
        "entries": examined.head.seq,
        "hash": examined.head.hash.hex(),
        "unsigned": examined.unsigned,
        "lost": [{"first": first, "last": last} for first, last in examined.lost],
        "signed_heads": {name: len(held) for name, held in heads.items()},
        "findings": [{"kind": one.kind, "what": one.what, "first": one.first, "last": one.last} for one in findings],
    }
