"""What a role needs to reach the embedded services, without what starts them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.embedded.accounts import BUCKET, KEEPER, STORE_USER, store_key_files, store_settings
from pipeline.errors import SetupError
from pipeline.secret_files import secret

# A broker's client, PostgreSQL's, the making of certificates: each costs every role of a gym a tenth of a second.
_STARTS = ("aiomqtt", "pipeline.embedded.broker", "pipeline.embedded.postgres", "pipeline.embedded.store")


def test_each_user_has_keys_of_its_own(tmp_path: Path) -> None:
    for user in (STORE_USER, KEEPER):
        for file in store_key_files(tmp_path, user):
            secret(file)
    first, second = (store_settings(tmp_path, "127.0.0.1:9", BUCKET, user) for user in (STORE_USER, KEEPER))
    assert (first.endpoint, first.bucket, first.secure) == ("127.0.0.1:9", BUCKET, False)
    assert {first.access_key, first.secret_key}.isdisjoint({second.access_key, second.secret_key})


def test_user_without_keys_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError):
        store_settings(tmp_path, "127.0.0.1:9", BUCKET)


def test_settings_of_a_role_load_nothing_that_starts_services() -> None:
    told = "import sys, pipeline.commands.common; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.split()
    assert "pipeline.config.roles" in loaded
    assert {*_STARTS} & {*loaded} == set()
