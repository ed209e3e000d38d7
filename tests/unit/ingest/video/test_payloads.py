"""Payloads of both codecs, byte by byte: what each hands to the assembly, and what it counts as malformed."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.errors import StreamError
from ingest.native.form import FIRST
from ingest.rtp.counts import Counts
from ingest.rtp.h264 import SLICES as SLICES_H264
from ingest.rtp.h264 import H264Payload
from ingest.rtp.h265 import SLICES as SLICES_H265
from ingest.rtp.h265 import H265Payload
from ingest.video.parameters import Role

PICTURE, KEY, SET, DROP, KEEP = Role


class Assembly:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.parts: list[bytes] = []
        self.open_at = -1

    def whole(self, nal: bytes, role: int) -> None:
        self.told.append(("whole", nal, role))

    def begin(self, header: bytes, role: int, data: bytes) -> None:
        self.told.append(("begin", header, role, data))
        self.open_at = 0

    def end(self) -> None:
        self.told.append(("end", b"".join(self.parts)))
        self.open_at = -1

    def tear(self, header: bytes) -> None:
        self.told.append(("tear", header))


class Taken:
    """A payload of one codec over such an assembly."""

    def __init__(self, codec: str) -> None:
        self.assembly, self.counts = Assembly(), Counts()
        assembly: Any = self.assembly
        self.payload = (H264Payload if codec == "h264" else H265Payload)(assembly, self.counts)

    def take(self, data: bytes) -> int:
        """In the middle of other bytes, which are not its own."""
        view = memoryview(b"\xee" * 5 + data + b"\xee" * 5)
        return self.payload.take(view, 5, 5 + len(data))

    def asked(self, question: str, data: bytes) -> bool:
        view = memoryview(b"\x80" * 5 + data + bytes(5))
        return bool(getattr(self.payload, question)(view, 5, 5 + len(data)))


def sized(nal: bytes, size: int | None = None) -> bytes:
    return (len(nal) if size is None else size).to_bytes(2, "big") + nal


HEADS = {"h264": b"\x78", "h265": b"\x60\x01"}
UNITS = {"h264": (b"\x65\x88", b"\x41\x9a"), "h265": (b"\x26\x01\xaf", b"\x02\x01\xd0")}
ROLES = (KEY, PICTURE)


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("length", [0, 1, 250, 254, 255, 256, 300, 1000])
def test_aggregate_holds_units_of_any_length(codec: str, length: int) -> None:
    """Sizes have two bytes: the first counts from 256 on."""
    taken = Taken(codec)
    first, second = UNITS[codec]
    long = first + b"\x55" * length
    assert taken.take(HEADS[codec] + sized(long) + sized(second)) == -1
    assert taken.assembly.told == [("whole", long, KEY), ("whole", second, PICTURE)]
    assert (taken.counts.malformed, taken.counts.work) == (0, 2)


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("more", [1, 2, 255, 256, 65_000])
def test_size_that_lies_keeps_the_units_before_it(codec: str, more: int) -> None:
    taken = Taken(codec)
    first, second = UNITS[codec]
    assert taken.take(HEADS[codec] + sized(first) + sized(second, len(second) + more)) == -1
    assert taken.assembly.told == [("whole", first, KEY)]
    assert taken.counts.malformed == 1


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_units_too_short_to_be_one_and_bytes_behind_the_last_are_passed_over(codec: str) -> None:
    taken = Taken(codec)
    first, second = UNITS[codec]
    for short in (b"", b"\x65", b"\x26\x01")[: 1 if codec == "h264" else 3]:
        taken.take(HEADS[codec] + sized(short) + sized(first) + sized(second) + b"\x00")
        assert taken.assembly.told == [("whole", first, KEY), ("whole", second, PICTURE)], short
        taken.assembly.told.clear()
    assert (taken.counts.malformed, taken.payload.malformed) == (0, 0)
    taken.take(HEADS[codec] + b"\x00\x05")  # a size, and nothing behind it
    assert taken.counts.malformed == 0


@pytest.mark.parametrize(
    ("codec", "first", "middle", "last", "header", "following"),
    [
        ("h264", b"\x7c\x85", b"\x7c\x05", b"\x7c\x45", b"\x65", 0x7C05),
        ("h264", b"\x3c\x81", b"\x3c\x01", b"\x3c\x41", b"\x21", 0x3C01),
        ("h265", b"\x62\x01\x93", b"\x62\x01\x13", b"\x62\x01\x53", b"\x26\x01", 0x620113),
        ("h265", b"\xe3\x02\x81", b"\xe3\x02\x01", b"\xe3\x02\x41", b"\x83\x02", 0xE30201),
    ],
)
def test_fragments_become_the_unit_that_was_cut(
    codec: str, first: bytes, middle: bytes, last: bytes, header: bytes, following: int
) -> None:
    taken = Taken(codec)
    role = KEY if header[0] in (0x65, 0x26) else PICTURE
    assert taken.take(first + b"abc") == following
    assert taken.take(middle + b"de") == following
    assert taken.take(middle) == following  # empty: allowed
    assert taken.take(last + b"f") == -1
    assert taken.assembly.told == [("begin", header, role, b"abc"), ("end", b"def")]
    assert taken.counts.malformed == 0
    assert taken.take(middle + b"de") == -1  # its beginning is missing
    assert taken.assembly.told[2:] == [("tear", header)]
    assert taken.asked("goes_on", middle + b"x") and taken.asked("goes_on", middle) == (len(middle) > 1)
    assert not taken.asked("goes_on", first + b"x")
    assert not taken.asked("goes_on", middle[:-1])
    assert not taken.asked("goes_on", UNITS[codec][0])


def test_one_fragment_may_be_all() -> None:
    taken = Taken("h264")
    assert taken.take(b"\x7c\xc5abc") == -1
    assert taken.assembly.told == [("begin", b"\x65", KEY, b"abc"), ("end", b"")]
    taken = Taken("h265")
    assert taken.take(b"\x62\x01\xd3abc") == -1
    assert taken.assembly.told == [("begin", b"\x26\x01", KEY, b"abc"), ("end", b"")]


@pytest.mark.parametrize(
    ("codec", "data"),
    [
        ("h264", b"\x7c"),  # a fragment without its second byte
        ("h264", b"\x7c\x98abc"),  # a fragment of an aggregate
        ("h264", b"\x7c\x9fabc"),
        ("h264", b"\x00abc"),  # type 0
        ("h264", b"\x1eabc"),  # 30 and 31 are reserved
        ("h264", b"\x1fabc"),
        ("h265", b"\x26\x01"),
        ("h265", b"\x62\x01\xb0abc"),  # a fragment of an aggregate
        ("h265", b"\x62\x01\xbfabc"),
        ("h265", b"\x26\x00abc"),  # no temporal id
        ("h265", b"\x66\x01abc"),  # 51 on are reserved
        ("h265", b"\x7e\x01abc"),
    ],
)
def test_what_is_no_unit_is_counted(codec: str, data: bytes) -> None:
    taken = Taken(codec)
    assert taken.take(data) == -1
    assert taken.assembly.told == []
    assert taken.counts.malformed == 1


@pytest.mark.parametrize(
    ("codec", "data", "role"),
    [
        ("h264", b"\x67abc", SET),
        ("h264", b"\x09\xf0", DROP),
        ("h264", b"\x06abc", KEEP),
        ("h264", b"\x17abc", KEEP),  # 23, the last of its own
        ("h264", b"\x00\x00\x00\x01\x65\x88", DROP),  # a start code before it
        ("h265", b"\x42\x01abc", SET),
        ("h265", b"\x5e\x01abc", KEEP),  # 47
        ("h265", b"\x00\x00\x00\x01\x26\x01", DROP),
    ],
)
def test_unit_in_a_packet_of_its_own_goes_as_it_is(codec: str, data: bytes, role: Role) -> None:
    taken = Taken(codec)
    assert taken.take(data) == -1
    assert taken.assembly.told == [("whole", data, role)]
    assert taken.counts.malformed == 0


def test_fragment_without_a_temporal_id_is_dropped_with_its_unit() -> None:
    taken = Taken("h265")
    taken.take(b"\x62\x00\x93abc")
    assert taken.assembly.told == [("begin", b"\x26\x00", DROP, b"abc")]


@pytest.mark.parametrize(("codec", "kind"), [("h264", 25), ("h264", 26), ("h264", 27), ("h264", 29), ("h265", 50)])
def test_packets_of_modes_that_were_not_negotiated_are_refused(codec: str, kind: int) -> None:
    with pytest.raises(StreamError):
        Taken(codec).take((bytes((kind,)) if codec == "h264" else bytes((kind << 1, 1))) + b"abc")


@pytest.mark.parametrize(
    ("codec", "data", "continues"),
    [
        ("h264", b"\x65\x7f", True),  # the first bit is not set: first_mb_in_slice is not 0
        ("h264", b"\x65\x80", False),
        ("h264", b"\x65", False),
        ("h264", b"\x06\x00", False),  # no slice
        ("h264", b"\x7c\x85\x7f", True),
        ("h264", b"\x7c\x85\x80", False),
        ("h264", b"\x7c\x05\x7f", False),  # not the first fragment
        ("h264", b"\x7c\x87\x7f", False),  # of a parameter set
        ("h264", b"\x7c\x85", False),
        ("h265", b"\x26\x01\x7f", True),
        ("h265", b"\x26\x01\x80", False),
        ("h265", b"\x26\x01", False),
        ("h265", b"\x42\x01\x00", False),
        ("h265", b"\x62\x01\x93\x7f", True),
        ("h265", b"\x62\x01\x93\x80", False),
        ("h265", b"\x62\x01\x13\x7f", False),
        ("h265", b"\x62\x01\xa1\x7f", False),
        ("h265", b"\x62\x01\x93", False),
    ],
)
def test_slice_that_is_not_the_first_of_its_picture_is_known(codec: str, data: bytes, continues: bool) -> None:
    assert Taken(codec).asked("continues", data) == continues


def test_beginnings_of_slices_are_what_take_says_of_them() -> None:
    """The table lets a track begin a picture without calling the payload: it must say the same."""
    importances, bits = range(28, 128, 32), (0, 0x40, 0x80, 0xC0)
    in_h264 = [bytes((head, flags | kind)) for head in importances for flags in bits for kind in range(32)]
    fragments = {
        "h264": (SLICES_H264, in_h264),
        "h265": (SLICES_H265, [bytes((0x62, layer, third)) for layer in range(1, 8) for third in range(256)]),
    }
    for codec, (table, heads) in fragments.items():
        known = dict(table)
        for head in heads:
            taken = Taken(codec)
            following = taken.take(head + b"x")
            begun = [told for told in taken.assembly.told if told[0] == "begin" and told[2] <= KEY]
            expected = (begun[0][1], begun[0][2]) if begun and following >= 0 else None
            if codec == "h264" and begun and head[1] & 31 == 0:
                expected = None  # type 0 is no slice
            assert known.pop(int.from_bytes(head, "big"), None) == expected, head.hex()
            assert expected is None or following == int.from_bytes(head, "big") ^ FIRST
        assert known == {}
