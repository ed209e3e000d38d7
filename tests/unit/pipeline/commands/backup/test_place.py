"""The recovery key and the place, as they are named in arguments."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import pytest

from pipeline.commands.backup.place import add_key, add_source, named_place, recovery_key
from pipeline.errors import SetupError
from runtime.private_files import write_private
from storage.backup import RecoveryKey, RecoveryKeyError


def given(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_source(parser, required=True)
    add_key(parser)
    return parser.parse_args(words)


def test_bucket_is_described_by_a_file(tmp_path: Path) -> None:
    write_private(tmp_path / "word", b"secret")
    secrets = 'access_key = { file = "word" }\nsecret_key = { file = "word" }\n'
    text = f'endpoint = "s3.example:9000"\nbucket = "backups"\n{secrets}'
    (tmp_path / "place.toml").write_text(text)
    found = named_place(given("--from-store", str(tmp_path / "place.toml")))
    assert found is not None
    assert found.store is not None
    assert (found.store.bucket, found.store.secret_key) == ("backups", "secret")
    (tmp_path / "place.toml").write_text("[[")
    with pytest.raises(SetupError, match="does not describe a bucket"):
        named_place(given("--from-store", str(tmp_path / "place.toml")))


def test_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = named_place(given("--from", str(tmp_path)))
    assert found is not None
    assert found.directory == tmp_path
    with pytest.raises(SetupError, match="There is no directory"):
        named_place(given("--from", str(tmp_path / "none")))


def test_key_is_read_from_a_private_file_or_the_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = RecoveryKey.generate()
    write_private(tmp_path / "key", key.text().encode())
    assert recovery_key(given("--from", ".", "--key-file", str(tmp_path / "key"))) == key
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(SetupError, match="read by others"):
        recovery_key(given("--from", ".", "--key-file", str(tmp_path / "key")))
    for words in (("--key-file", "-"), ()):
        monkeypatch.setattr("sys.stdin", io.StringIO(key.text().lower() + "\n"))
        assert recovery_key(given("--from", ".", *words)) == key
    monkeypatch.setattr("sys.stdin", io.StringIO("nothing\n"))
    with pytest.raises(RecoveryKeyError):
        recovery_key(given("--from", "."))
