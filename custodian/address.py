"""Unix socket addresses hold 107 bytes; deep directories do not fit and are reached through /proc instead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_ADDRESS_MAX_BYTES: Final = 107


@contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """An address for ``path`` that is short enough; valid inside the block."""
    if len(os.fsencode(path)) <= _ADDRESS_MAX_BYTES:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
