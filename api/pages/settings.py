"""Settings of the pages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends

from api.http.provide import provided
from api.records import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The rows, the language of browsers that ask for no known one, the export key's fingerprint, published papers."""

    records: Records
    default_language: str
    export_fingerprint: str  # in hex
    papers_directory: Path | None


PagesDep = Annotated[Pages, Depends(provided(Pages))]
