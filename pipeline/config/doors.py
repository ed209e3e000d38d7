"""Finds topics and names of doors that the broker, or the way to it, would misinterpret. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config.lines import Mistake
from pipeline.config.model import Config
from pipeline.embedded.nats import topic_fault

_NEVER_IN_A_LEVEL = "/+#"
_OWN_BROKER = "or name a broker of your own under [broker]"


def door_mistakes(config: Config) -> Iterator[Mistake]:
    """Yield the mistakes in file order: doors, then door systems."""
    for number, site in enumerate(config.site):
        decoders = {system.decoder for system in config.door_system if system.site == site.name}
        if decoders != {"native"}:
            continue  # others read the door's name from the payload
        for place, door in enumerate(site.door):
            where = ("site", number, "door", place, "external_id")
            if fault := _level_fault(door.external_id, embedded=config.broker is None):
                yield Mistake(where, f"It is a level of the topic, and has {fault[0]}.", fault[1])
    if config.broker is not None:
        return
    for number, system in enumerate(config.door_system):
        if what := topic_fault(system.topic):
            path = ("door_system", number, "topic")
            yield Mistake(path, f"It has {what}.", f"Let the controllers use another, {_OWN_BROKER}.")


def _level_fault(name: str, *, embedded: bool) -> tuple[str, str] | None:
    """(what it has, remedy) for a door whose name is the last level of the topics that it publishes."""
    signs = [sign for sign in _NEVER_IN_A_LEVEL if sign in name]
    if signs:
        return f"a {signs[0]}, which no level can hold", "Write it as the controller publishes it."
    if embedded and (what := topic_fault(name)):
        return what, f"Give the door another name at its controller, {_OWN_BROKER}."
    return None
