"""What every probe shares: run the work, take the CPU it used, print one JSON line."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable


def main(work: Callable[[], object], *, repeat: int, cpu_s: Callable[[], float] = time.process_time) -> None:
    """Run ``work`` once to warm up, then ``repeat`` times; print the CPU seconds (user and system) these took.

    cpu_s: the account, where others than this process work too
    --planted F does a further F of the work, unannounced in the result: the comparison's positive control.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--planted", type=float, default=0.0)
    planted: float = parser.parse_args().planted
    work()
    began = cpu_s()
    for _ in range(round(repeat * (1 + planted))):
        work()
    print(json.dumps({"cpu_s": cpu_s() - began}))
