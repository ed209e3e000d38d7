"""Mistakes of a configuration: each with its line and a remedy, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.load import load
from tests.support.configuration import GOOD, mistakes, written

ID = "83a86ce1-1f3a-4a3b-9a3a-6f46306dad00"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('name = "Weights"', 'name = "Entrance"', 12, "twice"),
        ('url = "rtsp://192.168.1.11/one"', 'url = "http://x"', 13, "url"),
        ('url = "rtsp://192.168.1.11/one"', 'url = "rtsp://me:word@x/one"', 13, "password"),
        ('url = "rtsp://192.168.1.11/one"', 'url = "rtsp://[bad/one"', 13, "no host"),
        ('url = "rtsp://192.168.1.11/one"', 'urll = "rtsp://x"', 13, "urll"),
        ('zone = "gym"', 'zone = "the showers"', 14, "759/2004"),
        ('zone = "gym"', 'zone = "gym"\nretention_h = 100', 15, "EDPB"),
        ('zone = "gym"', 'zone = "gym"\naudio = true', 15, "audio_reason"),
        ('zone = "gym"', 'zone = "gym"\npassword = { env = "NO_SUCH_VARIABLE" }', 15, "NO_SUCH_VARIABLE"),
        ('{ name = "Entrance" }', '{ name = "Nowhere" }', 21, "no camera 'Nowhere'"),
        ('zone = "gym"', 'zone = "gym"\nsegment_s = inf', 15, "finite"),
        ('site = "Helsinki"', 'site = "Turku"', 24, "no site 'Turku'"),
        ('name = "Helsinki"\n', 'name = "Helsinki"\ntime_zone = "Europe/Nowhere"\n', 3, "time zone"),
        ('purpose = "safety"\nassessment = "2026-1"\n\n[[site.door]]', "[[site.door]]", 11, "purpose"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_a_remedy(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    assert old in GOOD
    said = mistakes(tmp_path, GOOD.replace(old, new))
    assert any(item.startswith(f"line {line}: ") and words in item for item in said), said


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("192.168.1.11", "8.8.8.8", 'outside private networks. If it is right, write networks = ["8.8.8.8"]'),
        ("192.168.1.11", "169.254.169.254", "outside private networks"),
        ("192.168.1.11", "[2001:db8::1]", "outside private networks"),
        ('zone = "gym"', 'zone = "gym"\nnetworks = ["10.0.0.0/8"]', "outside the camera's networks"),
        ('zone = "gym"', 'zone = "gym"\nnetworks = ["192.168.1.11/8"]', "is not a network"),
        ('zone = "gym"', 'zone = "gym"\nsubstream_url = "rtsp://8.8.8.8/2"', "outside private networks"),
        ('zone = "gym"', 'zone = "gym"\nsubstream_url = "rtsp://a:b@10.0.0.2/2"', "password = { file = ... }"),
        ('zone = "gym"', 'zone = "gym"\nsubstream_url = "rtsp:///2"', "has no host"),
        ('zone = "gym"', 'zone = "gym"\nsubstream_url = "http://10.0.0.2/2"', "rtsp"),
        ('zone = "gym"', 'zone = "gym"\ntransport = "udp"\nsubstream_url = "rtsps://10.0.0.2/2"', "UDP goes past TLS"),
        ('zone = "gym"', 'zone = "gym"\nretention_h = "72"', "a number, without quotes"),
        ('zone = "gym"', 'zone = "gym"\nretention_h = true', "a number, without quotes"),
        ('zone = "gym"', 'zone = "gym"\nsegment_s = "10"', "a number, without quotes"),
        ('zone = "gym"', 'zone = "gym"\nbasic_auth = "false"', "true or false, without quotes"),
        ('zone = "gym"', 'zone = "gym"\nbasic_auth = 1', "true or false, without quotes"),
        ("[[door_system]]", '[alarms]\ndelay_s = { camera = "9" }\n\n[[door_system]]', "a number, without quotes"),
        ("[[door_system]]", '[alarms]\ndoor_silent_h = "9"\n\n[[door_system]]', "a number, without quotes"),
    ],
)
def test_what_would_fail_or_change_its_meaning_later_is_one_clear_mistake(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in GOOD
    (said,) = mistakes(tmp_path, GOOD.replace(old, new))
    assert words in said


def test_a_camera_outside_of_private_networks_is_taken_once_its_network_is_named(tmp_path: Path) -> None:
    named = GOOD.replace("192.168.1.11", "8.8.8.8").replace('zone = "gym"', 'zone = "gym"\nnetworks = ["8.8.8.0/24"]')
    for text in (named, GOOD.replace("192.168.1.11", "camera.example")):
        load(written(tmp_path, text))


@pytest.mark.parametrize("topic", ["access/g+/x", "access/#/x", "#x", "a/+b/c"])
def test_a_topic_that_is_no_filter_is_named(tmp_path: Path, topic: str) -> None:
    (said,) = mistakes(tmp_path, GOOD.replace("access/helsinki/+", topic))
    assert "topic filter" in said


@pytest.mark.parametrize("topic", ["#", "+", "access/+/front", "+/+", "access/#", "/rfid/send", "gym//send", "töölö/+"])
def test_a_topic_filter_is_taken(tmp_path: Path, topic: str) -> None:
    path = written(tmp_path, GOOD.replace("access/helsinki/+", topic))
    assert load(path).config.door_system[0].topic == topic


OWN_BROKER = '[broker]\nhost = "b"\nuser_name = "u"\npassword = { file = "mq" }\n\n[[door_system]]'


@pytest.mark.parametrize("topic", ["a b/c", "access/*/x", "access/>", "töölö /+"])
def test_a_topic_that_only_the_embedded_broker_cannot_carry_is_refused_for_it(tmp_path: Path, topic: str) -> None:
    text = GOOD.replace("access/helsinki/+", topic)
    (said,) = mistakes(tmp_path, text)
    assert "door_system[1].topic" in said and "embedded broker" in said and "[broker]" in said
    secret = tmp_path / "mq"
    secret.touch(mode=0o600)
    secret.write_text("word")
    own = written(tmp_path, text.replace("[[door_system]]", OWN_BROKER))
    assert load(own).config.door_system[0].topic == topic


@pytest.mark.parametrize("topic", ["$SYS/#", "$share/group/access/+", "a\\u0007b", "a\\u0085"])
def test_a_topic_that_no_broker_gives_us_is_refused(tmp_path: Path, topic: str) -> None:
    assert len(mistakes(tmp_path, GOOD.replace("access/helsinki/+", topic))) == 1


@pytest.mark.parametrize("name", ["side door", "side/door", "a+b", "*", "side\\u00a0door", "x\\u202ey"])
def test_a_door_whose_name_no_message_can_carry_is_refused(tmp_path: Path, name: str) -> None:
    (said,) = mistakes(tmp_path, GOOD.replace('external_id = "main"', f'external_id = "{name}"'))
    assert "external_id" in said


def test_a_door_that_the_payload_names_may_have_blanks(tmp_path: Path) -> None:
    text = GOOD.replace('external_id = "main"', 'external_id = "side door"')
    load(written(tmp_path, text + 'decoder = "axis"\n'))


def test_what_only_follows_from_a_mistake_is_not_told(tmp_path: Path) -> None:
    assert len(mistakes(tmp_path, GOOD.replace('zone = "gym"', "zone = 1"))) == 1


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    text = GOOD.replace('zone = "gym"', 'zone = "sauna"').replace('name = "Entrance" }', 'name = "X" }')
    assert len(mistakes(tmp_path, text)) == 2


@pytest.mark.parametrize("zone", ["Newcastle entrance", "showcase wall", "staffordshire gym hall", "lobby", "kahvila"])
def test_a_zone_that_only_sounds_like_one_is_taken(tmp_path: Path, zone: str) -> None:
    load(written(tmp_path, GOOD.replace('zone = "gym"', f'zone = "{zone}"')))


@pytest.mark.parametrize(
    "zone",
    [
        "Locker room",
        "women's showers",
        "WC",
        "dressing-room",
        "bathroom",
        "lavatory",
        "vessa",
        "taukohuone",
        "miesten pukuhuone",
    ],
)
def test_a_zone_where_nobody_may_be_filmed_is_refused(tmp_path: Path, zone: str) -> None:
    (found,) = mistakes(tmp_path, GOOD.replace('zone = "gym"', f'zone = "{zone}"'))
    assert "is prohibited" in found


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "Weights"', f'name = "Weights"\nid = "{ID}"', "Another camera has"),
        (
            'cameras = [{ name = "Entrance" }]',
            'cameras = [{ name = "Entrance" }, { name = "Entrance" }]',
            "there twice",
        ),
        ('name = "Helsinki"\n\n', 'name = "Helsinki"\ntime_zone = "Europe"\n\n', "is not a time zone"),
        ('zone = "hall"', 'zone = "hall"\ntls_fingerprint = "AB"', "tls_fingerprint"),
        ('external_id = "main"', 'external_id = " main "', "external_id"),
        ("[[door_system]]", '[custodian]\nsocket = "/' + "a" * 120 + '"\n\n[[door_system]]', "shorter"),
        ("[[door_system]]", '[broker]\nhost = "b"\nport = 99999\n\n[[door_system]]', "port"),
        ('zone = "hall"', 'zone = "hall"\nuser_name = "u"\npassword = { file = "a\\u0000b" }', "control character"),
    ],
)
def test_what_the_database_would_refuse_is_named_by_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = GOOD.replace(
        'name = "Entrance"\nurl', 'name = "Entrance"\nid = "83a86ce1-1f3a-4a3b-9a3a-6f46306dad00"\nurl', 1
    )
    assert old in text
    assert any(words in found for found in mistakes(tmp_path, text.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ('[alarms.mail]\nhost = "h"\nsender = "a@b.c"\nrecipients = ["a@b.c"]\ntls_ca = "none.pem"\n', "none.pem"),
        ('[serve]\ncertificate = "none.pem"\nkey = "none.key"\n', "none.key"),
        ("[spool]\nmax_gib = 1e308\n", "spool.max_gib"),
        ('[alarms.webhook]\nurl = "https://h"\nsecret = "plain"\n', '{ file = "path" }'),
        ('[alarms.mail]\nhost = "h"\nsender = "me"\nrecipients = "a@b.c"\n', "It is not a plain mail address"),
        ('[alarms.mail]\nhost = "h"\nsender = "a@b.c"\nrecipients = "a@b.c"\n', "It is not a list"),
        ('[alarms.mail]\nhost = "h"\nsender = "a@b.c"\nrecipients = []\n', "at least 1"),
        ("[alarm]\n", "no such option"),
        ('[store]\nbucket = "A_B"\n', "not of the form"),
        (
            '[store]\nendpoint = "s3"\nbucket = "gym"\naccess_key = { env = "A" }\nsecret_key = { env = "A" }\n'
            'keeper_access_key = { env = "A" }\n',
            "The keeper's access key needs its secret key",
        ),
    ],
)
def test_a_mistake_in_a_section_is_said_in_words_for_people(tmp_path: Path, section: str, words: str) -> None:
    said = mistakes(tmp_path, GOOD + "\n" + section)
    assert any(words in item for item in said), said
    assert not any("Value error" in item or "instance of" in item or "tuple" in item.lower() for item in said)
