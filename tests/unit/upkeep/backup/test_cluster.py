"""The copy of a cluster's files: what comes back equals what was there, also of files that change meanwhile."""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.backup import BackupDamagedError
from upkeep.backup import cluster
from upkeep.backup.cluster import Packer, unpack_cluster


def made(root: Path) -> Path:
    """A directory like a cluster's."""
    for name in ("base/5", "global", "pg_wal/archive_status", "pg_replslot/slot", "pg_notify"):
        (root / name).mkdir(parents=True)
    for name, data in {
        "base/5/1": os.urandom(3_000_001),
        "base/5/2": b"",
        "base/5/3": bytes(512),
        "PG_VERSION": b"18\n",
        "global/pg_control": b"control",
        "global/pg_internal.init": b"cache",
        "pg_wal/000000010000000000000001": b"log",
        "pg_replslot/slot/state": b"slot",
        "postmaster.pid": b"1",
        "base/5/pgsql_tmp1.0": b"sort",
    }.items():
        (root / name).write_bytes(data)
    return root


def parts_of(root: Path, label: str = "label") -> list[bytes]:
    packer = Packer()
    return [*packer.cluster(root), *packer.last(label)]


def test_cluster_comes_back_without_what_a_server_makes_anew(tmp_path: Path) -> None:
    root, back = made(tmp_path / "a"), tmp_path / "b"
    unpack_cluster(parts_of(root), back)
    for name in ("base/5/1", "base/5/2", "base/5/3", "PG_VERSION", "global/pg_control"):
        assert (back / name).read_bytes() == (root / name).read_bytes()
    assert (back / "backup_label").read_text() == "label"
    assert [path.name for path in (back / "pg_wal").iterdir()] == []
    for name in ("pg_replslot/slot", "postmaster.pid", "global/pg_internal.init", "base/5/pgsql_tmp1.0"):
        assert not (back / name).exists()
    assert (back / "pg_notify").is_dir()
    assert {path.stat().st_mode & 0o077 for path in back.rglob("*")} == {0}


def test_stream_is_tar_that_other_programs_read_and_ends_with_control_and_label(tmp_path: Path) -> None:
    stream = tmp_path / "a.tar"
    stream.write_bytes(zlib.decompress(b"".join(parts_of(made(tmp_path / "a")))))
    with tarfile.open(stream) as tar:
        names = tar.getnames()
    assert names[-2:] == ["global/pg_control", "backup_label"]


def test_parts_are_cut_where_they_are_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PART_BYTES", 100_000)
    parts = parts_of(made(tmp_path / "a"))
    assert len(parts) > 3
    unpack_cluster(parts, tmp_path / "b")
    assert (tmp_path / "b/base/5/1").read_bytes() == (tmp_path / "a/base/5/1").read_bytes()


def test_file_that_shrinks_or_vanishes_meanwhile_breaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_BLOCK", 1000)
    root = made(tmp_path / "a")

    def parts() -> Iterator[bytes]:
        packer = Packer()
        found = cluster._found

        def shrinking(at: Path) -> Iterator[Path]:
            yield from list(found(at))

        monkeypatch.setattr(cluster, "_found", shrinking)
        each = packer.cluster(root)
        monkeypatch.setattr(
            packer, "_push", lambda block, push=packer._push: (os.truncate(root / "base/5/1", 5000), push(block))[1]
        )
        (root / "base/5/2").rename(root / "gone")
        yield from each
        yield from packer.last("label")

    unpack_cluster(parts(), tmp_path / "b")
    copied = (tmp_path / "b/base/5/1").read_bytes()
    assert copied[:5000] == (root / "base/5/1").read_bytes()
    assert not any(copied[5000:])


def test_truncated_stream_is_refused(tmp_path: Path) -> None:
    whole = b"".join(parts_of(made(tmp_path / "a")))
    with pytest.raises(BackupDamagedError):
        unpack_cluster([whole[: len(whole) // 2]], tmp_path / "b")
    with pytest.raises(BackupDamagedError):
        unpack_cluster([b"no stream"], tmp_path / "c")


def test_entry_that_leads_out_of_the_directory_is_not_written(tmp_path: Path) -> None:
    head = cluster._head("../outside", 1)
    evil = zlib.compress(head + b"x" + cluster._padding(1) + bytes(1024))
    with pytest.raises(BackupDamagedError):
        unpack_cluster([evil], tmp_path / "b")
    assert not (tmp_path / "outside").exists()
