"""Small files: what changed is sent, a grown one from where it ended; a keyring never is."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.backup import BackupDamagedError
from storage.keys import FileKeyring
from upkeep.backup.files import Change, FileTree, changes


def tree_of(*rounds: list[Change]) -> dict[str, bytes]:
    tree = FileTree()
    for found in rounds:
        for change in found:
            tree.apply(change)
    return tree.files


def test_rounds_add_up_to_the_files_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    heads, secret = tmp_path / "heads", tmp_path / "secrets" / "a.secret"
    heads.write_bytes(b"one\n")
    secret.write_bytes(b"x")
    files = {"data/heads": heads, "data/secrets": tmp_path / "secrets", "data/none": tmp_path / "none"}
    first = changes(files, {})
    assert tree_of(first.found) == {"data/heads": b"one\n", "data/secrets/a.secret": b"x"}
    assert changes(files, first.holds).found == []
    heads.write_bytes(b"one\ntwo\n")
    secret.unlink()
    second = changes(files, first.holds)
    assert [(one.name, one.offset, one.data) for one in second.found] == [
        ("data/heads", 4, b"two\n"),
        ("data/secrets/a.secret", 0, None),
    ]
    heads.write_bytes(b"new")
    third = changes(files, second.holds)
    assert tree_of(first.found, second.found, third.found) == {"data/heads": b"new"}


def test_keyring_among_the_files_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "b").write_bytes(b"kept")
    FileKeyring.create([tmp_path / "secrets" / "replica"])
    found = changes({"data/secrets": tmp_path / "secrets"}, {}).found
    assert [one.name for one in found] == ["data/secrets/b"]  # the control: its neighbour is there


def test_file_that_cannot_be_read_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"1")
    first = changes({"a": file}, {})

    def refused(_: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", refused)
    second = changes({"a": file}, first.holds)
    assert (second.found, second.holds, second.unread) == ([], first.holds, ["a"])


def test_change_without_its_beginning_is_refused() -> None:
    with pytest.raises(BackupDamagedError, match="beginning"):
        FileTree().apply(Change(name="a", offset=3, data=b"x"))


def test_files_are_written_below_their_place_only(tmp_path: Path) -> None:
    tree = FileTree()
    tree.apply(Change(name="data/run/x", offset=0, data=b"1"))
    tree.apply(Change(name="config/y", offset=0, data=b"2"))
    assert tree.write("data", tmp_path) == [tmp_path / "run" / "x"]
    assert (tmp_path / "run" / "x").stat().st_mode & 0o777 == 0o600
    tree.apply(Change(name="data/../../z", offset=0, data=b"3"))
    with pytest.raises(BackupDamagedError, match="outside"):
        tree.write("data", tmp_path)
