"""A camera's faults: they begin at once, end by the clock, and a jump of its clock stays."""

from __future__ import annotations

from demo.rtsp.faults import CLOCK_RATE, Faults


def test_stall_and_refusal_end_by_the_clock() -> None:
    now, dropped = [100.0], [0]

    def drop() -> None:
        dropped[0] += 1

    faults = Faults(drop, lambda: now[0])
    assert not (faults.stalled or faults.refusing)
    faults.stall(2.0)
    faults.refuse(3.0)
    now[0] += 1.999
    assert faults.stalled and faults.refusing
    now[0] += 0.001
    assert not faults.stalled and faults.refusing
    now[0] += 1.0
    assert not faults.refusing
    faults.drop()
    assert dropped == [1]


def test_jumps_of_the_clock_add_up_in_ticks() -> None:
    faults = Faults(lambda: None)
    faults.jump_clock(1.5)
    faults.jump_clock(-0.5)
    assert (faults.jump_ns, faults.jump_ticks) == (1_000_000_000, CLOCK_RATE)
    faults.change_size(640, 480)
    assert faults.size == (640, 480)
