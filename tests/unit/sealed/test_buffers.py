"""Buffers serve again once nobody can see them, and never before."""

from __future__ import annotations

import random
import threading

from storage.sealed import Buffers, RangeOpener
from tests.support.sealed import new_world, payload_key_of, seal

MIB = 1 << 20


def test_buffer_serves_again_once_its_last_view_is_gone() -> None:
    buffers = Buffers()
    view = buffers.take(MIB)
    first = id(view.obj)
    part = view[10:20]
    del view
    other = buffers.take(MIB)
    assert id(other.obj) != first  # a slice of it is still in somebody's hands
    del part
    assert id(buffers.take(MIB // 2).obj) == first


def test_views_that_are_held_keep_what_is_in_them_whatever_is_opened_meanwhile() -> None:
    dice, buffers = random.Random(3), Buffers()
    held: list[tuple[memoryview, bytes]] = []
    for _ in range(2000):
        view = buffers.take(dice.randrange(1, 5000))
        said = dice.randbytes(len(view))
        view[:] = said
        held.append((view[: dice.randrange(len(view) + 1)], said))
        if len(held) > 6:
            held.pop(dice.randrange(len(held)))
        assert all(bytes(part) == said[: len(part)] for part, said in held)


def test_no_more_is_kept_than_three_buffers_and_none_that_is_large() -> None:
    buffers = Buffers()
    views = [buffers.take(100) for _ in range(10)]
    assert len(views) == 10
    buffers.take(64 * MIB)
    assert len(buffers._kept) == 3
    assert all(len(item) <= 4 * MIB for item in buffers._kept)


def test_threads_never_share_a_buffer() -> None:
    buffers, faults = Buffers(), []

    def work(number: int) -> None:
        for _ in range(3000):
            view = buffers.take(64)
            view[:] = bytes([number]) * 64
            if bytes(view) != bytes([number]) * 64:
                faults.append(number)
            del view

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_ranges_that_are_held_stay_what_they_were_while_others_are_opened() -> None:
    world, dice = new_world(), random.Random(5)
    plain = dice.randbytes(300_000)
    data = seal(world, plain)
    opener = RangeOpener(payload_key_of(data, world.hour_private, world.recorders), len(data), Buffers())
    opener.accept_tail(data[slice(*opener.tail_range)])
    held = []
    for _ in range(200):
        start = dice.randrange(len(plain))
        end = start + dice.randrange(1, 60_000)
        held.append((start, end, opener.open(start, end, data[slice(*opener.sealed_range(start, end))])))
        held = held[-5:]
        assert all(bytes(view) == plain[begin:stop] for begin, stop, view in held)
