"""What goes between the role and its decoding process: apart, so that the role itself loads no decoder."""

from __future__ import annotations

import struct
from typing import Final

REQUEST: Final = struct.Struct(">Iq")  # bytes of the clip; the time in it, in microseconds
LENGTH: Final = struct.Struct(">I")
INPUT_MAX: Final = 32 << 20
