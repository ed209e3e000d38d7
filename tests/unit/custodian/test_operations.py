"""Who may ask the custodian what: by default everybody admitted, and less where the configuration says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from custodian.operations import allowed
from runtime.settings import CustodianSettings

ROLES, INGEST, API, INDEX, OPERATOR = (1, 2, 3), (1,), (2,), (3,), (9,)


def settings(**more: Any) -> CustodianSettings:
    paths: dict[str, Any] = dict.fromkeys(("directory", "socket", "run_directory", "audit_heads", "store"), Path())
    database: Any = None
    return CustodianSettings(database=database, **paths, allowed_uids=ROLES, operator_uids=OPERATOR, **more)


def users(table: dict[str, tuple[int, ...]]) -> dict[str, set[int]]:
    return {operation: set(uids) for operation, uids in table.items()}


def test_without_users_of_their_own_every_role_may_ask_for_what_roles_need_and_operators_for_the_rest() -> None:
    everybody, operators = {*ROLES, *OPERATOR}, set(OPERATOR)
    assert users(allowed(settings())) == {
        "identity": everybody,
        "status": everybody,
        "enrol": everybody,
        "open_segments": set(ROLES),
        "look_live": set(),
        "still_live": set(),
        "open_for_verify": operators,
        "open_headers": operators,
        "expiry_hours": operators,
        "open_intake": everybody,
        "make_past_keys": operators,
        "confirm_expiry": operators,
        "place_hold": set(ROLES),
        "ask_case_end": set(ROLES),
        "keep_case": set(ROLES),
        "end_case": set(ROLES),
        "ask_erasure": set(ROLES),
        "approve_erasure": set(ROLES),
        "refuse_erasure": set(ROLES),
        "cancel_erasure": set(ROLES),
        "restore_heads": operators,
    }


@pytest.mark.parametrize(
    ("more", "operation", "uids"),
    [
        ({"opener_uids": API}, "open_segments", {*API}),
        ({"opener_uids": ()}, "open_segments", set()),
        ({"opener_uids": API}, "place_hold", {*API}),
        ({"opener_uids": API}, "end_case", {*API}),
        ({"opener_uids": API}, "approve_erasure", {*API}),
        ({"opener_uids": (7,)}, "identity", {*ROLES, 7, *OPERATOR}),
        ({"enroller_uids": INGEST}, "enrol", {*INGEST, *OPERATOR}),
        ({"live_uids": (5,)}, "look_live", {5}),
        ({"live_uids": (5,)}, "still_live", {5}),
        ({"intake_uids": INDEX}, "open_intake", {*INDEX, *OPERATOR}),
    ],
)
def test_users_of_their_own_take_the_operation_from_the_others(
    more: dict[str, Any], operation: str, uids: set[int]
) -> None:
    assert users(allowed(settings(**more)))[operation] == uids


def test_operators_do_not_open_footage_for_people_to_see() -> None:
    """For that there is `tallenne clip`, which signs in like everybody else: with a session, a purpose and a reason."""
    assert not set(OPERATOR) & set(allowed(settings())["open_segments"])
