"""Settings of ingest, filled in by pipeline/ from the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from domain.ids import CameraId, SiteId
from runtime.settings import CustodianPlace, DatabaseSettings, SpoolSettings, StoreSettings


class SourceKind(StrEnum):
    NATIVE = "native"
    AUTO = NATIVE  # what reports about cameras call it
    LIBAV = "libav"  # FFmpeg's, for cameras that the native client cannot record


class Transport(StrEnum):
    TCP = "tcp"  # RTP interleaved in the RTSP connection; UDP where the camera refuses that
    UDP = "udp"
    TLS = "tls"  # rtsps://


class TlsLevel(StrEnum):
    """The least that a camera's TLS must offer."""

    MODERN = "modern"  # TLS 1.2 with forward secrecy, keys of 2048 bits
    LEGACY = "legacy"  # all that OpenSSL still supports: TLS 1.0, no forward secrecy, keys of 1024 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSettings:
    camera_id: CameraId
    site_id: SiteId
    name: str
    url: str  # rtsp:// or rtsps://, without credentials
    substream_url: str = ""  # a smaller stream of the same camera, for walls; never recorded
    user_name: str = ""
    password: str = field(default="", repr=False)
    basic_auth: bool = False  # the password may be sent in the clear
    source: SourceKind = SourceKind.NATIVE
    transport: Transport = Transport.TCP
    tls_ca: Path | None = None
    tls_fingerprint: str = ""  # SHA-256 of the certificate, hex
    tls_level: TlsLevel = TlsLevel.MODERN
    audio: bool = False
    audio_reason: str = ""  # required with audio
    segment_s: float = 10.0
    segment_max_s: float = 30.0
    allowed_networks: tuple[str, ...] = ()  # CIDR; empty: private and loopback networks, without link-local ones


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    cameras: tuple[CameraSettings, ...]
    spool: SpoolSettings
    store: StoreSettings
    database: DatabaseSettings
    custodian_socket: CustodianPlace  # used to enrol; recording goes on without it
    recorder_directory: Path  # the recorder's own signing key, pinned custodian, cached hour keys; 0700
    recorder_name: str
    run_directory: Path  # status file
    feed_uids: tuple[int, ...] = ()  # who may watch what comes (live's user); empty: it is not handed out
    upload_concurrency: int = 4
