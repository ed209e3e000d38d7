"""What the configuration file may say. Pydantic at the edge; inside, each role gets its own settings."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import unicodedata
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from alarms.conditions import Kind
from alarms.settings import MailSettings, RuleSettings, WatchSettings
from api.settings import ServeSettings
from indexer.settings import TopicRule
from ingest.settings import CameraSettings, IngestSettings
from runtime.settings import SpoolSettings, StoreSettings


def _one_line(text: str) -> str:
    """What other programs, terminals and logs are given: without control characters and signs that turn text around."""
    if any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") or sign in _TURNING for sign in text):
        raise ValueError("holds a control character")
    return text


def _printed(text: str) -> str:
    """What a door message can say: its reader refuses anything else (indexer.decoders.reading)."""
    if not text.isprintable():
        raise ValueError("holds a character that is not printable")
    return text


def _host(text: str) -> str:
    if not text or any(sign.isspace() or sign in "/@?#" for sign in text):
        raise ValueError("is no host: a name or an address alone, as mqtt.example, without scheme, user and port")
    return text


def _path(path: Path) -> Path:
    _one_line(str(path))
    return path


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
Text = Annotated[str, AfterValidator(_one_line)]
Host = Annotated[Text, AfterValidator(_host)]
File = Annotated[Path, AfterValidator(_path)]
Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_one_line)]
Seconds = Annotated[float, Field(gt=0)]
User = Annotated[str, Field(pattern=r"^([a-z_][a-z0-9_.-]*\$?|\d{1,10})$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Role = Literal["custodian", "index", "ingest", "notify", "serve"]
ROLES: tuple[Role, ...] = ("custodian", "index", "ingest", "notify", "serve")


def _default(settings: type, name: str) -> Any:
    """The default of a role's setting: it stands there, beside what it means, and nowhere else."""
    (found,) = (field.default for field in dataclasses.fields(settings) if field.name == name)
    return found.value if isinstance(found, StrEnum) else found


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Secret(_Section):
    """Where a secret is: in a file of its own (0600) or in an environment variable. Never in the configuration."""

    file: File | None = None
    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None


class SeenBy(_Section):
    """A camera that sees a door, and how long around an event it is of interest."""

    name: Name
    before_s: Annotated[float, Field(ge=0, le=600)] = 5.0
    after_s: Annotated[float, Field(ge=0, le=600)] = 10.0


class Camera(_Section):
    name: Name
    id: UUID | None = None
    url: Annotated[str, Field(pattern=r"^rtsps?://")]
    user_name: Text = ""
    password: Secret | None = None
    basic_auth: bool = _default(CameraSettings, "basic_auth")
    source: Literal["native", "libav"] = _default(CameraSettings, "source")
    transport: Literal["tcp", "udp"] = _default(CameraSettings, "transport")
    tls_ca: File | None = None
    tls_fingerprint: Annotated[str, Field(pattern=r"^(([0-9a-fA-F]{2}:?){32})?$")] = ""
    tls_level: Literal["modern", "legacy"] = "modern"
    networks: tuple[str, ...] = ()
    audio: bool = _default(CameraSettings, "audio")
    audio_reason: str = ""
    segment_s: Annotated[float, Field(ge=2, le=60)] = _default(CameraSettings, "segment_s")
    segment_max_s: Annotated[float, Field(ge=4, le=110)] = _default(CameraSettings, "segment_max_s")
    retention_h: Annotated[int, Field(ge=1, le=24 * 365)] = 72
    retention_reason: str = ""
    zone: Name
    purpose: Name
    assessment: Name  # reference of the balancing test and, where one is needed, of the DPIA


class Door(_Section):
    name: Name
    id: UUID | None = None
    external_id: Annotated[str, Field(max_length=128, pattern=r"^\S(.*\S)?$"), AfterValidator(_printed)]
    cameras: tuple[SeenBy, ...] = ()


class Site(_Section):
    name: Name
    id: UUID | None = None
    time_zone: str = "Europe/Helsinki"
    camera: tuple[Camera, ...] = ()
    door: tuple[Door, ...] = ()


def _filter(text: str) -> str:
    """An MQTT topic filter (MQTT 3.1.1, 4.7): wildcards stand alone between slashes, # at the end only."""
    levels = text.split("/")
    alone = all(level in ("+", "#") or not {"+", "#", "\0"} & set(level) for level in levels)
    if not alone or "#" in levels[:-1]:
        raise ValueError("is no topic filter: + stands for one whole level, # for all at the end, as in access/+/front")
    if text.startswith("$"):
        raise ValueError("is a topic of the broker's own, which no door publishes to: those begin with $")
    return _one_line(text)


class DoorSystem(_Section):
    """Which messages on the broker are door events, and how they are read."""

    site: Name
    topic: Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_filter)]
    decoder: Literal["native", "esp-rfid", "axis"] = "native"
    ids_restart: bool = _default(TopicRule, "ids_restart")


class Database(_Section):
    """One PostgreSQL database. Left out: Tallenne starts its own."""

    host: Text
    port: Port = 5432
    name: Text = "tallenne"
    owner: Text = "tallenne_owner"
    owner_password: Secret
    ingest_password: Secret
    index_password: Secret
    custodian_password: Secret
    serve_password: Secret
    tls_ca: File | None = None


class Broker(_Section):
    """One MQTT broker. Left out: Tallenne starts its own."""

    host: Host
    port: Port = 1883
    user_name: Text
    password: Secret
    client_id: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9_.:@-]{0,127})?$")] = ""
    tls: bool = False
    tls_ca: File | None = None


class Store(_Section):
    """One S3 bucket. Left out: Tallenne starts its own store."""

    endpoint: Annotated[str, Field(pattern=r"^[^\s/:@?#]+(:\d+)?$")]
    tls: bool = True
    tls_ca: File | None = None
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = _default(StoreSettings, "region")
    access_key: Secret
    secret_key: Secret


class Spool(_Section):
    directory: File | None = None
    max_gib: Annotated[float, Field(gt=0, le=1 << 20)] = 20.0
    fsync: bool = _default(SpoolSettings, "fsync")
    when_full: Literal["refuse", "drop_oldest"] = _default(SpoolSettings, "when_full")


class Ingest(_Section):
    recorder: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = "recorder-1"
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    uploads: Annotated[int, Field(ge=1, le=64)] = _default(IngestSettings, "upload_concurrency")


def _address(text: str) -> str:
    """An IP address, since names can be made to point elsewhere."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("is no IP address, as 192.0.2.7") from None


Address = Annotated[str, AfterValidator(_address)]


class Serve(_Section):
    host: Host = _default(ServeSettings, "host")
    port: Annotated[int, Field(ge=0, le=65535)] = _default(ServeSettings, "port")
    certificate: File | None = None
    key: File | None = None
    language: Literal["en", "fi"] = _default(ServeSettings, "default_language")
    metrics_token: Secret | None = None
    trusted_proxies: tuple[Address, ...] = ()
    connections_max: Annotated[int, Field(ge=8, le=4096)] = _default(ServeSettings, "connections_max")
    connections_per_address: Annotated[int, Field(ge=8, le=4096)] = _default(ServeSettings, "connections_per_address")


def _mail_address(text: str) -> str:
    """As it stands in SMTP commands (RFC 5321, 4.1.2), without quoted local parts."""
    if not _MAIL_ADDRESS.fullmatch(text):
        raise ValueError("is no mail address alone, as anna@gym.example")
    return _one_line(text)


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no web address, as https://alarms.example/tallenne")
    if parts.username or parts.password:
        raise ValueError("holds a password: send the request to an address that needs none")
    _ = parts.port  # ValueError when it is none
    return _one_line(text)


_MAIL_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,255}", re.ASCII)
MailAddress = Annotated[str, AfterValidator(_mail_address)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class Mail(_Section):
    """The mail server that takes alarms, and who receives them."""

    host: Host
    port: Port = _default(MailSettings, "port")
    tls: Literal["starttls", "tls", "none"] = _default(MailSettings, "tls")
    tls_ca: File | None = None
    user_name: Text = _default(MailSettings, "user_name")
    password: Secret | None = None
    sender: MailAddress
    recipients: tuple[MailAddress, ...] = Field(min_length=1, max_length=20)


class Webhook(_Section):
    """An address that takes alarms as signed POST requests."""

    url: WebAddress
    secret: Secret
    tls_ca: File | None = None


class Alarms(_Section):
    """What is watched, for how long it may last, and how people learn of it."""

    name: Name = "Tallenne"
    off: tuple[Kind, ...] = ()
    delay_s: dict[Kind, Annotated[float, Field(ge=0, le=86_400)]] = {}
    hold_s: Annotated[float, Field(ge=10, le=3600)] = _default(RuleSettings, "hold_s")
    group_s: Annotated[float, Field(ge=0, le=3600)] = _default(RuleSettings, "group_s")
    remind_h: Annotated[float, Field(ge=1, le=24 * 30)] = _default(RuleSettings, "remind_h")
    disk_full_h: Annotated[float, Field(ge=0, le=24 * 30)] = _default(WatchSettings, "disk_full_h")
    spool_full_h: Annotated[float, Field(ge=0, le=24 * 30)] = _default(WatchSettings, "spool_full_h")
    keys_left_h: Annotated[float, Field(ge=1, le=24 * 13)] = _default(WatchSettings, "keys_left_h")
    door_silent_h: Annotated[float, Field(gt=0, le=24 * 365)] | None = _default(WatchSettings, "door_silent_h")
    quarantine_per_h: Annotated[int, Field(ge=1)] = _default(WatchSettings, "quarantine_per_h")
    restarts: Annotated[int, Field(ge=1)] = _default(WatchSettings, "restarts")
    dead_man_url: WebAddress | None = None
    mail: Mail | None = None
    webhook: Webhook | None = None


class Users(_Section):
    """The Unix users, by name or number, under which the roles run beside a custodian that has one of its own."""

    ingest: User
    index: User
    serve: User
    operator: User  # who runs `tallenne verify`, `reconcile`, `catalogue`, `quarantine`, `import`


class Custodian(_Section):
    socket: File | None = None
    users: Users | None = None
    directory: File | None = None
    audit_heads: File | None = None
    keyring_replicas: tuple[File, ...] = ()


class Config(_Section):
    data: File | None = None
    run: File | None = None
    roles: tuple[Role, ...] = Field(default=ROLES, min_length=1)
    site: tuple[Site, ...] = Field(min_length=1)
    door_system: tuple[DoorSystem, ...] = ()
    database: Database | None = None
    broker: Broker | None = None
    store: Store | None = None
    spool: Spool = Spool()
    ingest: Ingest = Ingest()
    serve: Serve = Serve()
    custodian: Custodian = Custodian()
    alarms: Alarms = Alarms()

    @property
    def apart(self) -> bool:
        """Roles run under users, or on machines, of their own, each started by itself."""
        return self.custodian.users is not None or self.run is not None or self.roles != ROLES
