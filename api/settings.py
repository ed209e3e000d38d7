"""Settings of the staff API, filled in by pipeline/ from the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runtime.settings import DatabaseSettings, StoreSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """The settings of the serve role."""

    database: DatabaseSettings
    store: StoreSettings
    custodian_socket: Path
    run_directory: Path
    secret_directory: Path  # the api's own key (seals TOTP secrets), self-made certificate; 0700
    roles: tuple[str, ...] = ()  # those that must run on this machine, for its health
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
