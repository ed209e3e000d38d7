"""Parameter sets and delay of an init are read back."""

from __future__ import annotations

import pytest

from ingest.media.init import make_init
from storage.mp4 import (
    delay_of,
    parameter_sets,
)
from tests.support.footage.fragments import H264, H265


@pytest.mark.parametrize("parameters", [H264, H265])
@pytest.mark.parametrize("delay", [0, 3600])
def test_parameter_sets_and_delay_of_an_init_are_read_back(parameters: object, delay: int) -> None:
    _, init = make_init(parameters, delay)  # type: ignore[arg-type]
    sets = [H265.vps, H265.sps, *H265.pps] if parameters is H265 else [H264.sps, *H264.pps]
    assert parameter_sets(init) == b"".join(len(item).to_bytes(4, "big") + item for item in sets)
    assert delay_of(init) == delay
