"""Fragments and segments of a stream, made as a camera's recording makes them."""

from __future__ import annotations

from domain.time import HOUR_NS, NS
from ingest.access_unit import AccessUnit
from ingest.media.clock import ticks_to_ns
from ingest.media.fragments import Fragment, FragmentWriter
from ingest.media.segmenter import Action, Append, Begin, Segmenter

START_NS = 1_790_000_000 * NS - (1_790_000_000 * NS) % HOUR_NS + 60 * NS


def fragments_of(stream: list[AccessUnit]) -> list[Fragment]:
    writer = FragmentWriter()
    made = [fragment for unit in stream if (fragment := writer.push(unit))]
    return [*made, *iter(writer.flush, None)]


def segmented(fragments: list[Fragment], segmenter: Segmenter, start_ns: int = START_NS) -> list[Action]:
    first = fragments[0].start_ticks
    actions: list[Action] = []
    for item in fragments:
        begin, end = (start_ns + ticks_to_ns(ticks - first) for ticks in (item.start_ticks, item.end_ticks))
        actions += segmenter.push(item, begin, end)
    return actions


def files_of(actions: list[Action]) -> list[bytes]:
    files: list[list[bytes]] = []
    for action in actions:
        if isinstance(action, Begin):
            files.append([action.init])
        elif isinstance(action, Append):
            files[-1].append(b"".join(action.pieces))
    return [b"".join(parts) for parts in files]
