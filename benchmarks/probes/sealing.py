"""Sealing 5 MB segments, header, wrap, hash and signature included."""

from __future__ import annotations

from benchmarks.frame.sealing import fragments, make_keys
from benchmarks.probes.cost import main
from benchmarks.suites.sealing import seal_as_written

if __name__ == "__main__":
    keys, pieces = make_keys(), fragments()
    main(lambda: seal_as_written(keys, pieces), repeat=60)
