"""Defaults: what the example shows as one is one, and none is a default that its own check would refuse."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import Any

import pytest
from pydantic import BaseModel

from pipeline.config.model import Camera, DoorSystem, Ingest, Serve, Spool, Store

SECTIONS: dict[str, type[BaseModel]] = {
    "site.camera": Camera,
    "door_system": DoorSystem,
    "store": Store,
    "spool": Spool,
    "ingest": Ingest,
    "serve": Serve,
}
SHOWN = {
    "site.camera": {"source", "transport", "audio", "segment_s", "segment_max_s"},
    "spool": {"fsync", "when_full"},
    "ingest": {"recorder", "workers", "uploads"},
    "serve": {"language", "connections_max", "connections_per_address"},
    "store": {"region"},
}
"""Commented out in the example with their default; the other comments there are examples."""


def example() -> dict[str, dict[str, Any]]:
    """What stands commented out, by section."""
    found: dict[str, dict[str, Any]] = {}
    section = ""
    for line in files("pipeline.config").joinpath("example.toml").read_text().splitlines():
        if header := re.match(r"(?:# )?\[+([a-z_.]+)\]+", line):
            section = header[1]
        elif option := re.match(r"# ([a-z_]+ = [^#]+)", line):
            try:
                found.setdefault(section, {}).update(tomllib.loads(option[1]))
            except tomllib.TOMLDecodeError:
                continue  # prose
    return found


@pytest.mark.parametrize("section", SHOWN)
def test_example_shows_the_defaults_that_hold(section: str) -> None:
    shown = example()[section]
    fields = SECTIONS[section].model_fields
    assert {name: shown[name] for name in SHOWN[section]} == {name: fields[name].default for name in SHOWN[section]}


@pytest.mark.parametrize("model", [Spool, Ingest, Serve])
def test_defaults_pass_their_own_checks(model: type[BaseModel]) -> None:
    assert model.model_validate(model().model_dump()) == model()
