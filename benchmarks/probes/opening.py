"""Opening a sealed 5 MB segment by ranges of 1 MiB, key derivation left out."""

from __future__ import annotations

from benchmarks.frame.sealing import fragments, make_keys, payload_key, seal
from benchmarks.probes.cost import main
from benchmarks.suites.sealing import open_ranges

if __name__ == "__main__":
    keys = make_keys()
    sealed = b"".join(seal(keys, fragments()))
    key = payload_key(keys, sealed)
    main(lambda: open_ranges(key, sealed), repeat=300)
