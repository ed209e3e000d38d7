"""Which module makes which paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from paper.content import Kind, Paper
from paper.kinds import balancing, notice, record, retention, sign
from paper.language import Language
from paper.stated import Facts

_MAKERS: Final[dict[Kind, Callable[[Facts, Language], Paper]]] = {
    Kind.NOTICE: notice.paper,
    Kind.SIGN: sign.paper,
    Kind.RECORD: record.paper,
    Kind.RETENTION: retention.paper,
    Kind.BALANCING: balancing.paper,
}


def make(kind: Kind, facts: Facts, language: Language) -> Paper:
    """One paper."""
    return _MAKERS[kind](facts, language)
