"""Certificates leave as a ZIP that the exports' verifier checks with openssl, and nothing missing passes."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.retention.bundle import key_sha256, write_bundle
from tests.unit.storage.catalogue.test_certificates import SIGNER, chain, erasure


def verified(path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """As a receiver does: the verifier out of the ZIP, and no module of ours."""
    with zipfile.ZipFile(path) as archive:
        archive.extract("verify.py", path.parent)
    command = [sys.executable, "-I", str(path.parent / "verify.py"), *more, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "certificates.zip"
    path.write_bytes(write_bundle(chain(3), SIGNER))
    return path


def test_certificates_verify_offline_and_are_printed(bundle: Path) -> None:
    done = verified(bundle)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len([line for line in lines if line.startswith("certificate ")]) == 3
    assert "3 camera-hours, 6 segments" in lines[0]
    assert "Gym / Camera 0" in lines[1]
    # Whoever makes up certificates signs them with a key of theirs, and leaves out the last ones.
    assert lines[-3].startswith("The last is number 3, issued ")
    assert "Ask the operator by another way" in lines[-2]
    told = verified(bundle, "--key-sha256", key_sha256(SIGNER))
    assert told.returncode == 0
    assert "Ask the operator" not in told.stdout
    assert "the key is another one" in verified(bundle, "--key-sha256", "00" * 32).stderr


def test_erasure_is_verified_and_printed_in_the_same_chain(tmp_path: Path) -> None:
    expired = chain(2)
    path = tmp_path / "certificates.zip"
    path.write_bytes(write_bundle([*expired, erasure(expired[-1])], SIGNER))
    done = verified(path)
    assert done.returncode == 0, done.stderr
    assert any(line.startswith("certificate 3: erasure, key destroyed") for line in done.stdout.splitlines())


def without(name: str) -> Callable[[dict[str, bytes]], object]:
    return lambda files: [files.pop(f"{name}{end}") for end in (".json", ".sig")]


def changed(files: dict[str, bytes]) -> None:
    files["certificate-00000002.json"] = files["certificate-00000002.json"].replace(b"Gym", b"Gyn")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("certificate-00000001"), "certificate-00000002.json does not follow"),
        (without("certificate-00000002"), "certificate-00000003.json does not follow"),
        (changed, "does not belong to certificate-00000002.json"),
    ],
)
def test_hole_and_change_are_named(bundle: Path, change: Callable[[dict[str, bytes]], object], words: str) -> None:
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    done = verified(bundle)
    assert done.returncode == 1
    assert words in done.stderr
