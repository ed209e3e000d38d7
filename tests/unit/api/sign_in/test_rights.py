"""Who may do what: the table itself, and grants with and without a limit."""

from __future__ import annotations

import uuid

import pytest

from api.sign_in import rights
from api.sign_in.rights import Grant, has_any, has_everywhere

SITE, CAMERA = uuid.uuid4(), uuid.uuid4()
ROLES = ("viewer", "exporter", "auditor", "admin")


def grant(role: str, *, site: uuid.UUID | None = None, camera: uuid.UUID | None = None) -> Grant:
    return Grant(role=role, site_id=site, camera_id=camera)


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        (rights.LOOK, {"viewer", "exporter"}),
        (rights.EXPORT, {"exporter"}),
        (rights.APPROVE, {"exporter", "admin"}),
        (rights.MEMBERS, {"viewer", "exporter", "admin"}),
        (rights.INVENTORY, {"viewer", "exporter", "admin"}),
        (rights.AUDIT, {"auditor", "admin"}),
        (rights.OPERATE, {"admin"}),
    ],
)
def test_each_action_is_allowed_to_exactly_its_roles(action: tuple[str, ...], allowed: set[str]) -> None:
    assert {role for role in (*ROLES, "", "Admin", "view") if has_any([grant(role)], action)} == allowed


@pytest.mark.parametrize(
    ("grants", "anywhere", "everywhere"),
    [
        ([], False, False),
        ([grant("viewer")], True, True),
        ([grant("viewer", site=SITE)], True, False),
        ([grant("viewer", camera=CAMERA)], True, False),
        ([grant("viewer", site=SITE, camera=CAMERA)], True, False),
        ([grant("viewer", site=SITE), grant("auditor")], True, False),
        ([grant("auditor"), grant("viewer")], True, True),
        ([grant("auditor")], False, False),
    ],
)
def test_grant_with_a_limit_is_held_somewhere_only(grants: list[Grant], anywhere: bool, everywhere: bool) -> None:
    assert has_any(grants, rights.LOOK) is anywhere
    assert has_everywhere(grants, rights.LOOK) is everywhere
