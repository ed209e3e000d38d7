"""The model of the configuration file. Pydantic at the edge; each role gets its own settings."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, Strict, model_validator

from alarms.conditions import Kind
from alarms.settings import MailSettings, RuleSettings, WatchSettings
from api.settings import ServeSettings
from indexer.settings import TopicRule
from ingest.settings import CameraSettings, IngestSettings
from live.settings import LiveSettings
from pipeline.config.sections.controller import Bilingual, Controller
from pipeline.config.sections.section import File, Host, Name, Port, Section, Text, User, default_of, one_line, printed
from runtime.settings import CustodianSettings, SpoolSettings, StoreSettings
from upkeep.backup.settings import BackupPeriods
from upkeep.keeper.settings import Periods

Role = Literal["backup", "custodian", "index", "ingest", "keeper", "live", "notify", "serve"]
ROLES: tuple[Role, ...] = ("custodian", "index", "ingest", "keeper", "live", "notify", "serve")


class Secret(Section):
    """Where a secret is: in a file of its own (0600) or in an environment variable. Never in the configuration."""

    file: File | None = None
    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None


class SeenBy(Section):
    """A camera that sees a door, and how long around an event it is of interest."""

    name: Name
    before_s: Annotated[float, Field(ge=0, le=600)] = 5.0
    after_s: Annotated[float, Field(ge=0, le=600)] = 10.0


class Camera(Section):
    name: Name
    id: UUID | None = None
    url: Annotated[str, Field(pattern=r"^rtsps?://")]
    substream_url: Annotated[str, Field(pattern=r"^(rtsps?://.*)?$")] = default_of(CameraSettings, "substream_url")
    user_name: Text = ""
    password: Secret | None = None
    basic_auth: bool = default_of(CameraSettings, "basic_auth")
    source: Literal["native", "libav"] = default_of(CameraSettings, "source")
    transport: Literal["tcp", "udp"] = default_of(CameraSettings, "transport")
    tls_ca: File | None = None
    tls_fingerprint: Annotated[str, Field(pattern=r"^(([0-9a-fA-F]{2}:?){32})?$")] = ""
    tls_level: Literal["modern", "legacy"] = "modern"
    networks: tuple[str, ...] = ()
    audio: bool = default_of(CameraSettings, "audio")
    audio_reason: str = ""
    segment_s: Annotated[float, Field(ge=2, le=60)] = default_of(CameraSettings, "segment_s")
    segment_max_s: Annotated[float, Field(ge=4, le=110)] = default_of(CameraSettings, "segment_max_s")
    retention_h: Annotated[int, Field(ge=1, le=24 * 365)] = 72
    retention_reason: str = ""
    zone: Name
    purpose: Bilingual
    assessment: Name  # reference of the balancing test and, where one is needed, of the DPIA


class Door(Section):
    name: Name
    id: UUID | None = None
    external_id: Annotated[str, Field(max_length=128, pattern=r"^\S(.*\S)?$"), AfterValidator(printed)]
    cameras: tuple[SeenBy, ...] = ()


class Site(Section):
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
        raise ValueError(
            "is not a topic filter: + stands for one whole level, # for all at the end, as in access/+/front"
        )
    if text.startswith("$"):
        raise ValueError("is a topic of the broker's own, which no door publishes to: those begin with $")
    return one_line(text)


class DoorSystem(Section):
    """Which messages on the broker are door events, and how they are read."""

    site: Name
    topic: Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_filter)]
    decoder: Literal["native", "esp-rfid", "axis"] = "native"
    ids_restart: bool = default_of(TopicRule, "ids_restart")


class Database(Section):
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
    keeper_password: Secret
    tls_ca: File | None = None


class Broker(Section):
    """One MQTT broker. Left out: Tallenne starts its own."""

    host: Host
    port: Port = 1883
    user_name: Text
    password: Secret
    client_id: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9_.:@-]{0,127})?$")] = ""
    tls: bool = False
    tls_ca: File | None = None


class Store(Section):
    """One S3 bucket. Left out: Tallenne starts its own store."""

    endpoint: Annotated[str, Field(pattern=r"^[^\s/:@?#]+(:\d+)?$")]
    tls: bool = True
    tls_ca: File | None = None
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = default_of(StoreSettings, "region")
    access_key: Secret
    secret_key: Secret
    keeper_access_key: Secret | None = None
    keeper_secret_key: Secret | None = None


class Backup(Section):
    """Where backups go, how often, and for how long they are kept. One of ``directory`` and ``store``."""

    directory: File | None = None
    store: Store | None = None
    replica: Store | None = None
    every_s: Annotated[float, Field(ge=10, le=300)] = default_of(BackupPeriods, "every_s")
    base_h: Annotated[float, Field(ge=1, le=24 * 7)] = default_of(BackupPeriods, "base_h")
    keep_d: Annotated[int, Field(ge=1, le=366)] = default_of(BackupPeriods, "keep_d")
    drill_d: Annotated[int, Field(ge=1, le=366)] = default_of(BackupPeriods, "drill_d")


class Spool(Section):
    directory: File | None = None
    max_gib: Annotated[float, Field(gt=0, le=1 << 20)] = 20.0
    fsync: bool = default_of(SpoolSettings, "fsync")
    when_full: Literal["refuse", "drop_oldest"] = default_of(SpoolSettings, "when_full")


class Ingest(Section):
    recorder: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = "recorder-1"
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    uploads: Annotated[int, Field(ge=1, le=64)] = default_of(IngestSettings, "upload_concurrency")


def _address(text: str) -> str:
    """An IP address, since names can be made to point elsewhere."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("is not an IP address, as 192.0.2.7") from None


Address = Annotated[str, AfterValidator(_address)]


class Serve(Section):
    host: Host = default_of(ServeSettings, "host")
    port: Annotated[int, Field(ge=0, le=65535)] = default_of(ServeSettings, "port")
    certificate: File | None = None
    key: File | None = None
    language: Literal["en", "fi"] = default_of(ServeSettings, "default_language")
    metrics_token: Secret | None = None
    trusted_proxies: tuple[Address, ...] = ()
    connections_max: Annotated[int, Field(ge=8, le=4096)] = default_of(ServeSettings, "connections_max")
    connections_per_address: Annotated[int, Field(ge=8, le=4096)] = default_of(ServeSettings, "connections_per_address")


def _mail_address(text: str) -> str:
    """As it stands in SMTP commands (RFC 5321, 4.1.2), without quoted local parts."""
    if not _MAIL_ADDRESS.fullmatch(text):
        raise ValueError("is not a plain mail address, as anna@gym.example")
    return one_line(text)


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not a web address, as https://alarms.example/tallenne")
    if parts.username or parts.password:
        raise ValueError("holds a password: send the request to an address that needs none")
    _ = parts.port  # ValueError when it is none
    return one_line(text)


_MAIL_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,255}", re.ASCII)
MailAddress = Annotated[str, AfterValidator(_mail_address)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class MailServerSection(Section):
    """A mail server, and the address that its messages come from."""

    host: Host
    port: Port = default_of(MailSettings, "port")
    tls: Literal["starttls", "tls", "none"] = default_of(MailSettings, "tls")
    tls_ca: File | None = None
    user_name: Text = default_of(MailSettings, "user_name")
    password: Secret | None = None
    sender: MailAddress


class Mail(MailServerSection):
    """The mail server that takes alarms, and who receives them."""

    recipients: tuple[MailAddress, ...] = Field(min_length=1, max_length=20)


class Webhook(Section):
    """An address that takes alarms as signed POST requests."""

    url: WebAddress
    secret: Secret
    tls_ca: File | None = None


class Alarms(Section):
    """What is watched, how long it may last, and who is notified."""

    name: Name = "Tallenne"
    off: tuple[Kind, ...] = ()
    delay_s: dict[Kind, Annotated[float, Strict(), Field(ge=0, le=86_400)]] = Field(default_factory=dict)
    hold_s: Annotated[float, Field(ge=10, le=3600)] = default_of(RuleSettings, "hold_s")
    group_s: Annotated[float, Field(ge=0, le=3600)] = default_of(RuleSettings, "group_s")
    remind_h: Annotated[float, Field(ge=1, le=24 * 30)] = default_of(RuleSettings, "remind_h")
    disk_full_h: Annotated[float, Field(ge=0, le=24 * 30)] = default_of(WatchSettings, "disk_full_h")
    spool_full_h: Annotated[float, Field(ge=0, le=24 * 30)] = default_of(WatchSettings, "spool_full_h")
    keys_left_h: Annotated[float, Field(ge=1, le=24 * 13)] = default_of(WatchSettings, "keys_left_h")
    door_silent_h: Annotated[float, Field(gt=0, le=24 * 365)] | None = default_of(WatchSettings, "door_silent_h")
    quarantine_per_h: Annotated[int, Field(ge=1)] = default_of(WatchSettings, "quarantine_per_h")
    restarts: Annotated[int, Field(ge=1)] = default_of(WatchSettings, "restarts")
    dead_man_url: WebAddress | None = None
    mail: Mail | None = None
    webhook: Webhook | None = None


OwnField = Literal["name", "email", "phone", "address", "offers_email", "offers_sms", "offers_post"]


class Members(Section):
    """Members' own pages: what they may change, what they may consent to, and who sends their mail."""

    name: Name = "Tallenne"
    may_change: tuple[OwnField, ...] = ("email", "phone", "address", "offers_email", "offers_sms", "offers_post")
    consents: tuple[Annotated[Text, Field(min_length=1, max_length=300)], ...] = Field(default=(), max_length=20)
    mail: MailServerSection | None = None


class Users(Section):
    """The Unix users, by name or number, under which the roles run beside a custodian that has one of its own."""

    ingest: User
    index: User
    serve: User
    live: User
    operator: User  # who runs `tallenne verify`, `reconcile`, `catalogue`, `quarantine`, `import`


class Live(Section):
    """How browsers get pictures of now."""

    addresses: Annotated[tuple[Address, ...], Field(min_length=1, max_length=8)] = default_of(LiveSettings, "addresses")
    ports: tuple[Port, Port] | None = default_of(LiveSettings, "ports")
    turn: Annotated[str, Field(pattern=r"^turns?:[^\s/?@#]+(:\d+)?(\?transport=(udp|tcp))?$")] | None = None
    turn_secret: Secret | None = None
    looks_max: Annotated[int, Field(ge=1, le=1024)] = default_of(LiveSettings, "looks_max")
    conversions_max: Annotated[int, Field(ge=0, le=64)] = default_of(LiveSettings, "conversions_max")

    @model_validator(mode="after")
    def _belongs_together(self) -> Live:
        if self.ports is not None and self.ports[0] > self.ports[1]:
            raise ValueError("ports is a range, as [50000, 50099]: the first port, then the last")
        if (self.turn is None) != (self.turn_secret is None):
            raise ValueError("turn and turn_secret belong together: credentials are made from the secret")
        return self


class CustodianPort(Section):
    """Where a custodian on a machine of its own is asked, and the certificate of this end (`tallenne certificates`)."""

    host: Host
    port: Port = 7443
    tls_ca: File
    certificate: File
    key: File


class Callers(Section):
    """Names of certificates, by the role whose they are."""

    ingest: tuple[Host, ...] = ()
    index: tuple[Host, ...] = ()
    serve: tuple[Host, ...] = ()
    live: tuple[Host, ...] = ()
    operator: tuple[Host, ...] = ()


class CallersPort(CustodianPort):
    """On the custodian's machine."""

    callers: Callers


class Custodian(Section):
    socket: File | None = None
    listen: CallersPort | None = None
    at: CustodianPort | None = None
    users: Users | None = None
    directory: File | None = None
    audit_heads: File | None = None
    keyring_replicas: tuple[File, ...] = ()


Days = Annotated[int, Field(ge=1, le=366)]


class Retention(Section):
    """For how long records other than footage are kept; footage: retention_h of each camera."""

    camera_hours_at_once: Annotated[int, Field(ge=0)] | None = default_of(CustodianSettings, "expire_at_once")
    events_d: Days = default_of(Periods, "events_d")
    quarantine_d: Days = default_of(Periods, "quarantine_d")
    exports_d: Annotated[int, Field(ge=1, le=3660)] = default_of(Periods, "exports_d")
    lookups_d: Annotated[int, Field(ge=365, le=3660)] = default_of(Periods, "lookups_d")
    member_history_d: Annotated[int, Field(ge=30, le=3660)] = default_of(Periods, "member_history_d")
    requests_d: Annotated[int, Field(ge=30, le=3660)] = default_of(Periods, "requests_d")
    sessions_d: Days = default_of(Periods, "sessions_d")
    logs_d: Days = default_of(Periods, "logs_d")

    @property
    def periods(self) -> Periods:
        """As the keeper takes them."""
        return Periods(**self.model_dump(exclude={"camera_hours_at_once"}))


class Config(Section):
    data: File | None = None
    run: File | None = None
    roles: tuple[Role, ...] = Field(default=ROLES, min_length=1)
    site: tuple[Site, ...] = Field(min_length=1)
    door_system: tuple[DoorSystem, ...] = ()
    database: Database | None = None
    broker: Broker | None = None
    store: Store | None = None
    backup: Backup | None = None
    spool: Spool = Spool()
    ingest: Ingest = Ingest()
    serve: Serve = Serve()
    live: Live = Live()
    custodian: Custodian = Custodian()
    alarms: Alarms = Alarms()
    members: Members | None = None
    retention: Retention = Retention()
    controller: Controller | None = None

    @property
    def expected_roles(self) -> tuple[Role, ...]:
        """Those that run on this machine. ``backup`` does where there is a place for backups."""
        return self.roles if self.backup is None or self.roles != ROLES else (*ROLES, "backup")

    @property
    def apart(self) -> bool:
        """Roles run under users, or on machines, of their own, each started by itself."""
        return (
            self.custodian.users is not None
            or self.custodian.at is not None
            or self.run is not None
            or self.roles != ROLES
        )
