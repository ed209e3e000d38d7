"""What papers state, taken from the configuration by `pipeline.paper.stated`. A paper knows nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from paper.language import Both


class Basis(StrEnum):
    """Article 6(1) of the GDPR."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal obligation"
    PUBLIC_TASK = "public task"
    LEGITIMATE_INTERESTS = "legitimate interests"


class Data(StrEnum):
    """What a legal basis is for."""

    FOOTAGE = "footage"
    MEMBERS = "members"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A purpose with its legal basis. ``interest``: which legitimate interest, where that is the basis."""

    data: Data
    basis: Basis
    purpose: Both
    interest: Both | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who receives personal data, and what for."""

    name: Both
    why: Both


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Where data goes outside the EU and EEA, and what protects it there."""

    to: Both
    safeguards: Both


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """What only the operator can say."""

    name: str
    business_id: str
    address: str
    email: str
    phone: str
    data_protection_officer: str  # "": there is none
    notice_at: str
    authority: Both
    if_refused: Both
    grounds: tuple[Ground, ...]
    recipients: tuple[Recipient, ...]
    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFacts:
    """A camera as papers describe it."""

    site: str
    name: str
    zone: str
    purpose: Both
    assessment: str
    retention_h: int
    bound_h: int  # when its footage has ended at the latest, as the custodian counts
    retention_reason: str
    audio: bool
    audio_reason: str
    doors: tuple[str, ...]  # those whose events are linked with its footage


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """``periods_d``: days by kind of record, as the keeper has them; ``backups_d``: None without backups."""

    controller: Controller
    cameras: tuple[CameraFacts, ...]
    doors: tuple[tuple[str, str], ...]  # site, door
    periods_d: dict[str, int] = field(hash=False)
    erasures_d: int
    backups_d: int | None
    replica: bool  # sealed footage is in a second bucket, too

    @property
    def sites(self) -> tuple[str, ...]:
        """In the configuration's order: those with cameras, then those with doors alone."""
        return tuple(dict.fromkeys([*(camera.site for camera in self.cameras), *(site for site, _ in self.doors)]))
