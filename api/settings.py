"""Settings of the staff API, filled in by pipeline/ from the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from runtime.settings import CustodianPlace, DatabaseSettings, MailServer, StoreSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """A TURN server for browsers that do not reach this machine by UDP."""

    url: str  # turn:HOST:PORT
    secret: str = field(repr=False)  # shared with it: credentials are made for an hour (coturn: use-auth-secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersSettings:
    """What members find on their own pages, and who sends their mail."""

    name: str  # of the gym, as members know it
    mail: MailServer
    may_change: tuple[str, ...]  # fields of the register
    consents: tuple[str, ...] = ()  # what they may consent to, in the words that they read


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """The settings of the serve role."""

    database: DatabaseSettings
    store: StoreSettings
    custodian_socket: CustodianPlace
    run_directory: Path
    secret_directory: Path  # the api's own key (seals TOTP secrets), self-made certificate; 0700
    papers_directory: Path | None = None  # published papers, of which the notice is shown to everyone
    live_uids: tuple[int, ...] = ()  # under which the role live runs
    turn: TurnSettings | None = None
    members: MembersSettings | None = None  # None: members have no pages
    roles: tuple[str, ...] = ()  # roles that must run on this machine, for its health
    host: str = "127.0.0.1"
    port: int = 0  # 0: any free port; the status file names it
    tls_certificate: Path | None = None  # None: one is made
    tls_key: Path | None = None
    default_language: str = "en"  # "fi" or "en"
    metrics_token: str = ""  # bearer token of /metrics; empty: /metrics is off
    trusted_proxies: tuple[str, ...] = ()  # addresses whose X-Forwarded-For is believed
    connections_max: int = 256
    connections_per_address: int = 64  # a browser holds six
    database_connections: int = 8
    store_connections: int = 48
