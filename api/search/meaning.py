"""What a query's words mean: members, doors and kinds of events. A member's name comes first, filler words last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from api.records import Records
from api.search.door_words import split_doors
from api.search.kind_words import parse_kind_words
from api.search.plain_words import without_fillers
from api.search.time_words import TimeWords
from api.sign_in.scope import DoorRow, Scope, named_members
from domain.ids import MemberId
from storage.access import MemberRow, Only, fold

_MEMBERS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What the query's words mean. ``name`` without ``members``: a name that no member has."""

    doors: Sequence[DoorRow]
    name: str
    members: dict[MemberId, MemberRow]
    cut: bool
    only: Only = field(default_factory=Only)
    left_out: str = ""

    @property
    def understood(self) -> bool:
        """Whether every word that matters was."""
        return bool(self.members) or not self.name


async def meaning(records: Records, scope: Scope, doors: Sequence[DoorRow], words: TimeWords) -> Meant:
    """Find the members, doors and kinds of events that the words name. Fillers of a whole sentence are left out."""
    meant = await _named(records, scope, doors, words.rest)
    if meant.understood:
        return meant
    kinds = parse_kind_words(words.rest)
    if kinds:
        only = Only(kinds=kinds.kinds or None, minors=kinds.minors, close=kinds.close)
        meant = replace(await _named(records, scope, doors, kinds.rest), only=only)
        if meant.understood:
            return meant
    rest = kinds.rest if kinds else words.rest
    kept, left_out = without_fillers(rest)
    if kept == rest:
        return meant
    again = replace(await _named(records, scope, doors, kept), only=meant.only, left_out=left_out)
    if again.members or (not again.name and (again.doors or words.span or kinds)):
        return again
    return meant


async def _named(records: Records, scope: Scope, all_doors: Sequence[DoorRow], rest: str) -> Meant:
    doors, name = split_doors(rest, all_doors)
    if doors and not name and not _whole_word(rest, doors):
        # The words are only prefixes of doors' names: a member of that name comes first.
        members, cut = await _members(records, scope, rest)
        if members:
            return Meant(doors=[], name=fold(rest), members=members, cut=cut)
    members, cut = await _members(records, scope, name) if name else ({}, False)
    if name and doors and not members:
        # Not a door's name with a member's, then; perhaps all of it is a member's.
        members, cut = await _members(records, scope, rest)
        doors = [] if members else doors
    return Meant(doors=doors, name=name, members=members, cut=cut)


def _whole_word(rest: str, doors: Sequence[DoorRow]) -> bool:
    named = {part for door in doors for part in fold(door.name).split()}
    return any(word in named for word in fold(rest).split())


async def _members(records: Records, scope: Scope, name: str) -> tuple[dict[MemberId, MemberRow], bool]:
    rows, cut = await named_members(records, scope, name, _MEMBERS)
    return {row.member_id: row for row in rows}, cut
