"""Settings of the pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from api.http.provide import provided
from api.records import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The rows, the language of browsers that ask for no known one, and the export key's fingerprint in hex."""

    records: Records
    default_language: str
    export_fingerprint: str


PagesDep = Annotated[Pages, Depends(provided(Pages))]
