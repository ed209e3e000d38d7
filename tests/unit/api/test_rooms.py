"""Every room is closed at the end of the role, whatever one raises; what rooms share is one object."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest

from api.credentials.secret_key import load_secret_key
from api.rooms import Rooms, make_rooms
from api.settings import ServeSettings
from runtime.settings import StoreSettings


def rooms(folder: Path) -> Rooms:
    settings = ServeSettings(
        database=cast("Any", None),
        store=StoreSettings(endpoint="", secure=False, bucket="", access_key="", secret_key="", null=True),
        custodian_socket=folder / "custodian.sock",
        run_directory=folder,
        secret_directory=folder / "api",
        metrics_token="token",
        default_language="fi",
    )
    return make_rooms(
        settings, pool=cast("Any", object()), store=cast("Any", object()), key=load_secret_key(folder / "api")
    )


def test_rooms_share_what_must_be_one(tmp_path: Path) -> None:
    made = rooms(tmp_path)
    assert made.exports.footage is made.footage
    assert made.pages.records is made.records
    assert made.parts.custodian is made.footage.custodian
    assert made.factors.key is made.exports.key
    assert (made.scrape.token, made.pages.default_language) == ("token", "fi")


class Closing:
    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log

    async def close(self) -> None:
        self.log.append(self.name)
        raise OSError(self.name)

    def clear(self) -> None:
        self.log.append(self.name)


async def test_rooms_are_closed_to_the_last_whatever_one_raises(tmp_path: Path) -> None:
    log: list[str] = []
    made = rooms(tmp_path)
    parts: dict[str, Any] = {name: Closing(name, log) for name in ("pictures", "jobs", "cache")}
    made = dataclasses.replace(
        made,
        pictures=parts["pictures"],
        exports=dataclasses.replace(made.exports, jobs=parts["jobs"]),
        footage=dataclasses.replace(made.footage, cache=parts["cache"]),
    )
    with pytest.raises(OSError, match="jobs"):
        await made.close()
    assert log == ["pictures", "jobs", "cache"]
