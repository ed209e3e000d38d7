"""Sealing 5 MB segments, header, wrap, hash and signature included."""

from __future__ import annotations

from benchmarks.frame.sealing import fragments, make_keys, seal
from benchmarks.probes.cost import main

if __name__ == "__main__":
    keys, pieces = make_keys(), fragments()
    main(lambda: seal(keys, pieces), repeat=60)
