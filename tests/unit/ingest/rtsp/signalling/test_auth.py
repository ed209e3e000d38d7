"""Challenges as cameras write them, and the answers of the RFCs' examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtsp.signalling.auth import Credentials, challenges


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (['Basic realm="x"'], [("", "x")]),
        (['Digest realm="x", nonce="n"'], [("MD5", "x")]),
        (['Basic realm="x", Digest realm="y", nonce="n"'], [("MD5", "y"), ("", "x")]),
        (['Digest realm="a, Basic realm=b", nonce="n"'], [("MD5", "a, Basic realm=b")]),
        (['Digest nonce="n", realm="Basic"'], [("MD5", "Basic")]),
        (['Basic realm="hall, Digest of 1"'], [("", "hall, Digest of 1")]),
        (['Digest realm="a \\" Basic", nonce="n"'], [("MD5", 'a \\" Basic')]),
        (["Digest realm=plain,nonce=n"], [("MD5", "plain")]),
        (['digest Realm = "x" , NONCE = "n"'], [("MD5", "x")]),
        (['Digest realm="x" nonce="n"'], [("MD5", "x")]),
        (['Digest realm="x"; nonce="n"; algorithm=SHA256'], [("SHA-256", "x")]),
        (['Negotiate abc==, Digest realm="x", nonce="n"'], [("MD5", "x")]),
        (['Digest realm="x", nonce="n", algorithm=SHA-512-256', 'Digest realm="x", nonce="n", algorithm="SHA-256"'],
         [("SHA-512-256", "x"), ("SHA-256", "x")]),
        (['Digest realm="x", nonce="n", algorithm=SHA-1'], []),
        (['Digest realm="x", nonce="n", qop="auth-int"'], []),
        (['Digest realm="never closed, nonce=n'], [("MD5", "never closed, nonce=n")]),
        (["", ",,", '"', "=", "Digest"], [("MD5", "")]),
    ],
)  # fmt: skip
def test_challenges_are_read_as_they_are_meant(headers: list[str], expected: list[tuple[str, str]]) -> None:
    found = challenges(headers)
    assert [("" if one.basic else one.hash_name, one.realm) for one in found] == expected


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        # RFC 7616, 3.9.1
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_answers_of_the_rfc(algorithm: str, response: str) -> None:
    header = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", '
        f"algorithm={algorithm}, "
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    credentials = Credentials("Mufasa", "Circle of Life", lambda: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    credentials.use(challenges([header])[0])
    said = credentials.answer("GET", "/dir/index.html")
    assert f'response="{response}"' in said
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in said
    assert "nc=00000001" in said


def test_sha_512_256_is_the_digest_of_its_own_start_values() -> None:
    """FIPS 180-4, 5.3.6: not the beginning of SHA-512. The answer of RFC 7616, 3.9.2, as erratum 4897 corrects it."""
    header = (
        'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
        'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS"'
    )
    credentials = Credentials(
        "J\u00e4s\u00f8n Doe", "Secret, or not?", lambda: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"
    )
    credentials.use(challenges([header])[0])
    said = credentials.answer("GET", "/doe.json")
    assert 'response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"' in said


@given(st.lists(st.text(max_size=200), max_size=3))
def test_any_header_is_read_or_left(headers: list[str]) -> None:
    challenges(headers)
    challenges([f"Digest {header}" for header in headers])
