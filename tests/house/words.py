"""Words that this project does not use, each with the one that it does. Extend both lists as a word goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from tests.house.tree import Tree

NAMES: Final[Mapping[str, str]] = {
    "early": "prefetch",
    "facts": "metadata",
    "glance": "summary",
    "marks": "positions",
    "own_key": "secret_key",
    "places": "connection_limit",
    "precedence": "priority",
    "shelf": "cache",
}
"""Not the name of a module or a folder."""

TEXT: Final[Mapping[str, str]] = {
    "glance": "summary",
    "own_key": "secret_key",
    "shelves": "caches",
    "whoever": "the one who does it (the reader, the caller, an attacker)",
    "whomever": "the one to whom it is done",
}
"""In no text of the source or its documents, a comment included; whole words, large letters or small."""


PHRASES: Final[Mapping[str, str]] = {
    r"\b(?:no|some)body\b": "the role that acts, or the passive",
    r"\bwhom\b": "another sentence",
    r"\b(?:is|are|was|were) told\b": "reports, shows, distinguishes",
    r"\bmistakes? of ours\b": "a programming error",
    r"\bmakes? no sense\b": "invalid",
    r"\bin clear\b": "in the clear",
    r"\bin good order\b": "shut down, orderly",
    r"\bby halves\b": "incompletely",
    r"\bgiven out\b": "delivered",
    r"\bgulps?\b": "a batch, a read",
    r"\band (?:its|their) kin\b": "the errors by name",
    r"\bmust mend\b": "must correct",
    r"\bof nobody\b": "without an owner",
    r"\bwhat is no\b": "what is not",
    r"\blest\b": "so that ... not",
    r"\b(?:is|are) connected to again\b": "Tallenne connects again",
    r"\bcarr(?:y|ies|ied) (?:it |an? [a-z ]+ )?through\b": "completes",
}
"""English that puzzles a reader, by pattern; each with what to write. Not in the tests, whose texts quote others."""

EXEMPT: Final = frozenset(
    {
        ("api/search/plain_words.py", "somebody"),  # words that people type
        ("api/search/plain_words.py", "whom"),
        ("api/credentials/passwords.py", "nobody"),  # values, not prose
        ("api/sign_in/routes.py", "nobody"),
        ("api/members/entry_routes.py", "nobody"),
        ("storage/catalogue/audit.py", "nobody"),
        ("pipeline/commands/doors/event_corrections.py", "nobody"),
        ("api/export/make.py", "whom"),
    }
)


def banned_phrases(tree: Tree) -> Iterator[str]:
    """``path:line: use ...`` for each occurrence that is not exempt."""
    patterns = [(re.compile(pattern, re.IGNORECASE), advice) for pattern, advice in PHRASES.items()]
    for path, text in tree.items():
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, advice in patterns:
                for match in pattern.finditer(line):
                    if (path, match[0].lower()) not in EXEMPT:
                        yield f"{path}:{number}: {advice}, not {match[0]}"


def banned_names(tree: Tree) -> Iterator[str]:
    """``path: use ...`` for each path with a part of that name."""
    for path in tree:
        for part in PurePosixPath(path).with_suffix("").parts:
            if part in NAMES:
                yield f"{path}: {NAMES[part]}, not {part}"


def banned_text(tree: Tree) -> Iterator[str]:
    """``path:line: use ...`` for each occurrence."""
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, TEXT))})\b", re.IGNORECASE)
    for path, text in tree.items():
        for number, line in enumerate(text.splitlines(), 1):
            for match in pattern.finditer(line):
                yield f"{path}:{number}: {TEXT[match[1].lower()]}, not {match[1]}"
