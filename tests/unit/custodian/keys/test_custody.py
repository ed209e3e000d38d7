"""The custodian's secrets: created once, never replaced, one process at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from custodian.errors import CustodianMisuseError
from custodian.keys.custody import open_custody
from storage.keys import KeyFileError


def test_secrets_are_created_once_and_the_same_afterwards(tmp_path: Path) -> None:
    with open_custody(tmp_path / "custodian", [tmp_path / "other" / "keyring"]) as first:
        signer, intake = first.signer, first.intake.private_bytes_raw()
        assert not first.begun()
        first.begin()
    with open_custody(tmp_path / "custodian", [tmp_path / "other" / "keyring"]) as again:
        assert (again.signer, again.intake.private_bytes_raw()) == (signer, intake)
        assert again.begun()
    assert all(path.stat().st_mode & 0o77 == 0 for path in (tmp_path / "custodian").iterdir())


def test_second_custodian_is_refused(tmp_path: Path) -> None:
    with (
        open_custody(tmp_path / "custodian"),
        pytest.raises(CustodianMisuseError),
        open_custody(tmp_path / "custodian"),
    ):
        pass


@pytest.mark.parametrize("lost", ["custodian-keys", "keyring"])
def test_lost_file_is_never_replaced_by_a_new_one(tmp_path: Path, lost: str) -> None:
    with open_custody(tmp_path / "custodian"):
        pass
    (tmp_path / "custodian" / lost).unlink()
    with pytest.raises(KeyFileError), open_custody(tmp_path / "custodian"):
        pass
    assert not (tmp_path / "custodian" / lost).exists()


@pytest.mark.parametrize(
    "text", ["", "{}", '{"format": "other"}', '{"format": "tallenne custodian keys 1", "signing": "00"}']
)
def test_damaged_keys_are_reported_with_a_remedy(tmp_path: Path, text: str) -> None:
    with open_custody(tmp_path / "custodian"):
        pass
    (tmp_path / "custodian" / "custodian-keys").write_text(text)
    with pytest.raises(KeyFileError, match="is damaged"), open_custody(tmp_path / "custodian"):
        pass


def test_secrets_are_not_in_the_representation(tmp_path: Path) -> None:
    with open_custody(tmp_path / "custodian") as custody:
        assert custody.intake.private_bytes_raw().hex() not in repr(custody)
        assert "signing" not in repr(custody)
