"""Places of heads: what was added is read, a torn line is none, any other damage is an error, names say everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from custodian.audit.chain import Link, SignedHead
from custodian.audit.heads import PREFIX, HeadBucket, HeadFile, head_named, name_of
from custodian.errors import BrokenAuditError
from storage.store import ObjectInfo, PutOutcome
from tests.support.database.trail import SIGNER, Trail, signed

LARGEST = SignedHead(link=Link(seq=(1 << 63) - 1, hash=b"\xff" * 32), signed_ns=(1 << 63) - 1, signature=b"\xfe" * 64)


class Objects:
    """The part of a bucket that heads need."""

    def __init__(self) -> None:
        self.names: dict[str, bytes] = {"v1/footage": b""}

    async def put_new(self, name: str, source: bytes, *, size_bytes: int, sha256: bytes) -> PutOutcome:
        assert size_bytes == len(source)
        self.names.setdefault(name, source)
        return PutOutcome.STORED

    async def list(self, prefix: str):  # type: ignore[no-untyped-def]
        for name in sorted(self.names):
            if name.startswith(prefix):
                yield ObjectInfo(name=name, size_bytes=0)


async def test_heads_in_the_file_are_read_as_they_were_added(tmp_path: Path) -> None:
    path = tmp_path / "heads" / "audit"
    place = HeadFile(path)
    assert await place.read() == []
    heads = [*Trail(7).heads(0, 3, 7), LARGEST]
    for number, head in enumerate(heads, 1):
        await place.add(head)
        assert await HeadFile(path).read() == heads[:number]
    assert str(path) in place.name


async def test_heads_in_the_bucket_are_read_from_the_names_of_its_objects() -> None:
    objects = Objects()
    place = HeadBucket(objects)  # type: ignore[arg-type]
    heads = [*Trail(7).heads(0, 3, 7), LARGEST]
    for head in reversed(heads):
        await place.add(head)
    assert await place.read() == heads  # names sort by number
    assert all(json.loads(objects.names[name_of(head)])["seq"] == head.link.seq for head in heads)


def test_names_of_heads_fit_a_file_system_and_keep_every_bit() -> None:
    head = signed(Trail(1).link(1))
    for each in (head, LARGEST):
        assert head_named(name_of(each)) == each
        assert len(name_of(each).removeprefix(PREFIX)) <= 255
    head_named(name_of(head)).check(SIGNER)


def test_name_that_is_no_head_is_an_error() -> None:
    name = name_of(LARGEST)
    for wrong in (
        PREFIX,
        PREFIX + "note.txt",
        name + "x",
        name[:-1],
        name.replace(".", "-"),
        name.replace("0", "o", 1),
        name + ".a",
    ):
        with pytest.raises(BrokenAuditError, match="not a signed head"):
            head_named(wrong)


async def test_torn_last_line_is_no_head_and_any_other_damage_is_an_error(tmp_path: Path) -> None:
    path, head = tmp_path / "heads", signed(Link(seq=3, hash=bytes(32)))
    place = HeadFile(path)
    await place.add(head)
    line = path.read_text()
    path.write_text(line + line[:-5])
    assert await place.read() == [head]
    for damaged in (
        "{}\n",
        "no JSON\n",
        '{"seq": 1, "hash": "zz", "signed_ns": 1, "signature": ""}\n',
        "[]\n",
        "\xe4\n",
    ):
        path.write_text(line + damaged + line)
        with pytest.raises(BrokenAuditError, match="damaged"):
            await place.read()


async def test_line_that_a_crash_left_torn_is_cut_before_the_next_head(tmp_path: Path) -> None:
    path, heads = tmp_path / "heads", Trail(2).heads(1, 2)
    place = HeadFile(path)
    await place.add(heads[0])
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"seq": 4, "ha')
    await place.add(heads[1])
    assert path.read_bytes().startswith(whole)
    assert await place.read() == heads
