"""Compiling: with the system's compiler, else with that of a package, else not at all; never half."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.native import build, library


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the library is to be put."""
    path = tmp_path / "lib" / "scan.so"
    monkeypatch.setattr(build, "library_path", lambda: path)
    return path


def test_library_is_compiled_once_and_loads(target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if build.system_compiler() is None:
        pytest.skip("there is no compiler")
    assert build.main() == 0
    assert library.opened(target).tallenne_scan
    assert list(target.parent.iterdir()) == [target]
    assert "compiled" in capsys.readouterr().err
    made = target.stat().st_mtime_ns
    assert build.main() == 0
    assert target.stat().st_mtime_ns == made


def test_without_any_compiler_it_goes_on_and_says_so(
    target: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")

    @contextmanager
    def away() -> Iterator[list[str]]:
        raise OSError("the package index does not answer")
        yield []

    monkeypatch.setattr(build, "ziglang", away)
    assert build.main() == 1
    assert "by Python" in capsys.readouterr().err
    assert not target.exists()


def test_compiler_that_refuses_leaves_nothing_and_the_other_is_asked(
    target: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken, other = tmp_path / "broken", tmp_path / "other"
    broken.write_text('#!/bin/sh\necho half >"$9"\nexit 1\n')
    other.write_text('#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho whole >"$2"\n')
    for each in (broken, other):
        each.chmod(0o700)
    monkeypatch.setenv("CC", str(broken))

    @contextmanager
    def ziglang() -> Iterator[list[str]]:
        assert not target.exists()
        yield [str(other)]

    monkeypatch.setattr(build, "ziglang", ziglang)
    assert build.main() == 0
    assert target.read_text() == "whole\n"


def test_compilers_of_the_lock_are_pinned_by_their_hashes() -> None:
    lines = [line for line in build.LOCK.read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0].startswith("ziglang==")
    assert sum("--hash=sha256:" in line for line in lines) >= 2
