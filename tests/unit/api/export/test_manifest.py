"""The manifest as it is signed: every field, and a key that openssl reads."""

from __future__ import annotations

import hashlib
import json
import subprocess
import uuid
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.export.manifest import ExportedFile, enclosures, fingerprint, manifest_bytes, public_pem
from domain.ids import CameraId
from domain.time import NS, Span

KEY = Ed25519PrivateKey.generate()
FILE = ExportedFile(
    name="1-Lobby.mp4",
    camera_id=CameraId(uuid.uuid4()),
    camera="Pääaula",
    site="North",
    time_zone="Europe/Helsinki",
    span=Span(0, 10 * NS),
    footage=(Span(0, 4 * NS), Span(5 * NS, 10 * NS)),
    segments=(),
    size_bytes=5,
    sha256=hashlib.sha256(b"video").digest(),
)


def manifest(*files: ExportedFile, approved_by: uuid.UUID | None = None) -> bytes:
    return manifest_bytes(
        files,
        export_id=uuid.UUID(int=1),
        asked=Span(0, 11 * NS),
        created_ns=12 * NS,
        purpose="incident",
        exported_by=uuid.UUID(int=2),
        approved_by=approved_by,
        gaps=[{"start": "a", "end": "b", "cause": "loss"}],
        public_key=KEY.public_key(),
    )


def test_manifest_says_what_was_asked_for_what_there_is_and_who_stands_for_it() -> None:
    data = manifest(FILE, approved_by=uuid.UUID(int=3))
    said = json.loads(data)
    assert data.endswith(b"\n") and "Pääaula".encode() in data
    assert said["asked"] == {"start": "1970-01-01T00:00:00.000Z", "end": "1970-01-01T00:00:11.000Z"}
    assert (said["exported_by"], said["approved_by"]) == (str(uuid.UUID(int=2)), str(uuid.UUID(int=3)))
    assert (said["faces_masked"], said["gaps"][0]["cause"], said["created"][17:19]) == (False, "loss", "12")
    (file,) = said["files"]
    assert (file["name"], file["size_bytes"], file["sha256"]) == ("1-Lobby.mp4", 5, FILE.sha256.hex())
    assert [(piece["start"][17:19], piece["end"][17:19]) for piece in file["footage"]] == [("00", "04"), ("05", "10")]
    assert json.loads(manifest())["approved_by"] is None


def test_manifest_of_a_masked_copy_says_how_it_was_masked() -> None:
    masking = {"what": "faces"}
    data = manifest_bytes(
        (FILE,),
        export_id=uuid.UUID(int=1),
        asked=Span(0, NS),
        created_ns=NS,
        purpose="incident",
        exported_by=uuid.UUID(int=2),
        approved_by=None,
        gaps=(),
        public_key=KEY.public_key(),
        masking=masking,
    )
    said = json.loads(data)
    assert (said["faces_masked"], said["masking"]) == (True, masking)
    assert "masking" not in json.loads(manifest(FILE))


def test_manifest_names_the_key_and_what_is_enclosed_by_their_hashes() -> None:
    said = json.loads(manifest(FILE))
    assert said["public_key_sha256"] == fingerprint(KEY.public_key())
    assert {each["name"]: each["sha256"] for each in said["enclosed"]} == {
        name: hashlib.sha256(data).hexdigest() for name, data in enclosures().items()
    }
    assert {"verify.py", "READ-ME.txt"} == enclosures().keys()


def test_openssl_reads_the_key_and_its_fingerprint_is_ours(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(public_pem(KEY.public_key()))
    command = ["openssl", "pkey", "-pubin", "-in", str(tmp_path / "key.pem"), "-outform", "DER"]
    der = subprocess.run(command, capture_output=True, check=True).stdout
    assert hashlib.sha256(der).hexdigest() == fingerprint(KEY.public_key())
