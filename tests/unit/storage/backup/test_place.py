"""Places of backups: parts are created whole, never overwritten, and gone when they are deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.backup import BackupBucket, BackupDamagedError, BackupDirectory, BackupExistsError
from storage.backup.place import PREFIX, BackupPlace
from tests.support.faults.memory_store import FakeStore

NAME = "20261130T060000Z-0a0b0c/base"


class Bucket(FakeStore):
    async def delete(self, name: str) -> None:
        self.objects.pop(name, None)


@pytest.fixture(params=["directory", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> BackupPlace:
    return BackupDirectory(tmp_path / "backups") if request.param == "directory" else BackupBucket(Bucket())


async def test_part_is_there_under_its_name_and_not_overwritten(place: BackupPlace) -> None:
    assert await place.names() == []
    await place.put(NAME, b"one")
    await place.put("20261130T060000Z-0a0b0c/head", b"")
    with pytest.raises(BackupExistsError):
        await place.put(NAME, b"two")
    assert await place.get(NAME) == b"one"
    assert await place.get("20261130T060000Z-0a0b0c/head") == b""
    assert await place.names("20261130") == [NAME, "20261130T060000Z-0a0b0c/head"]
    assert await place.names("2027") == []


async def test_deleted_part_is_missing_by_name(place: BackupPlace) -> None:
    await place.put(NAME, b"one")
    await place.delete(NAME)
    await place.delete(NAME)
    assert await place.names() == []
    with pytest.raises(BackupDamagedError, match="base is missing"):
        await place.get(NAME)


async def test_part_that_a_crash_left_unfinished_is_no_part_and_goes_along(tmp_path: Path) -> None:
    place = BackupDirectory(tmp_path)
    await place.put(NAME, b"one")
    (tmp_path / f"{NAME}.new").write_bytes(b"o")
    assert await place.names() == [NAME]
    await place.delete(NAME)
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240


async def test_bucket_may_hold_other_things() -> None:
    store = Bucket()
    store.objects["v1/other"] = b"x"
    place = BackupBucket(store)
    await place.put(NAME, b"one")
    assert set(store.objects) == {"v1/other", PREFIX + NAME}
    assert await place.names() == [NAME]
