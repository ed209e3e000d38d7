"""Decoders on what no vendor sends: refused by name, whatever it is."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.decoders import DECODERS, PAYLOAD_MAX_BYTES, Decoder, decoder
from indexer.errors import DecodeError, IndexMisuseError
from tests.support.doors.messages import EXAMPLES, TOPIC, decoded


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_redelivery_has_the_same_dedup_and_another_event_has_not(name: str) -> None:
    body = EXAMPLES[name]
    assert decoded(name, body).dedup == decoded(name, dict(reversed(body.items()))).dedup
    clock = {"native": {"event_id": "7f2"}, "esp-rfid": {"time": 1605991376}, "axis": {"timestamp": 1382951603001}}
    assert decoded(name, body).dedup != decoded(name, body | clock[name]).dedup


HOSTILE = {
    "empty": b"",
    "not JSON": b"<xml/>",
    "not an object": b"[1]",
    "cut": b'{"event_id": "1", ',
    "not UTF-8": b'{"event_id": "\xff"}',
    "UTF-16": '{"event_id": "1"}'.encode("utf-16"),
    "NaN": b'{"time": NaN}',
    "deep": b'{"a":' * 50_00 + b"1" + b"}" * 50_00,
    "deep arrays": b"[" * 30_000 + b"]" * 30_000,
    "oversized": b'{"a": "' + b"x" * PAYLOAD_MAX_BYTES + b'"}',
    "huge number": b'{"type": "access", "access": "Always", "time": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("name", sorted(DECODERS))
@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_payload_is_refused(name: str, payload: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        decoder(name)(TOPIC, payload)
    assert "xxx" not in str(refused.value) and "999" not in str(refused.value)


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_size_limit_is_exact(name: str) -> None:
    body = json.dumps(EXAMPLES[name]).encode()
    assert decoder(name)(TOPIC, body + b" " * (PAYLOAD_MAX_BYTES - len(body)))
    with pytest.raises(DecodeError, match="larger"):
        decoder(name)(TOPIC, body + b" " * (PAYLOAD_MAX_BYTES - len(body) + 1))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS.keys())
@given(example=st.sampled_from(list(EXAMPLES.values())), data=st.data())
def test_any_field_of_any_type_decodes_or_is_refused(
    decode: Decoder, example: dict[str, Any], data: st.DataObject
) -> None:
    """Nothing but DecodeError ever leaves a decoder, and what it gives can be stored."""
    body = json.loads(json.dumps(example))
    part = data.draw(st.sampled_from([body, body.get("message", body)]))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(_json)
    try:
        events = decode(TOPIC, json.dumps(body).encode())
    except DecodeError:
        return
    for event in events:
        for text in (event.door, event.credential, event.number, *event.dedup):
            assert text is None or (text.encode("utf-8") and "\x00" not in text) or text == ""


@given(payload=st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(payload: bytes) -> None:
    for decode in DECODERS.values():
        with contextlib.suppress(DecodeError):
            assert decode(TOPIC, payload) == ()


def test_unknown_decoder_names_the_known_ones() -> None:
    with pytest.raises(IndexMisuseError, match="native"):
        decoder("salto")
