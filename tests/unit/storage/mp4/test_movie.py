"""Inits as they are written, read back by the box reader; libav judges them in test_boxes.py."""

from __future__ import annotations

from storage.mp4.boxes import boxes, find
from storage.mp4.movie import sound_trak, video_trak, write_init

AVCC = b"\x00\x00\x00\x0cavcC\x01\x64\x00\x1f"


def kinds(data: bytes, *path: bytes) -> list[bytes]:
    found = find(data, *path)
    return [item.kind for item in boxes(data, found.body, found.end)]


def test_order_of_boxes_and_one_trex_a_track() -> None:
    video = video_trak(b"avc1", AVCC, 640, 360, 90_000)
    init = write_init([video, sound_trak(b"\x14\x08", 16_000, 1, 90_000)], 90_000)
    assert [item.kind for item in boxes(init)] == [b"ftyp", b"moov"]
    assert kinds(init, b"moov") == [b"mvhd", b"trak", b"trak", b"mvex"]
    assert kinds(init, b"moov", b"mvex") == [b"trex", b"trex"]


def test_edit_list_only_with_a_delay_and_before_the_media() -> None:
    assert kinds(video_trak(b"avc1", AVCC, 640, 360, 90_000), b"trak") == [b"tkhd", b"mdia"]
    delayed = video_trak(b"avc1", AVCC, 640, 360, 90_000, delay_ticks=7200)
    assert kinds(delayed, b"trak") == [b"tkhd", b"edts", b"mdia"]
    elst = find(delayed, b"trak", b"edts", b"elst")
    assert int.from_bytes(delayed[elst.body + 12 : elst.body + 16], "big") == 7200


def test_sizes_and_timescale_stand_where_players_read_them() -> None:
    trak = video_trak(b"hvc1", AVCC, 1920, 1080, 90_000)
    tkhd, mdhd = find(trak, b"trak", b"tkhd"), find(trak, b"trak", b"mdia", b"mdhd")
    assert trak[tkhd.end - 8 : tkhd.end] == (1920 << 16).to_bytes(4, "big") + (1080 << 16).to_bytes(4, "big")
    assert int.from_bytes(trak[mdhd.body + 12 : mdhd.body + 16], "big") == 90_000


def test_rate_beyond_the_field_is_capped_and_the_configuration_stays_whole() -> None:
    config = b"\x10\x10\x56\xe5\x00"
    trak = sound_trak(config, 96_000, 2, 90_000)
    stsd = find(trak, b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    entry = trak[stsd.body + 8 : stsd.end]
    assert entry[4:8] == b"mp4a"
    assert int.from_bytes(entry[8 + 24 : 8 + 28], "big") == 0xFFFF << 16
    assert config in entry
