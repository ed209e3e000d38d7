"""A store of the configuration as the client takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.check import configured_store
from pipeline.config.model import Secret, Store
from pipeline.errors import SetupError
from runtime.private_files import write_private


def store(folder: Path, **more: Secret) -> Store:
    for name in ("access", "secret", "keeper"):
        write_private(folder / name, name.encode())
    keys = {"access_key": Secret(file=Path("access")), "secret_key": Secret(file=Path("secret"))}
    return Store(endpoint="s3.example:443", bucket="tallenne", tls_ca=Path("ca.pem"), **keys, **more)


@pytest.mark.parametrize(("keeper", "used"), [(True, "keeper"), (False, "access")])
def test_keeper_has_keys_of_its_own_where_they_are_named(tmp_path: Path, keeper: bool, used: str) -> None:
    own = store(tmp_path, keeper_access_key=Secret(file=Path("keeper")), keeper_secret_key=Secret(file=Path("keeper")))
    found = configured_store(own, lambda path: tmp_path / path, keeper=keeper)
    assert (found.access_key, found.tls_ca, found.secure) == (used, tmp_path / "ca.pem", True)
    plain = configured_store(store(tmp_path), lambda path: tmp_path / path, keeper=keeper)
    assert plain.access_key == "access"


def test_missing_secret_is_named(tmp_path: Path) -> None:
    own = store(tmp_path)
    (tmp_path / "secret").unlink()
    with pytest.raises(SetupError, match="secret"):
        configured_store(own, lambda path: tmp_path / path)
