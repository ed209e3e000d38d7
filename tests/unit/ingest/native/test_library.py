"""The compiled scan and the one in Python: equal rows for any bytes, nothing read beyond the end, no camera mixed."""

from __future__ import annotations

import ctypes
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.native import build, library
from ingest.native.form import FINISHED, MAY_BEGIN, ROWS_MAX
from ingest.native.reference import PythonScan
from tests.support.cameras.rtp import SSRC, frame
from tests.support.scans.versions import (
    FORMS,
    LEAD,
    PLAIN,
    SLACK,
    Called,
    calls,
    compiled,
    joined,
    outcome,
    planted,
    scan_of,
)  # fmt: skip

CODECS = ["h264", "h265"]
ROOT = Path(__file__).parents[4]


def disagreements(found: ctypes.CDLL, codec: str, seeds: range) -> int:
    """Calls of which the two versions return something else."""
    ours = PythonScan(LEAD, PLAIN, FORMS[codec])
    native = library.NativeScan(found, LEAD, PLAIN, FORMS[codec])
    differ = taken = 0
    for seed in seeds:
        for data, call in calls(random.Random(seed), codec, ours):
            expected = outcome(ours, data, call)
            taken += len(expected[0])
            differ += outcome(native, data, call) != expected
    assert taken > 3 * len(seeds)  # that something is compared
    return differ


@pytest.mark.parametrize("codec", CODECS)
def test_both_versions_return_the_same_for_films_with_faults(codec: str) -> None:
    assert disagreements(compiled(), codec, range(300)) == 0


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(CODECS),
    st.binary(max_size=400),
    st.integers(0, 2**64 - 1),
    st.integers(-1, 1 << 17),
    st.integers(-1, (1 << 24) - 1),
    st.integers(0, 7),
)
def test_both_versions_return_the_same_for_any_bytes(
    codec: str, data: bytes, stamp: int, expected: int, middle: int, flags: int
) -> None:
    call = Called(0, len(data), stamp, expected, middle, flags)
    versions = (scan_of(version, form=FORMS[codec]) for version in ("Python", "C"))
    one, other = (outcome(scan, data, call) for scan in versions)
    assert one == other


@pytest.mark.parametrize("codec", CODECS)
def test_every_head_begins_a_slice_for_both_or_for_none(codec: str) -> None:
    form, (python, native) = FORMS[codec], (scan_of(version, form=FORMS[codec]) for version in ("Python", "C"))
    heads = range(1 << 16) if codec == "h264" else [h << 16 | t << 8 | k for h in (0x62, 0x63, 0xE2, 0x60)
                                                    for t in range(256) for k in range(256)]  # fmt: skip
    begun = 0
    for head in heads:
        payload = head.to_bytes(4 - form.shift // 8, "big") + bytes(20)
        data = frame(payload, 7, 3600) + frame(b"", 8, 3600)
        call = Called(0, len(data), SSRC, 7, -1, FINISHED | MAY_BEGIN)
        rows, _ = found = outcome(native, data, call)
        assert found == outcome(python, data, call)
        begun += len(rows)
    assert begun == len(form.slices)


@pytest.mark.parametrize("version", ["Python", "C"])
def test_two_cameras_in_turn_are_not_mixed(version: str) -> None:
    assert not mixes(lambda: scan_of(version))


def mixes(make: Callable[[], object]) -> bool:
    """Whether two cameras' pictures, scanned in turn, come out as something else than each by itself."""

    def fed(cameras: int) -> list[list[object]]:
        scans, got = [make() for _ in range(cameras)], [[] for _ in range(cameras)]  # type: ignore[var-annotated]
        for place in range(3):
            for camera in range(cameras):
                bits = (0x80, 0, 0x40)[place]
                ssrc = SSRC + camera
                piece = frame(bytes((0x5C, bits | 1)) + bytes((camera + 1,)) * 30, 5 + place, 3600 + camera, ssrc=ssrc,
                              marker=place == 2)  # fmt: skip
                data = piece + b"$"
                stamp = (0 if place == 0 else 3600 + camera) << 32 | ssrc
                call = Called(0, len(data), stamp, 5 + place, -1 if place == 0 else 0x5C01, 5 if place == 0 else 4)
                got[camera].append(outcome(scans[camera], data, call))  # type: ignore[arg-type]
        return got

    alone, together = fed(1), fed(2)
    assert [rows for rows, _ in alone[0]], "something was scanned"
    return together[0] != alone[0] or [len(rows) for rows, _ in together[1]] != [1, 1, 1]  # type: ignore[misc]


def test_rows_are_bounded_and_the_scan_goes_on_behind_them() -> None:
    pieces = []
    for number in range(ROWS_MAX + 5):
        pieces += [
            frame(bytes((0x5C, bits | 1)) + bytes(30), 2 * number + at, 3600 * number, marker=at == 1)
            for at, bits in enumerate((0x80, 0x40))
        ]
    data = b"".join(pieces) + b"$"
    for version in ("Python", "C"):
        rows, at = outcome(scan_of(version), data, Called(0, len(data), 1 << 60 | SSRC, 0, -1, FINISHED | MAY_BEGIN))
        assert (len(rows), at) == (ROWS_MAX, len(b"".join(pieces[: 2 * ROWS_MAX])))
        last = rows[-1][1]
        more = Called(at, len(data), last, 2 * ROWS_MAX, -1, FINISHED | MAY_BEGIN)
        assert len(outcome(scan_of(version), data, more)[0]) == 5


def test_buffer_that_can_only_be_read_is_scanned_by_python() -> None:
    data = frame(b"\x5c\x81" + bytes(30), 7, 3600) + b"$"
    call = (0, len(data), SSRC, 7, -1, FINISHED | MAY_BEGIN)
    rows, at = scan_of("C")(memoryview(data + bytes(SLACK)), *call)
    assert (len(joined(rows)), at) == (1, len(data) - 1)


def test_without_a_library_or_switched_off_python_is_in_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for switch, path in (("off", library.library_path()), ("", tmp_path / "none.so")):
        monkeypatch.setenv(library.SWITCH, switch)
        monkeypatch.setattr(library, "library_path", lambda path=path: path)
        library.library.cache_clear()
        assert library.in_use() == "Python"
        assert isinstance(library.make_scan(LEAD, PLAIN, FORMS["h264"]), PythonScan)
    library.library.cache_clear()


# -- Faults, planted


@pytest.mark.parametrize("codec", CODECS)
def test_planted_loss_of_the_last_packet_is_found(codec: str, tmp_path: Path) -> None:
    found = planted("            row->ends = 1;", "            row->ends = 1, row->end -= size;", tmp_path)
    assert disagreements(found, codec, range(20)) > 0


def test_planted_mix_of_cameras_is_found(tmp_path: Path) -> None:
    before = "    uint64_t stamp = t->stamp, expected"
    found = planted(before, "    static uint64_t stamp; if (!stamp) stamp = t->stamp; uint64_t expected", tmp_path)
    assert mixes(lambda: library.NativeScan(found, LEAD, PLAIN, FORMS["h264"]))


def test_sanitizers_find_nothing_in_seconds_of_random_bytes(tmp_path: Path) -> None:
    """AddressSanitizer and UndefinedBehaviorSanitizer; by hand for an hour: CONTRIBUTING.md."""
    done = sanitized(tmp_path, library.SOURCE, seconds=3)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 10_000


def test_sanitizers_find_a_planted_read_beyond_the_end(tmp_path: Path) -> None:
    source = tmp_path / "planted.c"
    source.write_text(library.SOURCE.read_text().replace("next >= end || data[next]", "next > end || data[next]"))
    assert "heap-buffer-overflow" in sanitized(tmp_path, source, seconds=20).stderr


def sanitized(scratch: Path, source: Path, *, seconds: int) -> subprocess.CompletedProcess[str]:
    """tests/fuzz/fuzz_scan.c with this scan.c, under both. Skips where the compiler has no sanitizers."""
    compiler = build.system_compiler()
    program = scratch / "fuzz_scan"
    flags = ["-std=c11", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    if compiler is None:
        pytest.skip("there is no compiler")
    command = [*compiler, *flags, f'-DSCAN="{source}"', "-o", str(program), str(ROOT / "tests/fuzz/fuzz_scan.c")]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no sanitizers: {made.stderr.strip().splitlines()[-1]}")
    return subprocess.run([program, str(seconds), "1"], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("before", "after", "ends_by"),
    [
        ("", "", 0),
        ("next >= end || data[next]", "next > end || data[next]", -11),
        ("end - at > LEAST_BYTES", "end - at >= 2", -11),
        (
            "memmove(data + row->end, data + at + t->skip, size)",
            "memmove(data + row->end, data + at + t->skip, size + 40)",
            -11,
        ),
    ],
    ids=["as it is", "one byte", "a head", "data"],
)
def test_no_byte_beyond_the_end_is_read(before: str, after: str, ends_by: int, tmp_path: Path) -> None:
    """The received bytes end where memory ends that may be read: one byte farther, and the kernel ends the process."""
    compiled()
    found = library.library_path()
    if before:
        planted(before, after, tmp_path)
        found = tmp_path / "planted.so"
    command = [sys.executable, "-m", "tests.support.scans.at_the_edge", str(found)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == ends_by, done.stderr[-500:]
