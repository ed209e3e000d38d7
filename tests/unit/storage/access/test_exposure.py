"""Every action of the audit trail either exposes data or is known not to: a new one has to be put on one side."""

from __future__ import annotations

from storage.access.exposure import EXPOSING
from storage.catalogue.audit import ACTIONS

BEGINNINGS = (
    *("sign_", "step_up", "password_", "recovery_", "staff_", "factor_", "signed_", "consent_", "event", "request_"),
    *("case_", "hold_", "bookmark_", "erasure_", "expired", "retention_", "members_", "member_", "quarantine_"),
)
"""Of actions that change something: what was seen for that was searched or looked at, on record, before."""
HARMLESS = {
    *("purpose", "look_refused", "look_live_refused", "export_refused"),
    *("export_asked", "export_approved", "export_declined", "export_cancelled", "export_lapsed", "export_reopened"),
    *("enrol", "verify", "rebuild", "make_past_keys", "open_intake", "heads_restored", "erased", "person_erased"),
    *("register_changed", "register_rights"),
}


def test_every_action_is_on_one_side() -> None:
    open_actions = {action for action in ACTIONS if action not in EXPOSING and not action.startswith(BEGINNINGS)}
    assert open_actions - HARMLESS == set(), (
        "does it show a member's data? Then it belongs in storage/access/exposure.py"
    )
    assert set(EXPOSING) <= set(ACTIONS) and not HARMLESS & set(EXPOSING)
