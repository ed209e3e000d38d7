"""Numbers for people."""

from __future__ import annotations

import pytest

from pipeline.supervise.terminal import bits, size, width


@pytest.mark.parametrize(
    ("per_second", "said"),
    [
        (0, "0 bit/s"),
        (999, "999 bit/s"),
        (1000, "1 kbit/s"),
        (999_000, "999 kbit/s"),
        (4_040_000, "4.0 Mbit/s"),
        (2e9, "2000.0 Mbit/s"),
    ],
)
def test_bit_rate_in_thousands(per_second: float, said: str) -> None:
    assert bits(per_second) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (5 << 20, "5.0 MiB"),
        (3 << 30, "3.0 GiB"),
        (5 << 40, "5120.0 GiB"),
    ],
)
def test_size_in_powers_of_1024(count: float, said: str) -> None:
    assert size(count) == said


@pytest.mark.parametrize(("columns", "usable"), [("80", 79), ("", 99)])
def test_width_leaves_the_last_column(monkeypatch: pytest.MonkeyPatch, columns: str, usable: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("os.get_terminal_size", lambda _: (_ for _ in ()).throw(OSError))
    assert width() == usable
