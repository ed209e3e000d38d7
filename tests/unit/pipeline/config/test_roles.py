"""The configuration file: every mistake named with its line and a remedy, secrets never taken from it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from custodian.operations import allowed
from pipeline.cli import main
from pipeline.config.lines import line_of
from pipeline.config.load import ConfigError, load
from pipeline.config.roles import RoleSettings
from pipeline.errors import SetupError
from pipeline.installation import Installation

ENDPOINTS = {"database": {"host": "nowhere", "port": 1}}

GOOD = """\
[[site]]
name = "Helsinki"

[[site.camera]]
name = "Entrance"
url = "rtsp://192.168.1.10/one"
zone = "hall"
purpose = "safety"
assessment = "2026-1"

[[site.camera]]
name = "Weights"
url = "rtsp://192.168.1.11/one"
zone = "gym"
purpose = "safety"
assessment = "2026-1"

[[site.door]]
name = "Main"
external_id = "main"
cameras = [{ name = "Entrance" }]

[[door_system]]
site = "Helsinki"
topic = "access/helsinki/+"
"""


ID = "83a86ce1-1f3a-4a3b-9a3a-6f46306dad00"


def written(folder: Path, text: str) -> Path:
    path = folder / "tallenne.toml"
    path.write_text(text)
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text))
    return caught.value.mistakes


def test_a_good_file_loads(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD)).config
    assert [camera.name for camera in config.site[0].camera] == ["Entrance", "Weights"]


def test_the_example_is_correct_once_its_secret_is_there(tmp_path: Path) -> None:
    text = files("pipeline.config").joinpath("example.toml").read_text()
    path = written(tmp_path, text)
    (said,) = mistakes(tmp_path, text)
    assert "secrets/entrance-camera" in said
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "entrance-camera"
    secret.write_text("word")
    secret.chmod(0o600)
    assert load(path).config.site[0].camera[0].password is not None


def test_the_example_names_every_option() -> None:
    from pydantic import BaseModel

    from pipeline.config.model import Config

    def options(model: type[BaseModel]) -> set[str]:
        found = set(model.model_fields)
        for field in model.model_fields.values():
            for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
                if isinstance(part, type) and issubclass(part, BaseModel):
                    found |= options(part)
        return found

    text = files("pipeline.config").joinpath("example.toml").read_text()
    assert {name for name in options(Config) if name not in text} == set()


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


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + 'name = "x\n')
    assert said.startswith("line 26: ")


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "word"
    secret.write_text("x")
    secret.chmod(0o644)
    text = GOOD.replace('zone = "hall"', 'zone = "hall"\npassword = { file = "word" }')
    (said,) = mistakes(tmp_path, text)
    assert "can be read by others" in said
    assert "chmod 600" in said


def test_no_file_is_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="config example"):
        load(tmp_path / "nothing.toml")


def test_config_check_prints_and_exits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, GOOD)
    assert main(["config", "check", "--config", str(path)]) == 0
    assert "1 sites, 2 cameras, 1 doors" in capsys.readouterr().out
    written(tmp_path, GOOD.replace('zone = "gym"', 'zone = "sauna"'))
    assert main(["config", "check", "--config", str(path), "--json"]) == 2
    assert '"ok": false' in capsys.readouterr().out
    assert main(["config", "check", "--config", str(path)]) == 2
    assert "line 14: " in capsys.readouterr().err


def test_line_of_finds_nested_arrays() -> None:
    assert line_of(GOOD, ("site", 0, "camera", 1, "url")) == 13
    assert line_of(GOOD, ("site", 0, "camera", 1, "missing")) == 11
    assert line_of(GOOD, ("door_system", 0)) == 23
    assert line_of(GOOD, ("nothing",)) == 1


APART = """
run = "/run/tallenne"

[custodian]
socket = "/run/tallenne-custodian/custodian.sock"
users = { ingest = "1001", index = "1002", serve = "1003", operator = "1004" }
"""


def apart(text: str = APART) -> str:
    top, _, rest = text.partition("\n[")
    return f"{top}\n{GOOD}\n[{rest}"


def test_users_of_their_own_may_ask_the_custodian_for_what_their_role_needs(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, apart()))
    assert loaded.config.apart
    settings = RoleSettings(loaded=loaded, installation=Installation(tmp_path), endpoints=ENDPOINTS)
    (tmp_path / "secrets").mkdir()
    with pytest.raises(SetupError, match="install -d -m 1777"):
        settings.custodian()
    here = load(written(tmp_path, apart().replace('/run/tallenne"', f'{tmp_path}"')))
    asked = allowed(RoleSettings(loaded=here, installation=Installation(tmp_path), endpoints=ENDPOINTS).custodian())
    assert asked["open_segments"] == (1003,)
    assert asked["open_for_verify"] == asked["open_headers"] == asked["open_intake"] == (1004,)
    assert asked["enrol"] == (1001, 1004)
    assert {name for name, uids in asked.items() if 1001 in uids} == {"identity", "status", "enrol"}


def test_ingests_user_must_be_nobody_elses_and_the_socket_be_reachable(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, apart().replace('serve = "1003"', 'serve = "1001"'))
    assert "custodian.users.serve: It is ingest's user too" in said
    (said,) = mistakes(tmp_path, apart(APART.replace('socket = "/run/tallenne-custodian/custodian.sock"', "")))
    assert "Name a socket" in said


def test_secrets_of_other_roles_may_be_away_only_where_roles_are_apart(tmp_path: Path) -> None:
    camera = 'assessment = "2026-1"\n'
    with_secret = camera + 'password = { file = "away" }\n'
    (said,) = mistakes(tmp_path, GOOD.replace(camera, with_secret, 1))
    assert "away" in said
    load(written(tmp_path, apart().replace(camera, with_secret, 1)))
    (tmp_path / "away").write_text("here, and open to others")
    (tmp_path / "away").chmod(0o644)
    (said,) = mistakes(tmp_path, apart().replace(camera, with_secret, 1))
    assert "can be read by others" in said


def test_a_worker_that_there_is_none_of_does_not_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, GOOD)
    place = ["--config", str(path), "--data", str(tmp_path / "data")]
    installation = Installation(tmp_path / "data")
    installation.prepare()
    installation.write_endpoints({})
    assert main(["ingest", "--worker", "7", *place]) == 2
    assert "There is no worker 7: [ingest] workers is 1." in capsys.readouterr().err


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
    assert "Nobody may be filmed" in found


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "Weights"', f'name = "Weights"\nid = "{ID}"', "another camera's"),
        (
            'cameras = [{ name = "Entrance" }]',
            'cameras = [{ name = "Entrance" }, { name = "Entrance" }]',
            "there twice",
        ),
        ('name = "Helsinki"\n\n', 'name = "Helsinki"\ntime_zone = "Europe"\n\n', "is no time zone"),
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


def test_nesting_without_end_is_no_traceback(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, "a = " + "[" * 5000)
    assert "nested too deeply" in found or "not TOML" in found


def test_a_file_that_notepad_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tallenne.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(path).config.site[0].name == "Helsinki"
