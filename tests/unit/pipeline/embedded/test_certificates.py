"""Certificates of a service's own: a chain that openssl verifies, private keys private, made once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipeline.embedded.certificates import make_mutual


def openssl(*words: str | Path) -> str:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=True)
    return done.stdout


def test_chain_is_good_for_a_server_and_a_client_on_loopback(tmp_path: Path) -> None:
    authority, certificate, key = make_mutual(tmp_path, "store")
    for purpose in ("sslserver", "sslclient"):
        assert "OK" in openssl("verify", "-purpose", purpose, "-CAfile", authority, certificate)
    assert "OK" in openssl("verify", "-verify_ip", "127.0.0.1", "-CAfile", authority, certificate)
    assert openssl("x509", "-in", certificate, "-noout", "-pubkey") == openssl("pkey", "-in", key, "-pubout")
    with pytest.raises(subprocess.CalledProcessError):
        openssl("verify", "-verify_ip", "192.0.2.1", "-CAfile", authority, certificate)


def test_files_are_private_and_made_once_and_the_authority_s_key_is_not_kept(tmp_path: Path) -> None:
    files = make_mutual(tmp_path, "store")
    before = [file.read_bytes() for file in files]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(file.name for file in files)
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert [file.read_bytes() for file in make_mutual(tmp_path, "store")] == before
    files[1].unlink()
    make_mutual(tmp_path, "store")
    assert files[0].read_bytes() != before[0]  # a certificate that is gone cannot be made again: all are new
