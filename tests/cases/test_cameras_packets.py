"""Reports about signalling and packets, each with what it asked for. Their essence is in tests/cameras."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ingest.rtsp.tls import secure
from ingest.settings import TlsLevel
from tests.cases.camera_reports import report, report_text

slow = pytest.mark.slow


def recorded(case: Any, module: Any, seconds: float) -> dict[str, Any]:
    """The facts of a real recording of the report's camera."""
    facts: dict[str, Any] = asyncio.run(module.record(case, seconds))
    return facts


@pytest.mark.parametrize("name", ["Usual", "Case"])
def test_control_urls(name: str) -> None:
    with report("control_urls") as module:
        facts = recorded(getattr(module, name)(), module, 5)
    assert facts["footage_frames"] > 25
    assert facts["error"] == ""


def test_annexb_in_fu() -> None:
    with report("annexb_in_fu") as module:
        for codec, coder in (("h264", "libx264"), ("h265", "libx265")):
            cut = module.fu264 if codec == "h264" else module.fu265
            stream = module.encoded(3.0, codec=coder)
            ways = {
                "whole": lambda data, cut=cut: cut(module.start_codes(data)),
                "one zero less": lambda data, cut=cut: cut(module.start_codes(data)[1:]),
                "first unit in front": lambda data, cut=cut: cut(module.start_codes(data)[4:]),
                "one packet": lambda data: [module.start_codes(data)],
            }
            for way, payloads in ways.items():
                track = module.make_track(codec)
                got = module.units(module.walked(track, module.sent(stream, payloads)))
                assert (len(got), sum(unit.key for unit in got)) == (75, 3), (codec, way)


@pytest.mark.parametrize(("codec", "coder"), [("h264", "libx264"), ("h265", "libx265")])
def test_fu_empty_start(codec: str, coder: str) -> None:
    with report("fu_empty_start") as module:
        frames: list[bytes] = []
        for data, ticks, _ in module.encoded(3.0, codec=coder):
            made = module.payloads(data, codec)
            numbered = enumerate(made, len(frames))
            frames += [module.frame(p, n, ticks, marker=p is made[-1]) for n, p in numbered]
        assert len(module.units(module.walked(module.make_track(codec), frames))) == 75


def test_sei_with_start_code() -> None:
    with report("sei_with_start_code"):
        pass  # it asserts that each SEI message is whole while it is loaded


def test_padding_bit() -> None:
    with report("padding_bit") as module:
        plain = module.frames_of([(data, ticks) for data, ticks, _ in module.encoded(3.0)])
        track = module.make_track()
        got = module.units(module.walked(track, [one[:4] + bytes((one[4] | 0x20,)) + one[5:] for one in plain]))
        assert (len(got), track.malformed, track.lost_packets) == (75, 0, 0)
        assert got == module.units(module.walked(module.make_track(), plain))


def test_tls_without_ecdhe() -> None:
    """The report's cameras, asked as the configuration allows: see also tests/unit/ingest/rtsp/test_tls.py."""
    said: list[str] = []

    async def with_the_level_set(*given: Any) -> Any:
        tls = await secure(*given, TlsLevel.LEGACY)
        said.append(tls.note)
        return tls

    with pytest.MonkeyPatch.context() as patch, report_text("tls_without_ecdhe") as run:
        patch.setattr("ingest.rtsp.tls.secure", with_the_level_set)
        run()  # it asserts that each camera is connected to
    assert len(said) == 5


@slow
def test_numbers_shared() -> None:
    with report("numbers_shared") as module:
        facts = recorded(module.Case(), module, 15)
    assert facts["footage_s"] > 13
    assert (facts["losses"], facts["error"]) == (0, "")


@slow
@pytest.mark.parametrize("name", ["Case", pytest.param("WrongNumber", marks=pytest.mark.long)])
def test_keepalive_unanswered(name: str) -> None:
    with report("keepalive_unanswered") as module:
        facts = recorded(getattr(module, name)(), module, 50)
    assert facts["connections"] == 1
    assert facts["losses"] == 0


@slow
def test_bytes_between_frames() -> None:
    with report("bytes_between_frames") as module:
        facts = recorded(module.Case(), module, 44)
    assert (facts["connections"], facts["losses"], facts["error"]) == (1, 0, "")
    assert facts["footage_s"] > 39  # on a busy machine the connection comes after the first key frame, one in 4 s


@slow
def test_open_gop_h264() -> None:
    with report("open_gop_h264") as module:
        facts = recorded(module.Case(), module, 80)
    assert facts["footage_s"] > 70
