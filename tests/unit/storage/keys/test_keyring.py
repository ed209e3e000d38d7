from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from runtime.errors import PrivateFileError
from storage.keys import FileKeyring, KeyFileError, NoKeyringEntryError, hold_entry
from storage.keys.keyring_file import KeyringFile


async def test_keyring_loaded_again_opens_what_it_sealed(tmp_path: Path) -> None:
    paths = [tmp_path / "keyring", tmp_path / "replica"]
    ring = FileKeyring.create(paths)
    await ring.ensure([3600, 7200])
    sealed = await ring.seal(3600, b"secret", b"context")
    again = FileKeyring.load(paths)
    assert await again.hours() == {3600, 7200}
    assert await again.open(3600, sealed, b"context") == b"secret"
    for hour, body, context in (
        (7200, sealed, b"context"),
        (3600, sealed, b"other"),
        (3600, b"\x02" + sealed[1:], b"context"),
    ):
        with pytest.raises(KeyFileError):
            await again.open(hour, body, context)


async def test_private_key_is_sealed_under_a_nonce_of_its_own(tmp_path: Path) -> None:
    ring = FileKeyring.create([tmp_path / "keyring"])
    await ring.ensure([1])
    one, other = await ring.seal(1, b"secret", b"context"), await ring.seal(1, b"secret", b"context")
    assert one[:1] == other[:1] == b"\x01"
    assert one[5:17] != other[5:17]
    assert len(one) == 1 + 4 + 12 + len(b"secret") + 16
    for cut in (b"", one[:1], one[:5], one[:17], one[:-1]):
        with pytest.raises(KeyFileError):
            await ring.open(1, cut, b"context")


async def test_hours_without_an_entry_seal_and_open_nothing_and_may_be_dropped_again(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    ring = FileKeyring.create([path])
    await ring.ensure([1])
    sealed = await ring.seal(1, b"secret", b"")
    before = path.read_bytes()
    await ring.drop([2])
    await ring.ensure([1])
    assert path.read_bytes() == before  # nothing changed, nothing was written
    with pytest.raises(NoKeyringEntryError):
        await ring.seal(2, b"secret", b"")
    with pytest.raises(NoKeyringEntryError):
        await ring.open(2, sealed, b"")


async def test_dropped_entry_is_gone_from_every_byte_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    ring = FileKeyring.create([path])
    await ring.ensure([1, 2])
    copy = KeyringFile(path).read()
    assert copy is not None
    key = copy.entries[1, 0]
    assert key in path.read_bytes()  # positive control
    sealed = await ring.seal(1, b"secret", b"")
    inode = path.stat().st_ino
    await ring.drop([1])
    assert path.stat().st_ino == inode
    assert key not in path.read_bytes()
    with pytest.raises(NoKeyringEntryError):
        await FileKeyring.load([path]).open(1, sealed, b"")


async def test_keyring_grown_beyond_its_capacity_keeps_all(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    ring = FileKeyring.create([path])
    await ring.ensure(range(1000))
    await ring.ensure(range(3000))
    await ring.drop(range(2500))
    again = FileKeyring.load([path])
    assert await again.hours() == frozenset(range(2500, 3000))
    assert [found.name for found in tmp_path.iterdir()] == [path.name]  # noqa: ASYNC240


@pytest.mark.parametrize("damage", ["first", "second", "generation"])
async def test_keyring_with_one_slot_torn_is_still_whole(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "keyring"
    ring = FileKeyring.create([path])
    await ring.ensure([1])
    data = bytearray(path.read_bytes())
    half = len(data) // 2
    data[{"first": 100, "second": half + 100, "generation": half + 9}[damage]] ^= 1
    path.write_bytes(data)
    assert await FileKeyring.load([path]).hours() == {1}


async def test_keyring_with_both_slots_torn_is_refused_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    FileKeyring.create([path])
    path.write_bytes(os.urandom(1000))
    with pytest.raises(KeyFileError, match="Restore a replica"):
        FileKeyring.load([path])
    path.unlink()
    with pytest.raises(KeyFileError, match="Restore a replica"):
        FileKeyring.load([path])


async def test_replica_lost_or_old_is_reported_and_mended_at_load(tmp_path: Path) -> None:
    paths = [tmp_path / "keyring", tmp_path / "replica"]
    ring = FileKeyring.create(paths)
    await ring.ensure([1])
    old = paths[1].read_bytes()
    await ring.ensure([2])
    assert await ring.problems() == []
    paths[1].write_bytes(old)
    assert "out of date" in (await ring.problems())[0]
    paths[1].unlink()
    assert "missing" in (await ring.problems())[0]
    mended = FileKeyring.load(paths)
    assert await mended.problems() == []
    assert await FileKeyring.load(paths[1:]).hours() == {1, 2}


async def test_keyring_file_open_to_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    FileKeyring.create([path])
    FileKeyring.load([path])
    for mode in (0o640, 0o604, 0o602, 0o610):
        path.chmod(mode)
        with pytest.raises(PrivateFileError, match="chmod 600"):
            FileKeyring.load([path])
    path.chmod(0o600)
    target = path.rename(tmp_path / "elsewhere")
    path.symlink_to(target)
    with pytest.raises(PrivateFileError, match="cannot be opened"):
        FileKeyring.load([path])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
async def test_keyring_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    FileKeyring.create([path])
    os.chown(path, 65534, -1)
    with pytest.raises(PrivateFileError, match="chown"):
        FileKeyring.load([path])


async def test_keyring_is_never_replaced_by_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    FileKeyring.create([path])
    with pytest.raises(KeyFileError):
        FileKeyring.create([path])


async def test_scratch_left_by_a_crash_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    FileKeyring.create([path])
    (tmp_path / "keyring.new").write_bytes(b"old keys")
    FileKeyring.load([path])
    assert [found.name for found in tmp_path.iterdir()] == [path.name]  # noqa: ASYNC240


async def test_ensure_on_a_full_disk_leaves_the_keyring_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keyring"
    ring = FileKeyring.create([path])
    await ring.ensure([1])

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space"):
            await ring.ensure([2])
    assert await ring.hours() == {1}
    assert await FileKeyring.load([path]).hours() == {1}


async def test_entry_with_a_new_key_opens_the_old_until_that_is_dropped(tmp_path: Path) -> None:
    paths = [tmp_path / "keyring", tmp_path / "replica"]
    ring = FileKeyring.create(paths)
    await ring.ensure([3600, 7200])
    old, other = await ring.seal(3600, b"old", b""), await ring.seal(7200, b"other", b"")
    await ring.replace(3600)
    new = await ring.seal(3600, b"new", b"")
    again = FileKeyring.load(paths)
    assert await again.replaced() == {3600}
    assert [await again.open(3600, each, b"") for each in (old, new)] == [b"old", b"new"]
    with pytest.raises(KeyFileError):
        await again.open(3600, old[:1] + new[1:5] + old[5:], b"")  # sealed under the old key, offered under the new
    copy = KeyringFile(paths[0]).read()
    assert copy is not None
    await again.drop_replaced(3600)
    assert await again.replaced() == frozenset()
    assert copy.entries[3600, 0] not in paths[0].read_bytes() + paths[1].read_bytes()
    for kept in (again, FileKeyring.load(paths)):
        assert await kept.open(3600, new, b"") == b"new"
        assert await kept.open(7200, other, b"") == b"other"
        with pytest.raises(NoKeyringEntryError):
            await kept.open(3600, old, b"")
    assert await again.hours() == {3600, 7200}
    await again.ensure([3600])  # present already: no third key
    assert await again.open(3600, new, b"") == b"new"


async def test_drop_destroys_every_key_of_an_entry(tmp_path: Path) -> None:
    ring = FileKeyring.create([tmp_path / "keyring"])
    await ring.ensure([1])
    sealed = [await ring.seal(1, b"secret", b"")]
    await ring.replace(1)
    sealed.append(await ring.seal(1, b"secret", b""))
    await ring.drop([1])
    for each in sealed:
        with pytest.raises(NoKeyringEntryError):
            await ring.open(1, each, b"")
    with pytest.raises(NoKeyringEntryError):
        await ring.replace(1)


async def test_hold_has_an_entry_of_its_own_that_is_no_hour(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    ring = FileKeyring.create([path])
    one, other = hold_entry(uuid4()), hold_entry(uuid4())
    assert one < 0 > other != one
    await ring.ensure([one, other, 0])
    sealed = await ring.seal(one, b"secret", b"")
    assert await ring.hours() == {0}
    await ring.drop([other])
    assert await FileKeyring.load([path]).open(one, sealed, b"") == b"secret"


def test_names_of_the_extreme_hold_ids_fit_the_file() -> None:
    for raw in (bytes(16), b"\xff" * 16):
        assert -(1 << 63) <= hold_entry(UUID(bytes=raw)) < 0
