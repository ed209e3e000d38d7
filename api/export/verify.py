#!/usr/bin/env python3
"""Checks an export of Tallenne: that no byte of it was changed since it was made. Needs Python 3.8 and openssl.

It also checks the certificates of what expired (`tallenne retention certificates`): signed, in order, none missing
before the last one that is there.

    python3 verify.py                     in the folder of the unpacked export
    python3 verify.py export.zip          or for the ZIP as it came
    python3 verify.py --key-sha256 HEX    also: the key is the one whose fingerprint the operator told you

Exit code 0: everything is as it was signed. By hand it is two commands:

    openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig
    sha256sum *.mp4                       and compare with "sha256" in manifest.json
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import IO, Any, Union

SIGNED = ("manifest.json", "manifest.sig", "public-key.pem")


class WrongError(Exception):
    """What is wrong, in words."""


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        """Return the files' names, hidden ones left out."""
        return [item.name for item in self.path.iterdir() if item.is_file() and not item.name.startswith(".")]

    def open(self, name: str) -> IO[bytes]:
        """Open a file to read. OSError."""
        return (self.path / name).open("rb")


class Archive:
    def __init__(self, path: Path) -> None:
        self.zip = zipfile.ZipFile(path)

    def names(self) -> list[str]:
        """Return the names of all members; a name may come twice."""
        return self.zip.namelist()

    def open(self, name: str) -> IO[bytes]:
        """Open a member to read. KeyError when there is none."""
        return self.zip.open(name)


Source = Union[Folder, Archive]  # noqa: UP007 (Python 3.8)


def whole(source: Source, name: str) -> bytes:
    """Return a small file's bytes; WrongError when it is missing."""
    try:
        with source.open(name) as file:
            return file.read()
    except (OSError, KeyError):
        raise WrongError(f"{name} is missing") from None


def key_fingerprint(pem: bytes) -> str:
    """SHA-256 of the key's DER form; the file must be exactly what a key file is."""
    lines = pem.decode("ascii", "replace").split("\n")
    if lines[0] != "-----BEGIN PUBLIC KEY-----" or lines[-2:] != ["-----END PUBLIC KEY-----", ""]:
        raise WrongError("public-key.pem is not a public key")
    try:
        der = base64.b64decode("".join(lines[1:-2]), validate=True)
    except ValueError:
        raise WrongError("public-key.pem is not a public key") from None
    if base64.b64encode(der).decode() != "".join(lines[1:-2]):
        raise WrongError("public-key.pem is not a public key")
    return hashlib.sha256(der).hexdigest()


def check_signature(signed: str, signature: str, parts: dict[str, bytes]) -> None:
    """Have openssl verify the signature of one of ``parts``; WrongError when it does not hold."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in parts.items():
            (Path(folder) / name).write_bytes(data)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "public-key.pem", "-rawin"]
        command += ["-in", signed, "-sigfile", signature]
        try:
            done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        except FileNotFoundError:
            raise WrongError("the openssl command is not installed, so the signature cannot be checked") from None
    if done.returncode != 0:
        raise WrongError(f"the signature does not belong to {signed} and public-key.pem")


def check_file(source: Source, said: dict[str, Any]) -> None:
    """Compare a file's size and SHA-256 with its entry in the manifest; WrongError when they differ."""
    digest, size = hashlib.sha256(), 0
    try:
        with source.open(said["name"]) as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
                size += len(piece)
    except (OSError, KeyError):
        raise WrongError(f"{said['name']} is missing") from None
    except zipfile.BadZipFile:
        raise WrongError(f"{said['name']} is damaged") from None
    if size != said["size_bytes"] or digest.hexdigest() != said["sha256"]:
        raise WrongError(f"{said['name']} is not what was exported")


def known_key(pem: bytes, key_sha256: str) -> str:
    """The key's fingerprint; WrongError when another one was named."""
    fingerprint = key_fingerprint(pem)
    if key_sha256 and fingerprint != key_sha256.replace(":", "").lower():
        raise WrongError(f"the key is another one: {fingerprint}")
    return fingerprint


def certificates(names: list[str]) -> list[str]:
    """The bodies of certificates among a source's names, in order."""
    return sorted(name for name in names if name.startswith("certificate-") and name.endswith(".json"))


def verify_certificates(source: Source, key_sha256: str) -> tuple[str, list[dict[str, Any]]]:
    """The key's fingerprint and what the certificates say, once all are signed and follow one another; WrongError."""
    pem = whole(source, "public-key.pem")
    fingerprint = known_key(pem, key_sha256)
    said: list[dict[str, Any]] = []
    previous = "0" * 64
    for number, name in enumerate(certificates(source.names()), start=1):
        body, signature = whole(source, name), f"{name[:-5]}.sig"
        check_signature(name, signature, {name: body, signature: whole(source, signature), "public-key.pem": pem})
        one: dict[str, Any] = json.loads(body)
        if one["number"] != number or one["previous"] != previous:
            raise WrongError(f"{name} does not follow from the certificate before it: one is missing or was replaced")
        said.append(one)
        previous = hashlib.sha256(body).hexdigest()
    return fingerprint, said


def verify(source: Source, key_sha256: str) -> dict[str, Any]:
    """The manifest, once everything holds; WrongError."""
    parts = {name: whole(source, name) for name in SIGNED}
    fingerprint = known_key(parts["public-key.pem"], key_sha256)
    check_signature("manifest.json", "manifest.sig", parts)
    manifest: dict[str, Any] = json.loads(parts["manifest.json"])
    if manifest["public_key_sha256"] != fingerprint:
        raise WrongError("manifest.json names another key")
    for said in [*manifest["files"], *manifest["enclosed"]]:
        check_file(source, said)
    known = {said["name"] for said in [*manifest["files"], *manifest["enclosed"]]}
    names = source.names()
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise WrongError(f"there are two of: {', '.join(twice)}")
    strangers = sorted(name for name in set(names) - known if name.lower().endswith(".mp4"))
    if strangers:
        raise WrongError(f"not part of the export: {', '.join(strangers)}")
    return manifest


def _shown(words: object) -> str:
    """For a terminal, which a forged export must not control."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in str(words))


def main() -> int:
    """Check the export that the command line names; print the files, or what is wrong."""
    parser = argparse.ArgumentParser(description="Check an export of Tallenne.")
    parser.add_argument("export", nargs="?", default=".", help="the folder or the ZIP (default: this folder)")
    parser.add_argument("--key-sha256", default="", help="fingerprint of the operator's key, told by another way")
    given = parser.parse_args()
    path = Path(given.export)
    try:
        source = Folder(path) if path.is_dir() else Archive(path)
        if certificates(source.names()):
            fingerprint, said = verify_certificates(source, given.key_sha256)
            print_certificates(said)
            print_key(fingerprint, given.key_sha256)
            return 0
        manifest = verify(source, given.key_sha256)
    except (WrongError, zipfile.BadZipFile, OSError, ValueError, KeyError, TypeError) as error:
        print(f"WRONG: {_shown(error)}", file=sys.stderr)
        return 1
    for said in manifest["files"]:
        print(_shown(f"unchanged: {said['name']}  {said['camera']}, {said['start']} to {said['end']}"))
    print_key(manifest["public_key_sha256"], given.key_sha256)
    return 0


def print_key(fingerprint: str, told: str) -> None:
    """Print the key's fingerprint and, unless it was ``told``, that a receiver cannot know whose key it is."""
    if not told:
        print("Signed with the key whose SHA-256 is below. Ask the operator by another way whether it is theirs.")
    print(_shown(f"key: {fingerprint}"))


def print_certificates(said: list[dict[str, Any]]) -> None:
    """Print what was certified: a line for each certificate, and one for each camera."""
    for one in said:
        counts = f"{one['camera_hours']} camera-hours, {one['segments']} segments"
        print(_shown(f"certificate {one['number']}: {one['kind']}, key destroyed {one['key_destroyed']}: {counts}"))
        for camera in one["cameras"]:
            hours = ", ".join(hour["hour"] for hour in camera["hours"])
            print(_shown(f"    {camera['site']} / {camera['camera']}: recorded in the hours of {hours}"))
    last = said[-1]
    print(_shown(f"The last is number {last['number']}, issued {last['issued']}. Later ones do not show here."))


if __name__ == "__main__":
    sys.exit(main())
