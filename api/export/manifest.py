"""Builds an export's manifest and its signature. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.footage import Segment
from domain.ids import CameraId
from domain.time import Span, to_iso

FORMAT: Final = "tallenne-export/1"
ENCLOSED: Final = {"verify.py": "verify.py", "READ-ME.txt": "READ-ME.txt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """The MP4 of one camera."""

    name: str
    camera_id: CameraId
    camera: str
    site: str
    time_zone: str
    span: Span  # of the footage, which begins at a key frame
    footage: tuple[Span, ...]
    segments: tuple[Segment, ...]
    size_bytes: int
    sha256: bytes

    def said(self) -> dict[str, Any]:
        """Return the file's entry in the manifest."""
        return {
            "name": self.name,
            "camera_id": str(self.camera_id),
            "camera": self.camera,
            "site": self.site,
            "time_zone": self.time_zone,
            "start": to_iso(self.span.start_ns),
            "end": to_iso(self.span.end_ns),
            "footage": [_span(piece) for piece in self.footage],
            "size_bytes": self.size_bytes,
            "sha256": self.sha256.hex(),
            "sealed_objects": [
                {
                    "segment_id": str(segment.segment_id),
                    **_span(segment.span),
                    "size_bytes": segment.size_bytes,
                    "sha256": segment.sha256.hex(),
                }
                for segment in self.segments
            ],
        }


def manifest_bytes(
    made: Sequence[ExportedFile],
    *,
    export_id: UUID,
    asked: Span,
    created_ns: int,
    purpose: str,
    exported_by: UUID,
    approved_by: UUID | None,
    gaps: Sequence[dict[str, str]],
    public_key: Ed25519PublicKey,
    masking: Mapping[str, str] | None = None,
) -> bytes:
    """Return the manifest in signed form. It names staff by id, which only the operator can resolve.

    masking: how everyone in it was masked; None: they were not
    """
    body = {
        "format": FORMAT,
        "export_id": str(export_id),
        "created": to_iso(created_ns),
        "asked": _span(asked),
        "purpose": purpose,
        "exported_by": str(exported_by),
        "approved_by": None if approved_by is None else str(approved_by),
        "faces_masked": masking is not None,
        **({} if masking is None else {"masking": dict(masking)}),
        "files": [file.said() for file in made],
        "gaps": list(gaps),
        "enclosed": [
            {"name": name, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in enclosures().items()
        ],
        "signature": "Ed25519 over this file, in manifest.sig",
        "public_key_sha256": fingerprint(public_key),
    }
    return (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode()


@cache
def enclosures() -> dict[str, bytes]:
    """Return the files that every export contains: the verifier and an explanation."""
    folder = files("api.export")
    return {name: folder.joinpath(kept).read_bytes() for name, kept in ENCLOSED.items()}


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Return the public key in PEM, as openssl reads it."""
    der = base64.b64encode(_der(key)).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n".encode()


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return the SHA-256 of the public key (DER), for receivers to compare."""
    return hashlib.sha256(_der(key)).hexdigest()


def _der(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _span(span: Span) -> dict[str, str]:
    return {"start": to_iso(span.start_ns), "end": to_iso(span.end_ns)}
