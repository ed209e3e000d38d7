"""The vectors that others made from the design page: ours must agree on every one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.sealed import RefusedError
from tests.support.footage.sealed import VectorSet, load_vectors, open_by_row, open_object

SHARED = Path(__file__).parents[5] / "shared" / "vectors"

Opened = Callable[..., bytes]

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/vectors is absent")


@pytest.fixture(scope="module")
def vectors() -> VectorSet:
    return load_vectors(SHARED)


def test_shared_vectors_all_present_none_forgotten(vectors: VectorSet) -> None:
    expectations = [vector["expect"] for vector in vectors.vectors]
    assert (expectations.count("opens"), expectations.count("refused")) == (10, 59)


@pytest.mark.parametrize("opened", [open_object, open_by_row])
def test_shared_vectors_that_open_give_the_stated_plaintext(vectors: VectorSet, opened: Opened) -> None:
    for vector in vectors.vectors:
        if vector["expect"] == "opens":
            plain = opened(vectors.read(vector["file"]), vectors.hour_private, vectors.recorders)
            assert len(plain) == vector["plain_len"], vector["name"]
            assert hashlib.sha256(plain).hexdigest() == vector["plain_sha256"], vector["name"]


@pytest.mark.parametrize("opened", [open_object, open_by_row])
def test_shared_vectors_to_be_refused_give_one_and_the_same_error(vectors: VectorSet, opened: Opened) -> None:
    facts = set()
    for vector in vectors.vectors:
        if vector["expect"] == "refused":
            with pytest.raises(RefusedError) as caught:
                opened(vectors.read(vector["file"]), vectors.hour_private, vectors.recorders)
            error = caught.value
            facts.add((type(error), str(error), error.args, error.remedy, error.__cause__, error.__context__))
    text = "The sealed segment is refused."
    assert facts == {(RefusedError, text, (text,), "", None, None)}
