"""The receiver's script, on a folder and a ZIP, with openssl: right as it was signed, wrong after any change."""

from __future__ import annotations

import hashlib
import shutil
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.export.manifest import ExportedFile, enclosures, fingerprint, manifest_bytes, public_pem
from api.export.verify import Archive, Folder, WrongError, key_fingerprint, verify
from domain.ids import CameraId
from domain.time import NS, Span

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))  # fixed: the names of parametrized tests hold it
PEM, PRINT = public_pem(KEY.public_key()), fingerprint(KEY.public_key())
COLONS = ":".join(PRINT[at : at + 2] for at in range(0, 64, 2))
OTHER = public_pem(Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32).public_key())


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "1-Lobby.mp4").write_bytes(b"video")
    made = ExportedFile(
        name="1-Lobby.mp4",
        camera_id=CameraId(uuid.uuid4()),
        camera="Lobby",
        site="North",
        time_zone="UTC",
        span=Span(0, NS),
        footage=(Span(0, NS),),
        segments=(),
        size_bytes=5,
        sha256=hashlib.sha256(b"video").digest(),
    )
    manifest = manifest_bytes(
        [made],
        export_id=uuid.uuid4(),
        asked=Span(0, NS),
        created_ns=NS,
        purpose="incident",
        exported_by=uuid.uuid4(),
        approved_by=None,
        gaps=[],
        public_key=KEY.public_key(),
    )
    parts = {"manifest.json": manifest, "manifest.sig": KEY.sign(manifest), "public-key.pem": PEM}
    for name, data in {**parts, **enclosures()}.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("key_sha256", ["", PRINT, PRINT.upper(), COLONS])
def test_export_as_it_was_signed_holds(export: Path, key_sha256: str) -> None:
    assert verify(Folder(export), key_sha256)["files"][0]["name"] == "1-Lobby.mp4"


def test_zip_as_it_came_holds_too(export: Path) -> None:
    path = Path(shutil.make_archive(str(export), "zip", export))
    assert verify(Archive(path), PRINT)["purpose"] == "incident"


def _changed(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_changed("1-Lobby.mp4", b"Video"), "is not what was exported"),
        (_changed("1-Lobby.mp4", b"video more"), "is not what was exported"),
        (lambda folder: (folder / "1-Lobby.mp4").unlink(), "1-Lobby.mp4 is missing"),
        (_changed("2-Lobby.mp4", b"video"), "not part of the export: 2-Lobby.mp4"),
        (_changed("verify.py", b"print('fine')"), "is not what was exported"),
        (_changed("manifest.sig", bytes(64)), "signature does not belong"),
        (lambda folder: (folder / "manifest.sig").unlink(), "manifest.sig is missing"),
        (_changed("public-key.pem", b"nonsense"), "not a public key"),
        (
            _changed("public-key.pem", public_pem(Ed25519PrivateKey.generate().public_key())),
            "signature does not belong",
        ),
    ],
)
def test_any_change_is_named(export: Path, change: Callable[[Path], object], words: str) -> None:
    change(export)
    with pytest.raises(WrongError, match=words):
        verify(Folder(export), "")


def test_manifest_signed_anew_by_another_key_is_found_by_the_fingerprint(export: Path) -> None:
    other = Ed25519PrivateKey.generate()
    (export / "public-key.pem").write_bytes(public_pem(other.public_key()))
    (export / "manifest.sig").write_bytes(other.sign((export / "manifest.json").read_bytes()))
    with pytest.raises(WrongError, match="the key is another one"):
        verify(Folder(export), PRINT)
    with pytest.raises(WrongError, match="names another key"):
        verify(Folder(export), "")


def test_file_that_is_twice_in_the_zip_is_found(export: Path) -> None:
    path = Path(shutil.make_archive(str(export), "zip", export))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("READ-ME.txt", enclosures()["READ-ME.txt"])
    with pytest.raises(WrongError, match=r"two of: READ-ME\.txt"):
        verify(Archive(path), "")


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        public_pem(KEY.public_key()).rstrip(b"\n"),
        public_pem(KEY.public_key()) + b"more\n",
        public_pem(KEY.public_key()).replace(b"\n", b"\r\n"),
        b"-----BEGIN PUBLIC KEY-----\n!!\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN PUBLIC KEY-----\nAB==\n-----END PUBLIC KEY-----\n",
    ],
)
def test_key_file_must_be_exactly_one(pem: bytes) -> None:
    with pytest.raises(WrongError, match="not a public key"):
        key_fingerprint(pem)
