"""What a paper consists of: sections of paragraphs, lists, tables and lines to be filled in by hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from paper.language import Language


class Kind(StrEnum):
    """The papers that are published. The answer to a breach is none of them: it is made when asked for."""

    NOTICE = "notice"
    SIGN = "sign"
    RECORD = "record"
    RETENTION = "retention"
    BALANCING = "balancing"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One or more sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows are as long as the head. ``caption`` names it for those who hear it read."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Blank:
    """A question that only the operator can answer, with room for it."""

    label: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """A word and what it stands for, as on a form."""

    label: str
    text: str


Block = Paragraph | Items | Table | Blank | Labelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """``key`` stays the same in each language and names the section in `tallenne paper check`."""

    key: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """Its content as lines of text, the title first."""
        return (self.title, *(line for block in self.blocks for line in _lines(block)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One paper in one language. It holds no date: the same facts make the same paper."""

    kind: str
    language: Language
    title: str
    sections: tuple[Section, ...]

    @property
    def lines(self) -> dict[str, tuple[str, ...]]:
        """By section; the paper's own title under ``title``."""
        return {"title": (self.title,), **{section.key: section.lines for section in self.sections}}


def hash_of(lines: dict[str, tuple[str, ...]]) -> str:
    """The SHA-256 of a paper's lines, in hex."""
    text = json.dumps(list(lines.items()), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _lines(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield block.text
    elif isinstance(block, Items):
        yield from block.items
    elif isinstance(block, Table):
        yield " | ".join(block.head)
        yield from (" | ".join(row) for row in block.rows)
    elif isinstance(block, Labelled):
        yield f"{block.label}: {block.text}"
    else:
        yield f"{block.label} ____"
