"""Settings of the database, the store, the spool and the custodian. Filled in by pipeline/; repr leaves secrets out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """One role's way into PostgreSQL."""

    host: str  # a host name, or the directory of a Unix socket
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    tls_ca: Path | None = None  # given: TLS is required and verified against it


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """One S3 bucket."""

    endpoint: str  # host:port, without a scheme
    secure: bool  # TLS
    bucket: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    tls_ca: Path | None = None
    null: bool = False  # benchmarks only: a sink that accepts everything and keeps nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSettings:
    """Where sealed bytes wait for the object store."""

    directory: Path
    max_bytes: int
    fsync: bool = False  # True: survives a power cut, at the price of syncing twice a second
    reserve_bytes: int = 64 * 1024 * 1024  # of the disk, left free
    when_full: Literal["refuse", "drop_oldest"] = "refuse"  # either way a Gap and an alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files of one end of a connection on which both ends show a certificate."""

    ca: Path  # who signed the other end's
    certificate: Path
    key: Path  # 0600


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodianAt:
    """A custodian on another machine, and what a caller shows it."""

    host: str
    port: int
    files: TlsFiles


CustodianPlace = Path | CustodianAt
"""Where the custodian is asked: its Unix socket, or a port of another machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodianListen:
    """Where the custodian listens for callers on other machines."""

    host: str
    port: int
    files: TlsFiles
    callers: Mapping[str, tuple[str, ...]]  # "ingest", "index", "serve", "live", "operator": names of certificates


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodianSettings:
    """The only role that reads the keyring."""

    database: DatabaseSettings
    directory: Path  # keyring, signing key, intake key; 0700
    socket: Path  # Unix socket that the other roles ask
    run_directory: Path  # status file
    audit_heads: Path  # signed heads of the audit chain, appended; best on another disk
    store: StoreSettings | None  # heads/ and journal/, where its user may create; None: heads elsewhere, no journal
    allowed_uids: tuple[int, ...]  # the roles' users: may connect
    enroller_uids: tuple[int, ...] | None = None  # who may enrol recorders (ingest's user); None: allowed_uids
    intake_uids: tuple[int, ...] | None = None  # who may have quarantined payloads opened; None: allowed_uids
    opener_uids: tuple[int, ...] | None = None  # who may have footage opened (the api's user); None: allowed_uids
    live_uids: tuple[int, ...] = ()  # who may show live pictures, each look on record first (live's user)
    operator_uids: tuple[int, ...] = ()  # who may run `tallenne verify`
    listen: CustodianListen | None = None  # for callers on other machines; None: its Unix socket alone
    keyring_replicas: tuple[Path, ...] = ()  # further copies of the keyring, best on other disks; never in a backup
    keys_ahead_hours: int = 14 * 24
    expire_at_once: int | None = (
        None  # camera-hours that may expire without an operator's word; None: 25 of each camera
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """One mail server (RFC 6409), and the address that its messages come from."""

    host: str
    sender: str
    port: int = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    tls_ca: Path | None = None
    user_name: str = ""
    password: str = field(default="", repr=False)
