"""From a header to its payload key: the wrap fits its hour key and its core, the commitment its data key."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from domain.ids import HourKeyId
from storage.keys.hpke import HPKE
from storage.sealed import HEADER_SIZE, RefusedError
from storage.sealed.format import Header, hold_info, parse_header, wrap_info
from storage.sealed.unwrap import header_wrap, hold_wrap, hour_wrap, open_header, rewrap
from tests.support.footage.sealed import World, new_world, seal


@pytest.fixture(scope="module")
def world() -> World:
    return new_world()


@pytest.fixture(scope="module")
def header(world: World) -> Header:
    return parse_header(seal(world, b"x" * 100)[:HEADER_SIZE])


def data_key_of(world: World, header: Header) -> bytes:
    info = wrap_info(header.core.hour_key_id, header.core_sha256)
    return HPKE.decrypt(header.wrap, world.hour_private, info=info)


def test_header_gives_the_key_of_its_segment(world: World, header: Header) -> None:
    key = open_header(header, world.hour_private, world.recorders)
    assert (key.segment_id, key.camera_id) == (header.core.segment_id, header.core.camera_id)
    assert (key.start_ns, key.chunk_log2) == (header.core.start_ns, header.core.chunk_log2)
    assert (key.core_sha256, key.recorders) == (header.core_sha256, world.recorders)
    assert len(key.key) == 32
    assert key.key not in (data_key_of(world, header), header.commitment)


def test_another_hour_key_or_core_is_refused(world: World, header: Header) -> None:
    with pytest.raises(RefusedError):
        open_header(header, X25519PrivateKey.generate(), world.recorders)
    with pytest.raises(RefusedError):
        open_header(replace(header, core_sha256=bytes(32)), world.hour_private, world.recorders)
    with pytest.raises(RefusedError):
        open_header(
            header, world.hour_private, world.recorders, wrap=hour_wrap(header, HourKeyId(UUID(int=0)), header.wrap)
        )


@pytest.mark.parametrize("size", [0, 79, 81])
def test_wrap_of_another_length_is_refused(world: World, header: Header, size: int) -> None:
    with pytest.raises(RefusedError):
        open_header(
            header,
            world.hour_private,
            world.recorders,
            wrap=hour_wrap(header, header.core.hour_key_id, (header.wrap + b"\0")[:size]),
        )


def test_wrap_with_an_enc_of_low_order_is_refused_like_any_other(world: World, header: Header) -> None:
    """RFC 9180, 7.1.4: the shared secret would be zero for every private key."""
    for low_order in (bytes(32), b"\x01" + bytes(31)):
        with pytest.raises(RefusedError) as caught:
            open_header(
                header,
                world.hour_private,
                world.recorders,
                wrap=hour_wrap(header, header.core.hour_key_id, low_order + header.wrap[32:]),
            )
        assert caught.value.__context__ is None


def test_commitment_to_another_data_key_is_refused(world: World, header: Header) -> None:
    with pytest.raises(RefusedError):
        open_header(replace(header, commitment=bytes(32)), world.hour_private, world.recorders)
    info = wrap_info(header.core.hour_key_id, header.core_sha256)
    other = HPKE.encrypt(bytes(32), world.hour_private.public_key(), info=info)
    with pytest.raises(RefusedError):
        open_header(header, world.hour_private, world.recorders, wrap=hour_wrap(header, header.core.hour_key_id, other))


def test_data_key_of_another_length_is_refused(world: World, header: Header) -> None:
    """80 bytes hold 32: a wrap of that length cannot hold another, and a longer one is refused by its length."""
    info = wrap_info(header.core.hour_key_id, header.core_sha256)
    for size in (31, 33):
        wrap = HPKE.encrypt(bytes(size), world.hour_private.public_key(), info=info)
        with pytest.raises(RefusedError):
            open_header(
                header, world.hour_private, world.recorders, wrap=hour_wrap(header, header.core.hour_key_id, wrap)
            )


def test_newer_wrap_record_has_precedence_over_the_header(world: World, header: Header) -> None:
    """After an erasure the survivors are wrapped to another hour key; the header still holds the old wrap."""
    new_key, new_id = X25519PrivateKey.generate(), HourKeyId(UUID(int=9))
    info = wrap_info(new_id, header.core_sha256)
    wrap = HPKE.encrypt(data_key_of(world, header), new_key.public_key(), info=info)
    key = open_header(header, new_key, world.recorders, wrap=hour_wrap(header, new_id, wrap))
    assert key == open_header(header, world.hour_private, world.recorders)
    with pytest.raises(RefusedError):  # the right wrap under the old key's id
        open_header(header, new_key, world.recorders, wrap=hour_wrap(header, header.core.hour_key_id, wrap))


def test_segment_wrapped_to_a_hold_opens_with_the_holds_key_only(world: World, header: Header) -> None:
    hold, other = UUID(int=7), UUID(int=8)
    key = X25519PrivateKey.generate()
    info = hold_info(hold, header.core_sha256)
    sealed = rewrap(header, header_wrap(header), world.hour_private, key.public_key(), info)
    assert len(sealed) == 80
    opened = open_header(header, key, world.recorders, wrap=hold_wrap(header, hold, sealed))
    assert opened == open_header(header, world.hour_private, world.recorders)
    wrong = (
        (world.hour_private, hold_wrap(header, hold, sealed)),
        (key, hold_wrap(header, other, sealed)),
        (key, hour_wrap(header, HourKeyId(hold), sealed)),
        (key, header_wrap(header)),
    )
    for private, wrap in wrong:
        with pytest.raises(RefusedError):
            open_header(header, private, world.recorders, wrap=wrap)


def test_data_key_is_rewrapped_only_after_it_fits_the_segment(world: World, header: Header) -> None:
    key = X25519PrivateKey.generate()
    foreign = HPKE.encrypt(bytes(32), world.hour_private.public_key(), info=header_wrap(header).info)
    for private, wrap in (
        (X25519PrivateKey.generate(), header_wrap(header)),
        (world.hour_private, hour_wrap(header, header.core.hour_key_id, foreign)),
    ):
        with pytest.raises(RefusedError):
            rewrap(header, wrap, private, key.public_key(), b"")
