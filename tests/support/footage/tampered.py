"""Random tampering with sealed objects: every line of the format's "Refuse", as often as one likes, from one seed."""

from __future__ import annotations

import hashlib
import io
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from storage.keys.hour_key import PublicHourKey
from storage.sealed import HEADER_SIZE, OVERHEAD, TRAILER_SIZE, plan_recovery
from storage.sealed.format import TAG_SIZE, ZERO_HASH
from tests.support.footage.sealed import END_NS, World, finish, new_sealer, new_world, open_object

CORE_SIZE = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Genuine:
    """An object as it was sealed."""

    data: bytes
    plain: bytes
    chunk_log2: int

    @property
    def step(self) -> int:
        return (1 << self.chunk_log2) + TAG_SIZE

    @property
    def chunks(self) -> list[bytes]:
        end = len(self.data) - TRAILER_SIZE
        return [self.data[at : min(at + self.step, end)] for at in range(HEADER_SIZE, end, self.step)]

    @property
    def header(self) -> bytes:
        return self.data[:HEADER_SIZE]

    @property
    def trailer(self) -> bytes:
        return self.data[-TRAILER_SIZE:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A changed object. hour_private: the key it is tried with; header_only: what was changed lies in the header."""

    kind: str
    genuine: Genuine
    data: bytes
    hour_private: X25519PrivateKey
    header_only: bool = False


@dataclass(slots=True)
class Shelf:
    """Segments of one camera and one hour key, and things that a thief of the bucket could lay hands on."""

    dice: random.Random
    world: World = field(default_factory=new_world)
    objects: list[Genuine] = field(default_factory=list)

    def __post_init__(self) -> None:
        for chunk_log2 in (14, 14, 15):
            size = 1 << chunk_log2
            for plain_size in (0, 1, size, 2 * size + 777, 3 * size, 4 * size + self.dice.randrange(size - 200)):
                self.objects.append(self.sealed(plain_size, chunk_log2))
            self.objects += [self.sealed(chunks * size, chunk_log2, recovered=True) for chunks in (1, 3)]

    def sealed(self, size: int, chunk_log2: int, *, recovered: bool = False) -> Genuine:
        sealer = new_sealer(self.world, chunk_log2=chunk_log2)
        plain = self.dice.randbytes(size)
        body = b"".join((sealer.header, *sealer.push(plain)))
        if recovered:
            mended = plan_recovery(
                io.BytesIO(body),
                len(body),
                end_ns=END_NS,
                previous_trailer_sha256=ZERO_HASH,
                recorder_id=self.world.recorder_id,
                sign=self.world.recorder_private.sign,
            )
            data = body + mended.trailer
        else:
            data = body + finish(self.world, sealer)
        opened = open_object(data, self.world.hour_private, self.world.recorders)
        return Genuine(data=data, plain=opened, chunk_log2=chunk_log2)

    def signed(self, data: bytes, **changed: int) -> bytes:
        """``data`` with a trailer that says what is true of its bytes, rightly signed by the enrolled recorder."""
        head = list(struct.unpack(">4sB3s16sqQ32s32s", data[-TRAILER_SIZE:-64]))
        head[1] = changed.get("state", head[1])
        head[5] = changed.get("plain_len", head[5])
        head[6] = hashlib.sha256(data[:-TRAILER_SIZE]).digest()
        return data[:-TRAILER_SIZE] + self.signature_over(data, struct.pack(">4sB3s16sqQ32s32s", *head))

    def signature_over(self, data: bytes, head: bytes, key: Ed25519PrivateKey | None = None) -> bytes:
        key = key or self.world.recorder_private
        return head + key.sign(b"tallenne/1 trailer" + hashlib.sha256(data[:CORE_SIZE]).digest() + head)

    def cases(self, number: int) -> Iterator[Case]:
        """``number`` cases of every kind."""
        for kind, make in KINDS.items():
            made = 0
            while made < number:
                genuine = self.dice.choice(self.objects)
                data = make(self, genuine)
                if data is None or data == genuine.data:
                    continue
                made += 1
                yield Case(
                    kind=kind,
                    genuine=genuine,
                    data=data,
                    hour_private=self.world.hour_private,
                    header_only=kind in HEADER_ONLY,
                )

    def foreign(self, genuine: Genuine, *, alike: bool = False) -> Genuine:
        """Another segment under the same hour key; ``alike``: of the same chunk size, with a chunk at least."""
        others = [item for item in self.objects if item is not genuine]
        if alike:
            others = [item for item in others if item.chunk_log2 == genuine.chunk_log2 and item.chunks]
        return self.dice.choice(others)

    def wrong_hour_key(self) -> Case:
        genuine = self.dice.choice(self.objects)
        return Case(kind="wrong-key", genuine=genuine, data=genuine.data, hour_private=X25519PrivateKey.generate())

    def sealed_to_another_key(self) -> Case:
        """The same key id in the header, but sealed to another public key."""
        stranger = X25519PrivateKey.generate()
        public = stranger.public_key().public_bytes_raw()
        hour_key: PublicHourKey = replace(self.world.hour_key, public_key=public)
        other = replace(self.world, hour_key=hour_key)
        sealer = new_sealer(other)
        plain = self.dice.randbytes(20_000)
        data = b"".join((sealer.header, *sealer.push(plain), finish(other, sealer)))
        return Case(
            kind="sealed-to-another-key",
            genuine=Genuine(data=data, plain=plain, chunk_log2=14),
            data=data,
            hour_private=self.world.hour_private,
        )


Make = Callable[[Shelf, Genuine], bytes | None]


def _flip(shelf: Shelf, data: bytes, start: int, end: int) -> bytes:
    at = shelf.dice.randrange(start, end)
    return data[:at] + bytes([data[at] ^ 1 << shelf.dice.randrange(8)]) + data[at + 1 :]


def _flip_header(shelf: Shelf, genuine: Genuine) -> bytes:
    return _flip(shelf, genuine.data, 0, HEADER_SIZE)


def _flip_chunk(shelf: Shelf, genuine: Genuine) -> bytes | None:
    end = len(genuine.data) - TRAILER_SIZE
    return _flip(shelf, genuine.data, HEADER_SIZE, end) if end > HEADER_SIZE else None


def _flip_trailer(shelf: Shelf, genuine: Genuine) -> bytes:
    return _flip(shelf, genuine.data, len(genuine.data) - TRAILER_SIZE, len(genuine.data))


def _set_constant(shelf: Shelf, genuine: Genuine) -> bytes:
    """Version, suite, chunk size or flags: any value."""
    at = shelf.dice.randrange(4, 8)
    return genuine.data[:at] + bytes([shelf.dice.randrange(256)]) + genuine.data[at + 1 :]


def _cut(shelf: Shelf, genuine: Genuine) -> bytes:
    return genuine.data[: shelf.dice.randrange(len(genuine.data))]


def _cut_from_the_front(shelf: Shelf, genuine: Genuine) -> bytes:
    return genuine.data[shelf.dice.randrange(1, len(genuine.data)) :]


def _cut_and_signed(shelf: Shelf, genuine: Genuine) -> bytes | None:
    """A chunk cut short and called the last one; the trailer agrees with the length and is rightly signed."""
    body = genuine.data[HEADER_SIZE:-TRAILER_SIZE]
    if len(body) <= TAG_SIZE:
        return None
    full, rest = divmod(shelf.dice.randrange(TAG_SIZE, len(body)), genuine.step)
    rest = max(rest, TAG_SIZE)
    at = full * genuine.step + rest
    data = genuine.header + body[:at] + genuine.trailer
    return shelf.signed(data, state=0, plain_len=full * (genuine.step - TAG_SIZE) + rest - TAG_SIZE)


def _longer(shelf: Shelf, genuine: Genuine) -> bytes:
    more = shelf.dice.randbytes(shelf.dice.choice((1, 15, 16, 17, 1000, genuine.step)))
    at = shelf.dice.choice((0, HEADER_SIZE, len(genuine.data) - TRAILER_SIZE, len(genuine.data)))
    return genuine.data[:at] + more + genuine.data[at:]


def _rearranged(shelf: Shelf, genuine: Genuine) -> bytes | None:
    """Chunks swapped, dropped, repeated or taken from another segment, wherever."""
    chunks = genuine.chunks
    if not chunks:
        return None
    at, to = shelf.dice.randrange(len(chunks)), shelf.dice.randrange(len(chunks))
    how = shelf.dice.randrange(5)
    if how == 0:
        chunks[at], chunks[to] = chunks[to], chunks[at]
    elif how == 1 and at + 1 < len(chunks):  # what is left after the last ones is a recovered object, once signed
        del chunks[at]
    elif how == 2:
        chunks.insert(to, chunks[at])
    elif how == 3:
        chunks[at] = shelf.dice.choice(shelf.foreign(genuine, alike=True).chunks)
    else:
        others = shelf.foreign(genuine, alike=True).chunks
        chunks[at:] = others[at:] or others
    if chunks == genuine.chunks[: len(chunks)]:
        return None
    return genuine.header + b"".join(chunks) + genuine.trailer


def _rearranged_and_signed(shelf: Shelf, genuine: Genuine) -> bytes | None:
    data = _rearranged(shelf, genuine)
    return None if data is None else _told(shelf, data, genuine.step)


def _told(shelf: Shelf, data: bytes, step: int) -> bytes:
    """Signed, with state and length as the bytes themselves say."""
    full, rest = divmod(len(data) - OVERHEAD, step)
    state = 0 if rest else 1
    return shelf.signed(data, state=state, plain_len=full * (step - TAG_SIZE) + max(0, rest - TAG_SIZE))


def _part_of_another(shelf: Shelf, genuine: Genuine) -> bytes:
    """Another segment's core, commitment, wrap or whole header: all valid, all under the same hour key."""
    start, end = shelf.dice.choice(((0, 96), (96, 128), (128, 210), (130, 162), (96, 210), (0, 128), (0, 210)))
    other = shelf.foreign(genuine).data
    return genuine.data[:start] + other[start:end] + genuine.data[end:]


def _trailer_of_another(shelf: Shelf, genuine: Genuine) -> bytes:
    return genuine.data[:-TRAILER_SIZE] + shelf.foreign(genuine).trailer


def _state(shelf: Shelf, genuine: Genuine) -> bytes:
    state = genuine.trailer[4]
    return shelf.signed(genuine.data, state=shelf.dice.choice([1 - state, 2, 255]))


def _plain_len(shelf: Shelf, genuine: Genuine) -> bytes:
    told = len(genuine.plain)
    return shelf.signed(
        genuine.data, plain_len=shelf.dice.choice([told + 1, max(0, told - 1), 1 << 63, told ^ 1 << 14])
    )


def _signed_by_a_stranger(shelf: Shelf, genuine: Genuine) -> bytes:
    trailer = shelf.signature_over(genuine.data, genuine.trailer[:-64], Ed25519PrivateKey.generate())
    return genuine.data[:-TRAILER_SIZE] + trailer


def _of_a_stranger(shelf: Shelf, genuine: Genuine) -> bytes:
    """A recorder that nobody enrolled."""
    head = genuine.trailer[:8] + shelf.dice.randbytes(16) + genuine.trailer[24:-64]
    return genuine.data[:-TRAILER_SIZE] + shelf.signature_over(genuine.data, head)


def _rubbish(shelf: Shelf, genuine: Genuine) -> bytes:
    return shelf.dice.randbytes(shelf.dice.randrange(2 * len(genuine.data)))


def _signed(make: Make) -> Make:
    def made(shelf: Shelf, genuine: Genuine) -> bytes | None:
        data = make(shelf, genuine)
        return None if data is None or data == genuine.data else shelf.signed(data)

    return made


KINDS: dict[str, Make] = {
    "bit-of-the-header": _flip_header,
    "bit-of-the-header-signed": _signed(_flip_header),
    "bit-of-a-chunk": _flip_chunk,
    "bit-of-a-chunk-signed": _signed(_flip_chunk),
    "bit-of-the-trailer": _flip_trailer,
    "constant": _set_constant,
    "constant-signed": _signed(_set_constant),
    "cut": _cut,
    "cut-from-the-front": _cut_from_the_front,
    "cut-and-signed": _cut_and_signed,
    "longer": _longer,
    "chunks-rearranged": _rearranged,
    "chunks-rearranged-and-signed": _rearranged_and_signed,
    "part-of-another": _part_of_another,
    "part-of-another-signed": _signed(_part_of_another),
    "trailer-of-another": _trailer_of_another,
    "state-signed": _state,
    "plain-len-signed": _plain_len,
    "signed-by-a-stranger": _signed_by_a_stranger,
    "of-a-stranger": _of_a_stranger,
    "rubbish": _rubbish,
}
HEADER_ONLY = {name for name in KINDS if name.startswith(("bit-of-the-header", "constant", "part-of-another"))}
