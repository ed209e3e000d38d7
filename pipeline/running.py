"""The running installation, for the display, the smoke check and reloads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.config.roles import RoleSettings
from pipeline.demo.gym import DemoGym
from pipeline.installation import Installation
from pipeline.services import Services
from pipeline.supervise.role_process import RoleProcess
from pipeline.supervise.tell import Tell
from runtime.status import statuses


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Everything is up."""

    installation: Installation
    settings: RoleSettings
    processes: dict[str, RoleProcess]
    gym: DemoGym | None
    address: str  # of the staff page
    tell: Tell
    services: Services
    missing: tuple[str, ...] = ()  # what the operator still has to do, with the command

    def statuses(self) -> list[dict[str, Any]]:
        """Statuses of the roles, as they are now."""
        return statuses(self.installation.run)
