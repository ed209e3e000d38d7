"""What an import changes about credentials. Pure: rows before, lines, rows after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from uuid import UUID

from indexer.members.member_file import FOREVER_NS, LineError, MemberLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A credential is a member's within [from, to)."""

    credential: str = field(repr=False)
    member_id: UUID
    from_ns: int
    to_ns: int


@dataclass(slots=True)
class _Span:
    """A holding in the making. ``was``: as it stands in the database, None for a new one."""

    credential: str
    member_id: UUID
    from_ns: int
    to_ns: int
    was: Holding | None
    line: MemberLine | None = None  # that asks for it
    rest: bool = False  # of a holding around a line about the past

    def overlaps(self, other: _Span) -> bool:
        return self.from_ns < other.to_ns and other.from_ns < self.to_ns


@dataclass(slots=True)
class CredentialPlan:
    remove: list[Holding] = field(default_factory=list)
    add: list[Holding] = field(default_factory=list)
    new: int = 0
    changed: int = 0  # validity moved because a line says so
    closed: int = 0  # ended because another credential, or another holder, took over
    errors: list[LineError] = field(default_factory=list)


def plan_credentials(
    lines: Sequence[MemberLine], ids: dict[str, UUID], known: Iterable[Holding], now_ns: int
) -> CredentialPlan:
    """known: every holding of the credentials that the lines name, and of the members that they name.

    A blank valid_from means: as it is; for a credential that is new, always; otherwise from now on. A member's
    new credential ends those of the member's others that no line names; so does a new holder the former one's. A line
    about the past alone ends nothing else, one about the future leaves what is valid now, and the same lines once more
    change nothing.
    """
    spans = [_Span(one.credential, one.member_id, one.from_ns, one.to_ns, one) for one in known]
    by_credential: dict[str, list[_Span]] = defaultdict(list)
    for span in spans:
        by_credential[span.credential].append(span)
    plan = CredentialPlan()
    named = [line for line in lines if line.credential is not None]
    for line in sorted(named, key=lambda line: (line.valid_from_ns or 0, line.line)):
        _ask(by_credential[line.credential or ""], line, ids[line.number], now_ns)
    for group in by_credential.values():
        _settle(group, plan, now_ns)
    _end_replaced(by_credential, named, ids, now_ns)
    _collect((span for group in by_credential.values() for span in group), plan)
    return plan


def _ask(group: list[_Span], line: MemberLine, member_id: UUID, now_ns: int) -> None:
    """Find or make the span that a line asks for."""
    start, end = line.valid_from_ns, line.valid_to_ns
    own = [span for span in group if span.member_id == member_id and span.from_ns < end and span.line is None]
    if start is None and end <= now_ns:
        if own:  # the last of them ended then, or earlier
            own[-1].to_ns, own[-1].line = min(own[-1].to_ns, end), line
            return
        if group:
            return  # it belonged to one member before another, since an unknown time: nothing depends on it
        start = 0
    own = [span for span in own if span.to_ns > (now_ns if start is None else start)]
    if own:
        span = own[0]
        if start is not None and not span.from_ns <= now_ns < start:
            span.from_ns = start
        span.to_ns, span.line = end, line
        return
    if start is None:
        start = now_ns if group else 0
    group.append(_Span(line.credential or "", member_id, start, end, None, line))


def _settle(group: list[_Span], plan: CredentialPlan, now_ns: int) -> None:
    """One holder at a time: who held it before ends where the line's span begins, and goes on where that is past."""
    asked = sorted((span for span in group if span.line is not None), key=lambda span: (span.from_ns, span.to_ns))
    for before, after in pairwise(asked):
        if before.overlaps(after) and after.line is not None and before.line is not None:
            what = f"overlaps with the credential of line {before.line.line}"
            plan.errors.append(LineError(line=after.line.line, column="credential", what=what))
    for span in asked:
        for other in tuple(group):
            if other.line is not None or not other.overlaps(span) or span.line is None:
                continue
            if other.from_ns < span.from_ns:
                if span.to_ns <= now_ns and other.to_ns > span.to_ns:
                    other.rest = True
                    group.append(_Span(other.credential, other.member_id, span.to_ns, other.to_ns, None, rest=True))
                other.to_ns = span.from_ns
            else:
                what = "is held by another line of the register at a later time; give valid_from and valid_to"
                plan.errors.append(LineError(line=span.line.line, column="credential", what=what))


def _end_replaced(
    by_credential: dict[str, list[_Span]], named: Sequence[MemberLine], ids: dict[str, UUID], now_ns: int
) -> None:
    """A member's new credential ends the member's others that no line names."""
    listed = {(ids[line.number], line.credential) for line in named}
    spans = [span for group in by_credential.values() for span in group]
    starts: dict[UUID, int] = {}
    for span in spans:
        if span.was is None and span.to_ns > now_ns and not span.rest:
            start = span.from_ns if span.line is not None and span.line.valid_from_ns is not None else now_ns
            starts[span.member_id] = min(start, starts.get(span.member_id, start))
    for span in spans:
        start = starts.get(span.member_id, FOREVER_NS)
        if span.to_ns > start and (span.member_id, span.credential) not in listed:
            span.to_ns = max(start, span.from_ns + 1)


def _collect(spans: Iterable[_Span], plan: CredentialPlan) -> None:
    for span in spans:
        if span.line is not None and span.from_ns >= span.to_ns:
            plan.errors.append(LineError(line=span.line.line, column="valid_to", what="is not after valid_from"))
            continue
        now = Holding(credential=span.credential, member_id=span.member_id, from_ns=span.from_ns, to_ns=span.to_ns)
        if now == span.was:
            continue
        plan.add.append(now)
        if span.was is None:
            plan.new += not span.rest
            continue
        plan.remove.append(span.was)
        if span.rest:
            plan.changed += 1
        elif span.line is None:
            plan.closed += 1
        else:
            plan.changed += 1
