"""What is missing is said in sentences, one for each."""

from __future__ import annotations

from itertools import product

import pytest

from storage.store import Capabilities


@pytest.mark.parametrize(("create_only", "checksum", "versioning"), list(product((True, False), repeat=3)))
def test_each_missing_capability_has_its_sentence(create_only: bool, checksum: bool, versioning: bool) -> None:
    missing = Capabilities(create_only=create_only, checksum=checksum, versioning=versioning).missing()
    assert len(missing) == [create_only, checksum, versioning].count(False)
    for word, has in (("If-None-Match", create_only), ("SHA-256", checksum), ("versions", versioning)):
        assert any(word in sentence for sentence in missing) is not has
    assert all(sentence.endswith(".") for sentence in missing)
