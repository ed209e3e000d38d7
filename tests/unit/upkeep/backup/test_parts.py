"""Names and contents of a set's parts."""

from __future__ import annotations

import pytest

from storage.backup import BackupDamagedError
from upkeep.backup.files import Change
from upkeep.backup.parts import Base, LogPart, created_ns, new_set_id

NOW_NS = 1_796_000_000_000_000_000


def test_set_is_named_by_the_second_of_its_beginning() -> None:
    assert created_ns(new_set_id(NOW_NS + 999)) == NOW_NS
    assert new_set_id(NOW_NS) != new_set_id(NOW_NS)
    for other in ("", "lost+found", "20261399T000000Z-0a0b0c", "20261130T000000Z"):
        assert created_ns(other) is None


@pytest.mark.parametrize("wal", [b"", b"x" * 100_000])
def test_part_of_the_log_comes_back(wal: bytes) -> None:
    files = (
        Change(name="a", offset=0, data=b"1"),
        Change(name="b", offset=7, data=None),
        Change(name="c", offset=0, data=b""),
    )
    part = LogPart(at_ns=5, start=77, wal=wal, files=files)
    assert LogPart.unpack(part.pack()) == part
    assert part.end == 77 + len(wal)


def test_another_format_is_named() -> None:
    base = Base(format=1, at_ns=0, parts=0)
    assert Base.unpack(base.pack()) == base
    with pytest.raises(BackupDamagedError, match="format 2"):
        Base.unpack(Base(format=2, at_ns=0, parts=0).pack())
