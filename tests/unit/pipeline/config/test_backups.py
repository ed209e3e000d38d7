"""What is backed up: everything that the configuration names, and nothing of the keyring."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.backups import backup_files, backup_settings
from pipeline.errors import SetupError
from runtime.private_files import write_private
from tests.support.commands import settings_in
from tests.support.configuration import GOOD, mistakes

STORE = (
    'endpoint = "s3.example:9000"\nbucket = "backups"\naccess_key = { file = "word" }\nsecret_key = { file = "word" }\n'
)
PLACE = '\n[backup]\ndirectory = "backups"\n'


def names(folder: Path, text: str) -> dict[str, Path]:
    return dict(backup_files(settings_in(folder, text)))


def test_files_that_the_configuration_names_are_in(tmp_path: Path) -> None:
    write_private(tmp_path / "word", b"x")
    write_private(tmp_path.parent / "outside-word", b"x")
    text = GOOD.replace('zone = "hall"', 'zone = "hall"\npassword = { file = "word" }')
    text = text.replace('zone = "gym"', 'zone = "gym"\npassword = { file = "../outside-word" }')
    found = names(tmp_path, text)
    assert found["config/tallenne.toml"] == tmp_path / "tallenne.toml"
    assert found["config/word"] == tmp_path / "word"
    assert {"data/secrets", "data/serve", "data/recorder", "data/custodian/custodian-keys", "data/backup/keys"} <= set(
        found
    )


def test_keyring_and_its_replicas_are_not(tmp_path: Path) -> None:
    (tmp_path / "replica").write_bytes(b"x")
    found = names(tmp_path, GOOD + '\n[custodian]\nkeyring_replicas = ["replica"]\n')
    assert not [path for path in found.values() if path.name in ("keyring", "replica", "custodian")]


def test_one_place_is_named(tmp_path: Path) -> None:
    write_private(tmp_path / "word", b"x")
    for wrong in ("\n[backup]\n", f"{PLACE}[backup.store]\n{STORE}"):
        (said,) = mistakes(tmp_path, GOOD + wrong)
        assert "Backups go to one place" in said
    (said,) = mistakes(tmp_path, GOOD + PLACE + "every_s = 301\n")
    assert "every_s" in said


def test_without_a_section_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no place for backups"):
        backup_settings(settings_in(tmp_path))


def test_own_database_is_left_to_its_operator(tmp_path: Path) -> None:
    write_private(tmp_path / "word", b"x")
    secrets = "".join(
        f'{one}_password = {{ file = "word" }}\n'
        for one in ("owner", "ingest", "index", "custodian", "serve", "keeper")
    )
    settings = backup_settings(
        settings_in(tmp_path, f'{GOOD}\n[database]\nhost = "db"\n{secrets}\n[backup.store]\n{STORE}')
    )
    assert settings.source.database is None
    assert settings.place.store is not None
    assert settings.place.store.bucket == "backups"
    assert settings.periods.keep_d == 35
