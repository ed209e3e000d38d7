"""Scans buffers whose end is the end of the memory that may be read. ``python -m ... LIBRARY``"""

from __future__ import annotations

import ctypes
import mmap
import random
import sys
from pathlib import Path

from ingest.native import library
from tests.support.scans.versions import FORMS, LEAD, PLAIN, film

_NOTHING = 0  # PROT_NONE (mman.h)


def main(path: str) -> None:
    """Scan. A read beyond the end is a SIGSEGV."""
    page, room = mmap.PAGESIZE, 64 * mmap.PAGESIZE
    memory = mmap.mmap(-1, room + page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(address + room), ctypes.c_size_t(page), _NOTHING) == 0
    found = library.opened(Path(path))
    for seed in range(400):
        codec = ("h264", "h265")[seed % 2]
        data, call = film(random.Random(seed), codec, pictures=3)
        data = data[-room:][: call.end]
        begin = room - len(data)
        memory[begin:room] = data
        view = memoryview(memory)[:room]
        scan = library.NativeScan(found, LEAD, PLAIN, FORMS[codec])
        scan(view, begin, room, call.stamp, call.expected, call.middle, call.flags)
        for cut in range(1, 60):  # a frame that ends there, or a few bytes before
            moved = data[:-cut]
            memory[room - len(moved) : room] = moved
            scan(view, room - len(moved), room, call.stamp, call.expected, call.middle, call.flags)


if __name__ == "__main__":
    main(sys.argv[1])
