"""A scope answers for what is in it, and 404 for everything else."""

from __future__ import annotations

import uuid
from typing import Any, cast

import pytest

from api.http.problems import Problem
from api.records import Records
from api.sign_in.scope import CameraRow, Scope, SiteRow, visible_members
from domain.ids import CameraId, DoorId, MemberId, SiteId

SITE, CAMERA = SiteId(uuid.uuid4()), CameraId(uuid.uuid4())


def scope(*, everywhere: bool = False) -> Scope:
    camera = CameraRow(camera_id=CAMERA, site_id=SITE, name="Lobby", retention_s=60, removed=False)
    site = SiteRow(site_id=SITE, name="North", time_zone="Europe/Helsinki")
    return Scope(sites={SITE: site}, whole_sites=(), cameras={CAMERA: camera}, doors={}, everywhere=everywhere)


def test_camera_outside_the_scope_is_not_found() -> None:
    assert scope().camera(CAMERA).name == "Lobby"
    with pytest.raises(Problem) as caught:
        scope().camera(CameraId(uuid.uuid4()))
    assert caught.value.status == 404


def test_zone_of_a_site_outside_the_scope_is_our_mistake() -> None:
    assert scope().zone_of(SITE) == "Europe/Helsinki"
    with pytest.raises(KeyError):
        scope().zone_of(SiteId(uuid.uuid4()))


class Pool:
    def __init__(self, known: list[MemberId]) -> None:
        self.known, self.asked = known, list[tuple[Any, ...]]()

    async def fetch(self, _: str, *arguments: Any) -> list[dict[str, MemberId]]:
        self.asked.append(arguments)
        return [{"member_id": each} for each in self.known if each in arguments[0]]


async def test_members_are_those_seen_at_doors_of_the_scope_and_all_for_those_who_see_everything() -> None:
    one, other = MemberId(uuid.uuid4()), MemberId(uuid.uuid4())
    pool = Pool([one])
    records = Records(pool=cast("Any", pool), clock_ns=lambda: 0, hash_cookie=str.encode)
    assert await visible_members(records, scope(), [one, other]) == {one}
    assert pool.asked == [([one, other], list[DoorId]())]
    assert await visible_members(records, scope(everywhere=True), iter([one, other])) == {one, other}
    assert len(pool.asked) == 1
