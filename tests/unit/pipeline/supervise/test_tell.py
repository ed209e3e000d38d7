"""What the terminal shows costs nothing but lines, whatever becomes of the terminal."""

from __future__ import annotations

import io
import os
import threading
import time
from pathlib import Path

from pipeline.supervise.tell import Tell


def test_lines_and_blocks_are_written_in_order() -> None:
    out = io.StringIO()
    with Tell(out) as tell:
        tell.line("one")
        tell.live(["two", "three"])
        tell.line("four")
    assert out.getvalue() == "one\ntwo\nthree\nfour\n"


def test_a_reader_that_does_not_read_is_not_waited_for() -> None:
    read, write = os.pipe()
    reader = threading.Thread(target=_drain, args=(read,), daemon=True)
    with os.fdopen(write, "w") as out, Tell(out) as tell:
        started = time.monotonic()
        for _ in range(2000):
            tell.line("x" * 1000)
        assert time.monotonic() - started < 5
        reader.start()
    reader.join()  # it has read to the end
    os.close(read)


def _drain(read: int) -> None:
    while os.read(read, 1 << 16):
        pass


def test_a_reader_that_is_gone_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as out, Tell(out) as tell:
        tell.line("one")
        tell.live(["two"])


def test_a_full_disk_behind_it_is_no_error() -> None:
    with Path("/dev/full").open("w") as out, Tell(out) as tell:
        tell.line("one")


def test_an_encoding_without_our_signs_gets_others(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("w", encoding="latin-1") as out, Tell(out) as tell:
        tell.line("● ä …")
    assert path.read_bytes() == b"? \xe4 ?\n"


def test_quiet_says_nothing() -> None:
    out = io.StringIO()
    with Tell(out, quiet=True) as tell:
        tell.line("one")
    assert out.getvalue() == ""
