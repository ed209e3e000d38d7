"""Settings of the indexer, filled in by pipeline/ from the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from domain.ids import DoorId, SiteId
from runtime.settings import CustodianPlace, DatabaseSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    host: str
    port: int
    user_name: str
    password: str = field(repr=False)
    client_id: str  # of this installation and role alone: another client that connects with it takes the session over
    tls: bool = False
    tls_ca: Path | None = None
    echo_topic: str = ""  # ours alone, for messages to ourselves; "": a session that gets nothing goes unnoticed


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRule:
    """Which decoder reads which topics, and which site they belong to."""

    pattern: str  # MQTT filter, e.g. "access/helsinki/+"
    decoder: str  # "native", "esp-rfid", "axis"
    site_id: SiteId
    ids_restart: bool = (
        False  # the controllers' event ids begin anew at a reboot: time and person distinguish them, too
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorSettings:
    """A door as the door system names it. Its mapping to cameras lives in the catalogue (door_camera), versioned."""

    door_id: DoorId
    site_id: SiteId
    name: str
    external_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    database: DatabaseSettings
    broker: BrokerSettings
    topics: tuple[TopicRule, ...]
    doors: tuple[DoorSettings, ...]  # looked up in the database; here to report those that are missing there
    custodian_socket: CustodianPlace  # for the public intake key that seals quarantined payloads
    run_directory: Path
    quarantine_retention_s: int = 30 * 24 * 3600
    instance: str = "0"  # names the status file; several indexers need client ids of their own, too
