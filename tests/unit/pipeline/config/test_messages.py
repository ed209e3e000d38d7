"""[alarms] and [members]: what is wrong is said with its line; what is right reaches the role."""

from __future__ import annotations

from pathlib import Path

import pytest

from alarms.conditions import DELAYS_S, Kind
from api.settings import MembersSettings
from pipeline.config.load import ConfigError, load
from pipeline.config.messages import members_settings
from pipeline.config.roles import RoleSettings
from pipeline.config.warnings import warnings
from pipeline.installation import Installation

MAIL = """\
[[site]]
name = "Gym"
[alarms]
name = "Gym Helsinki"
off = ["clock"]
delay_s = { camera = 90 }
[alarms.mail]
host = "smtp.example"
user_name = "gym"
password = { file = "mail" }
sender = "gym@example.org"
recipients = ["anna@example.org", "berit@example.org"]
"""
HOOK = """\
[alarms.webhook]
url = "https://alarms.example/hook"
secret = { file = "hook" }
"""


def write(directory: Path, text: str) -> Path:
    for name, secret in (("mail", "mail-password"), ("hook", "whsec_AAEC")):
        (directory / name).write_text(secret)
        (directory / name).chmod(0o600)
    path = directory / "tallenne.toml"
    path.write_text(text)
    return path


def mistakes(directory: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(write(directory, text))
    return caught.value.mistakes


def test_settings_of_the_role(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, MAIL + HOOK))
    installation = Installation(tmp_path / "data")
    settings = RoleSettings(loaded=loaded, installation=installation, endpoints={}).alarms()
    assert (settings.name, settings.time_zone) == ("Gym Helsinki", "Europe/Helsinki")
    assert settings.mail is not None and settings.webhook is not None
    assert (settings.mail.port, settings.mail.tls, settings.mail.password) == (587, "starttls", "mail-password")
    assert settings.webhook.secret == bytes((0, 1, 2))
    assert settings.rules.delays_s == {**DELAYS_S, Kind.CAMERA: 90}
    assert settings.watch.off == {Kind.CLOCK}
    assert "notify" in settings.roles
    shown = repr(settings)
    assert "mail-password" not in shown and "alarms.example/hook" not in shown
    assert warnings(loaded.config) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('"anna@example.org"', '"anna"', 12, "not a plain mail address"),
        ('"anna@example.org"', '"berit@example.org"', 12, "there twice"),
        ('"anna@example.org"', '"a@b\\r\\nRCPT TO:<x@y>"', 12, "not a plain mail address"),
        ('off = ["clock"]', 'off = ["clocks"]', 5, "clock"),
        ("{ camera = 90 }", "{ cameras = 90 }", 6, "camera"),
        ("{ camera = 90 }", "{ camera = -1 }", 6, "greater than or equal to 0"),
        ('user_name = "gym"\n', "", 7, "needs its password"),
        ('user_name = "gym"', 'user_name = "gym"\ntls = "none"', 10, "in the clear"),
        ('"smtp.example"', '"smtp://smtp.example"', 8, "is not a host"),
        ("https://alarms.example/hook", "ftp://alarms.example/hook", 14, "is not a web address"),
        ("https://alarms.example/hook", "https://a:b@alarms.example/hook", 14, "holds a password"),
        ("https://alarms.example/hook", "https://alarms.example:x/hook", 14, "Port"),
        ('name = "Gym Helsinki"', 'name = "Gym"\ndead_man_url = "file:///etc/passwd"', 5, "is not a web address"),
        ('secret = { file = "hook" }', 'secret = { file = "nowhere" }', 15, "cannot be read"),
    ],
)
def test_mistakes_have_their_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    text = MAIL + HOOK
    assert old in text
    found = mistakes(tmp_path, text.replace(old, new, 1))
    assert [one for one in found if one.startswith(f"line {line}: ") and said in one], found


def test_secret_that_is_no_base64_is_found(tmp_path: Path) -> None:
    path = write(tmp_path, MAIL + HOOK)
    (tmp_path / "hook").write_text("whsec_?")
    with pytest.raises(ConfigError, match="no base64"):
        load(path)


def test_what_is_not_encrypted_is_a_warning(tmp_path: Path) -> None:
    text = MAIL.replace('user_name = "gym"\npassword = { file = "mail" }\n', 'tls = "none"\n')
    found = warnings(load(write(tmp_path, text + HOOK.replace("https:", "http:"))).config)
    assert [one.split()[0] for one in found] == ["[alarms.mail]", "[alarms.webhook]"]
    for host, count in (("mail.example", 1), ("127.0.0.1", 0)):
        own = f'[members]\n[members.mail]\nhost = "{host}"\ntls = "none"\nsender = "a@example.org"\n'
        assert len(warnings(load(write(tmp_path, MAIL + own)).config)) == count


MEMBERS = """\
[members]
name = "Sali"
may_change = ["phone"]
consents = ["Uutiskirje"]
"""
OWN_MAIL = """\
[members.mail]
host = "mail.example"
tls_ca = "authority.pem"
sender = "members@example.org"
"""


def test_members_have_a_mail_server_of_their_own_or_that_of_the_alarms(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").write_text("")

    def serve(text: str) -> MembersSettings | None:
        config = load(write(tmp_path, text)).config
        return members_settings(config, lambda path: tmp_path / path, lambda secret: "read")

    shared, own = serve(MAIL + MEMBERS), serve(MAIL + MEMBERS + OWN_MAIL)
    assert shared is not None and own is not None
    assert (shared.mail.host, shared.mail.sender, shared.mail.password) == ("smtp.example", "gym@example.org", "read")
    assert (own.mail.host, own.mail.password, own.mail.tls_ca) == ("mail.example", "", tmp_path / "authority.pem")
    assert (own.name, own.may_change, own.consents) == ("Sali", ("phone",), ("Uutiskirje",))
    assert "recipients" not in str(shared)
    assert serve(MAIL) is None


def test_members_without_mail_and_with_fields_of_staff_are_mistakes(tmp_path: Path) -> None:
    bare = MAIL.partition("[alarms.mail]")[0]
    (found,) = mistakes(tmp_path, bare + MEMBERS)
    assert "no mail server is named" in found and found.startswith("line ")
    (found,) = mistakes(tmp_path, MAIL + MEMBERS.replace('"phone"', '"birth_date"'))
    assert "may_change" in found
    (found,) = mistakes(tmp_path, MAIL + MEMBERS.replace('"Uutiskirje"', '"Uutiskirje", "Uutiskirje"'))
    assert "there twice" in found
    (found,) = mistakes(tmp_path, MAIL + MEMBERS + OWN_MAIL.replace("tls_ca", "user_name"))
    assert "needs its password" in found
