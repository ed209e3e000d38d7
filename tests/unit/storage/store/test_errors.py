"""Errors of the network become errors of the store that may pass later; mistakes of ours do not."""

from __future__ import annotations

import http.client
import ssl

import pytest

from domain.errors import RetryableError, StorageError
from storage.store.errors import StoreAwayError, network_errors


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError("secret"), "too slow or silent"),
        (ConnectionResetError("secret"), "ConnectionResetError"),
        (ssl.SSLError("secret"), "SSLError"),
        (http.client.RemoteDisconnected("secret"), "RemoteDisconnected"),
        (http.client.BadStatusLine("secret"), "BadStatusLine"),
    ],
)
def test_network_trouble_is_worth_another_try_and_tells_nothing_of_the_peer(error: Exception, words: str) -> None:
    with pytest.raises(StoreAwayError, match=words) as caught, network_errors():
        raise error
    assert isinstance(caught.value, RetryableError) and isinstance(caught.value, StorageError)
    assert caught.value.__cause__ is error
    assert "secret" not in str(caught.value)


def test_mistake_of_ours_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="ours"), network_errors():
        raise ValueError("ours")
