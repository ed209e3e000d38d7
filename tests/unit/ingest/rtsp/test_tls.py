"""Cameras with old TLS: refused with the remedy, spoken with where the configuration allows it, never silently."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import socket
import ssl
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from ingest.errors import CameraAwayError, CameraRefusedError
from ingest.rtsp.tls import secure
from ingest.settings import TlsLevel

V12, V11 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_1
OLD = [
    pytest.param(2048, "AES256-GCM-SHA384", V12, id="no forward secrecy, AES-GCM (Reolink)"),
    pytest.param(2048, "AES256-SHA", V12, id="no forward secrecy, AES-CBC (Axis 6.53)"),
    pytest.param(2048, "ECDHE-RSA-AES256-SHA", V11, id="TLS 1.1"),
]


def certificate(place: Path, bits: int) -> str:
    """Self-signed, into ``place``; gives its fingerprint."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (place / "pem").write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest()


async def handshake(
    place: Path, bits: int, ciphers: str, version: ssl.TLSVersion, level: TlsLevel, fingerprint: str = ""
) -> str:
    """With a camera like that; gives the note of the connection."""
    found = certificate(place, bits)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers + ":@SECLEVEL=0")
    context.load_cert_chain(place / "pem")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.maximum_version = version

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    connected = socket.socket()
    connected.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(connected, server.sockets[0].getsockname())
        tls = await secure(connected, "camera", None, fingerprint or found, level)
        return tls.note
    finally:
        connected.close()
        server.close()


async def test_modern_tls_is_spoken_at_both_levels(tmp_path: Path) -> None:
    for level in TlsLevel:
        assert "ECDHE" in await handshake(tmp_path, 2048, "ECDHE-RSA-AES256-GCM-SHA384", V12, level)


@pytest.mark.parametrize(("bits", "ciphers", "version"), OLD)
async def test_old_tls_is_refused_with_the_remedy(
    tmp_path: Path, bits: int, ciphers: str, version: ssl.TLSVersion
) -> None:
    with pytest.raises((CameraRefusedError, CameraAwayError), match=r"too old|does not speak TLS") as caught:
        await handshake(tmp_path, bits, ciphers, version, TlsLevel.MODERN)
    assert 'tls_level to "legacy"' in caught.value.remedy


@pytest.mark.parametrize(("bits", "ciphers", "version"), OLD)
async def test_old_tls_is_spoken_where_it_is_allowed_and_named(
    tmp_path: Path, bits: int, ciphers: str, version: ssl.TLSVersion
) -> None:
    note = await handshake(tmp_path, bits, ciphers, version, TlsLevel.LEGACY)
    assert ciphers in note
    assert ("TLSv1.1" if version is V11 else "TLSv1.2") in note


@pytest.mark.parametrize("level", list(TlsLevel))
async def test_certificate_is_checked_at_both_levels(tmp_path: Path, level: TlsLevel) -> None:
    with pytest.raises(CameraRefusedError, match="fingerprint"):
        await handshake(tmp_path, 2048, "ECDHE-RSA-AES256-GCM-SHA384", V12, level, "00" * 32)


async def test_what_speaks_no_tls_is_not_called_old() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"RTSP/1.0 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    connected = socket.socket()
    connected.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(connected, server.sockets[0].getsockname())
        with pytest.raises(CameraAwayError, match="does not speak TLS"):
            await secure(connected, "camera", None, "00" * 32)
    finally:
        connected.close()
        server.close()
