"""Door messages to events, one pure function for each door system.

A new system is a module with ``decode(topic, payload)``, a line in DECODERS and a test file. Payloads that come
another way than MQTT (webhooks) decode alike; what they use as a topic is theirs to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from indexer.decoders import axis, esp_rfid, native
from indexer.decoders.event import DecodedEvent, Decoder, normalised_credential
from indexer.decoders.reading import PAYLOAD_MAX_BYTES
from indexer.errors import IndexMisuseError

DECODERS: Final[Mapping[str, Decoder]] = MappingProxyType(
    {"native": native.decode, "esp-rfid": esp_rfid.decode, "axis": axis.decode}
)


def decoder(name: str) -> Decoder:
    """IndexMisuseError when there is none of that name."""
    try:
        return DECODERS[name]
    except KeyError:
        raise IndexMisuseError(f"There is no decoder {name!r}.", f"Known are: {', '.join(sorted(DECODERS))}.") from None


__all__ = ["DECODERS", "PAYLOAD_MAX_BYTES", "DecodedEvent", "Decoder", "decoder", "normalised_credential"]
