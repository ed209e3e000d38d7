"""A socket's address is short enough however deep its directory lies."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from custodian.address import socket_address


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_socket_is_reached_in_any_directory(tmp_path: Path, depth: int) -> None:
    folder = tmp_path.joinpath(*["d" * 50] * depth)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "custodian.sock"
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as client:
        with socket_address(path) as address:
            assert len(address) <= 107
            listening.bind(address)
        listening.listen()
        with socket_address(path) as address:
            client.connect(address)
    assert path.is_socket()


def test_short_path_is_its_own_address() -> None:
    for length in (106, 107):
        path = Path("/" + "x" * (length - 1))
        with socket_address(path) as address:
            assert address == str(path)
