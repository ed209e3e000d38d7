"""Topics and texts as NATS writes them; against the real server in tests/integration/pipeline/test_quoting.py."""

from __future__ import annotations

import pytest

from pipeline.embedded.nats import configuration, quoted, subjects, topic_fault, topic_of


@pytest.mark.parametrize(
    ("topic", "wanted"),
    [
        ("access/helsinki/+", ["access.helsinki.*"]),
        ("access/#", ["access.>", "access"]),
        ("#", [">"]),
        ("/rfid/send", ["/.rfid.send"]),
        ("gym//send", ["gym./.send"]),
        ("a/", ["a./"]),
        ("a//", ["a././"]),
        ("a.b/c", ["a//b.c"]),
        ("/#", ["/.>", "/"]),
        ("ovet/töölö/send", ["ovet.töölö.send"]),
    ],
)
def test_topic_becomes_the_subject_that_nats_makes_of_it(topic: str, wanted: list[str]) -> None:
    assert subjects(topic) == wanted


@pytest.mark.parametrize(
    "topic", ["a", "/a", "a/", "a//b", "//", "a.b/c", "/.", "./", "a/.b/..", "ovet/töölö/send", "a.//.b"]
)
def test_subject_becomes_the_topic_again(topic: str) -> None:
    assert topic_of(subjects(topic)[0]) == topic


@pytest.mark.parametrize("topic", ["a b/c", "a/ ", "a\tb", "a/\x7f", "a/\u0085", "a/*/b", ">", "a/>"])
def test_what_it_cannot_carry_is_refused_with_the_reason(topic: str) -> None:
    assert topic_fault(topic)
    with pytest.raises(ValueError, match="embedded broker"):
        subjects(topic)


def test_star_within_a_level_is_a_sign_like_any_other() -> None:
    assert subjects("a*b/c>") == ["a*b.c>"]


def test_texts_are_quoted_without_escapes_that_nats_does_not_know() -> None:
    assert quoted('ö "a" \\ \n') == '"ö \\"a\\" \\\\ \\n"'
    with pytest.raises(ValueError, match="control"):
        quoted("\x01")


def test_configuration_is_nested() -> None:
    assert configuration({"a": [True, 1, "ö"], "b": {}}) == '{"a": [true, 1, "ö"],\n"b": {}}'
