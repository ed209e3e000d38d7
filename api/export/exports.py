"""What exports are made and signed with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from api.credentials.secret_key import SecretKey
from api.footage.opening import Footage
from api.http.jobs import Jobs
from api.http.provide import provided


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    """The footage, the key that signs manifests, and the jobs that make exports in the background."""

    footage: Footage
    key: SecretKey
    jobs: Jobs


ExportsDep = Annotated[Exports, Depends(provided(Exports))]
