"""The register of members: what is known of each beside name and number, since when, and who said so."""

from storage.register.consents import Consent, Way, consents, give_consent, withdraw_consent
from storage.register.fields import Field, FieldError, checked
from storage.register.values import Source, Value, history, keep, members_of_email, present

__all__ = [
    "Consent",
    "Field",
    "FieldError",
    "Source",
    "Value",
    "Way",
    "checked",
    "consents",
    "give_consent",
    "history",
    "keep",
    "members_of_email",
    "present",
    "withdraw_consent",
]
