"""Which origins are our own: RFC 6454, and what reverse proxies send."""

from __future__ import annotations

import pytest

from api.http.origin import is_same_origin, target_of

UPSTREAM = "127.0.0.1:8443"


def same(origin: str, *, by_proxy: bool = False, scheme: str = "https", **headers: str) -> bool:
    """``headers``: underscores stand for hyphens."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return is_same_origin(origin, target_of(sent, scheme, by_proxy=by_proxy))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://gym.example", "gym.example"),
        ("https://gym.example", "gym.example:443"),
        ("https://gym.example:443", "gym.example"),
        ("https://gym.example", "Gym.Example"),
        ("https://GYM.example", "gym.example"),
        ("https://gym.example:8443", "gym.example:8443"),
        ("https://[::1]:8443", "[::1]:8443"),
    ],
)
def test_the_same_host_and_port(origin: str, host: str) -> None:
    assert same(origin, host=host)


@pytest.mark.parametrize(
    "origin",
    [
        "https://other",
        "https://gym.example:1",
        "http://gym.example",
        "null",
        "https://[bad",
        "gym.example",
        "",
        "https://",
    ],
)
def test_another_host_port_or_scheme(origin: str) -> None:
    assert not same(origin, host="gym.example")


def test_host_that_a_trusted_proxy_names_counts_and_a_strangers_does_not() -> None:
    more = {"host": UPSTREAM, "x_forwarded_host": "gym.example", "x_forwarded_proto": "https"}
    assert same("https://gym.example", by_proxy=True, **more)
    assert not same("https://gym.example", **more)
    assert not same("https://other.example", by_proxy=True, **more)
    assert same("https://gym.example", by_proxy=True, host=UPSTREAM, x_forwarded_host="gym.example, inner")


def test_port_that_a_proxy_names_apart() -> None:
    assert same("https://gym.example:8443", by_proxy=True, host="gym.example", x_forwarded_port="8443")
    assert not same("https://gym.example:8444", by_proxy=True, host="gym.example", x_forwarded_port="8443")


def test_scheme_that_a_proxy_names() -> None:
    assert same("http://gym.lan", by_proxy=True, host="gym.lan", x_forwarded_proto="http")
    assert not same("http://gym.lan", by_proxy=True, host="gym.lan", x_forwarded_proto="https")
    assert same("http://gym.lan", by_proxy=True, host="gym.lan")
