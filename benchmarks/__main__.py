"""``python -m benchmarks``, reached as ``tallenne bench``."""

from __future__ import annotations

import sys

from benchmarks.cli import main

sys.exit(main())
