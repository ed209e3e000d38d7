"""Challenges as cameras write them, and the answers of the RFCs' examples."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtsp.signalling.auth import Challenge, Credentials, challenges


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
    assert credentials.answer("GET", "/dir/index.html") == (
        'Digest username="Mufasa", realm="http-auth@example.org", '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", '
        f'response="{response}", algorithm={algorithm}, opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", '
        'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, nc=00000001'
    )
    assert "nc=00000002" in credentials.answer("GET", "/dir/index.html")  # counted for each nonce
    credentials.use(challenges([header])[0])
    assert "nc=00000001" in credentials.answer("GET", "/dir/index.html")


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


def md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()


def parameters(said: str) -> dict[str, str]:
    assert said.startswith("Digest ")
    pairs = (item.partition("=") for item in said.removeprefix("Digest ").split(", "))
    return {name: value.strip('"') for name, _, value in pairs}


def test_answer_without_qop_is_that_of_rfc_2069() -> None:
    credentials = Credentials('a"b', "secret")
    credentials.use(challenges(['Digest realm="r", nonce="n"'])[0])
    response = md5(md5('a"b', "r", "secret"), "n", md5("DESCRIBE", "rtsp://x/"))
    assert credentials.answer("DESCRIBE", "rtsp://x/") == (
        f'Digest username="a\\"b", realm="r", nonce="n", uri="rtsp://x/", response="{response}"'
    )


@pytest.mark.parametrize("qop", [False, True])
def test_session_variant_hashes_nonce_and_cnonce_into_the_secret_and_says_the_cnonce(qop: bool) -> None:
    """RFC 7616, 3.4.2."""
    credentials = Credentials("u", "p", lambda: "mine")
    header = 'Digest realm="r", nonce="n", algorithm=MD5-sess, opaque=""' + (', qop="auth"' if qop else "")
    credentials.use(challenges([header])[0])
    said = parameters(credentials.answer("PLAY", "*"))
    who, what = md5(md5("u", "r", "p"), "n", "mine"), md5("PLAY", "*")
    assert said["response"] == (md5(who, "n", "00000001", "mine", "auth", what) if qop else md5(who, "n", what))
    assert (said["cnonce"], said["algorithm"], said["opaque"]) == ("mine", "MD5-sess", "")
    assert (said.get("qop"), said.get("nc")) == (("auth", "00000001") if qop else (None, None))


def test_cnonce_is_random() -> None:
    credentials = Credentials("u", "p")
    credentials.use(challenges(['Digest realm="r", nonce="n", qop="auth"'])[0])
    found = {parameters(credentials.answer("PLAY", "*"))["cnonce"] for _ in range(20)}
    assert len(found) == 20
    assert {len(one) for one in found} == {16}


def test_basic_answer_is_name_and_password() -> None:
    credentials = Credentials("u", "p\u00e4", basic=True)
    assert (credentials.answer("PLAY", "*"), credentials.challenged, credentials.nonce) == ("", False, "")
    credentials.use(Challenge(basic=True))
    assert credentials.answer("PLAY", "*") == "Basic dTpww6Q="
    assert (credentials.challenged, credentials.nonce) == (True, "")
    credentials.use(Challenge(basic=False, nonce="n"))
    assert credentials.nonce == "n"


def test_password_goes_in_clear_where_that_is_allowed_or_under_tls_before_any_digest() -> None:
    basic, digest = Challenge(basic=True), Challenge(basic=False)
    for secure in (False, True):
        for allowed in (False, True):
            credentials = Credentials("u", "p", secure=secure, basic=allowed)
            assert credentials.allow(digest)
            assert credentials.allow(basic) == (secure or allowed)
            credentials.use(basic)
            assert credentials.allow(basic) == (secure or allowed)
            credentials.use(digest)  # whoever asks for Basic now may be another
            assert credentials.allow(basic) == allowed
            credentials.use(basic)
            assert credentials.allow(basic) == allowed
    assert not Credentials("u", "p").allow(basic)


def test_credentials_are_given_by_a_name_or_a_password() -> None:
    found = [Credentials(user, password).given for user in ("", "u") for password in ("", "p")]
    assert found == [False, True, True, True]


def test_challenge_says_whether_its_nonce_was_stale() -> None:
    found = challenges(['Digest realm="x", nonce="n", stale=TRUE', 'Digest realm="x", nonce="n", stale=false'])
    assert [one.stale for one in found] == [True, False]
    assert not challenges(['Digest realm="x", nonce="n"'])[0].stale
