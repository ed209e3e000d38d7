"""Addresses of cameras: what is printed, what is allowed, what is refused."""

from __future__ import annotations

import pytest

from ingest.addresses import bracketed, is_allowed, redacted, resolve
from ingest.errors import AddressRefusedError


@pytest.mark.parametrize(
    ("url", "printed"),
    [
        ("rtsp://gym:secret@192.168.1.10/one?token=x", "rtsp://192.168.1.10/one"),
        ("rtsp://gym:secret@camera.example:8554", "rtsp://camera.example:8554"),
        ("rtsps://[fd00::1]:322/a", "rtsps://[fd00::1]:322/a"),
        ("nonsense", "://?nonsense"),
    ],
)
def test_printed_addresses_hold_no_credentials_and_no_query(url: str, printed: str) -> None:
    assert redacted(url).endswith(printed.removeprefix("://?"))
    assert "secret" not in redacted(url)
    assert "token" not in redacted(url)


@pytest.mark.parametrize(
    ("address", "networks", "allowed"),
    [
        *(("192.168.1.10", (), True), ("10.9.8.7", (), True), ("fd00::1", (), True), ("127.0.0.1", (), True)),
        *(("8.8.8.8", (), False), ("169.254.169.254", (), False), ("fe80::1", (), False), ("100.64.0.1", (), False)),
        *(("8.8.8.8", ("8.8.8.0/24",), True), ("192.168.1.10", ("192.168.2.0/24",), False)),
        ("10.0.0.1", ("::/0",), False),  # another family
    ],
)
def test_private_networks_by_default_and_only_the_named_ones_otherwise(
    address: str, networks: tuple[str, ...], allowed: bool
) -> None:
    assert is_allowed(address, networks) is allowed


async def test_resolved_address_keeps_the_name_the_default_port_and_the_query() -> None:
    found = await resolve("rtsps://gym:secret@127.0.0.1/one?channel=2", ())
    assert (found.host, found.port, found.path) == ("127.0.0.1", 322, "/one?channel=2")
    assert found.url == "rtsps://127.0.0.1:322/one?channel=2"


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "rtsp:///one", "rtsp://192.0.2.1/one", "file:///etc/passwd"])
async def test_other_schemes_and_networks_are_refused_without_credentials_in_the_words(url: str) -> None:
    with pytest.raises(AddressRefusedError):
        await resolve(url, ())


def test_only_ipv6_addresses_are_bracketed() -> None:
    assert [bracketed(host) for host in ("::1", "127.0.0.1", "camera")] == ["[::1]", "127.0.0.1", "camera"]
