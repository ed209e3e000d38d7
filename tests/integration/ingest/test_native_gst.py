"""Interoperation with a server not written here: Debian's gst-rtsp-server."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import ipaddress
import random
from dataclasses import dataclass, replace
from pathlib import Path

import av
import av.logging
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ingest.access_unit import AccessUnit
from ingest.errors import CameraAwayError, CameraRefusedError, StreamError
from ingest.libav.source import OPTIONS
from ingest.media.fragments import FragmentWriter
from ingest.media.init import make_init
from ingest.rtp.frames import HEAD_BYTES, SLACK
from ingest.rtsp.datagrams import Datagrams
from ingest.settings import SourceKind, Transport
from ingest.sources import Sources
from storage.mp4 import mdat_head, write_moof
from tests.support.cameras.decode import images
from tests.support.cameras.gst_camera import require_gstreamer, serving
from tests.support.cameras.native import camera, take, taken
from tests.support.cameras.rtp import losses, units
from tests.support.cameras.video import decoded_times


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    require_gstreamer()


@dataclass(frozen=True)
class Certificate:
    file: Path  # key and certificate
    fingerprint: str


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = datetime.datetime.now(datetime.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "camera.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return Certificate(path, hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest())


def check_plays(pictures: list[AccessUnit], codec: str) -> None:
    """libav decodes every picture."""
    writer = FragmentWriter()
    fragments = [made for unit in pictures if (made := writer.push(unit))]
    fragments += iter(writer.flush, None)
    found, init = make_init(pictures[0].parameters)
    assert found.name == codec
    assert (found.width, found.height) == (640, 360)
    mp4 = [init]
    for item in fragments:
        run = replace(item.run, decode_ticks=item.start_ticks - pictures[0].pts_ticks)
        mp4 += [write_moof(run), mdat_head(sum(map(len, item.pictures))), *item.pictures]
    assert len(decoded_times(b"".join(mp4))) == len(pictures)


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("sets_every", [0, -1])
async def test_tcp(codec: str, sets_every: int) -> None:
    """Parameter sets only in the description, or with every key frame."""
    with serving(codec=codec, sets_every=sets_every) as address:
        items = await taken(address, 30)
    assert losses(items) == []
    assert units(items)[0].key
    check_plays(units(items), codec)


@pytest.mark.parametrize("basic", [False, True])
async def test_password(basic: bool) -> None:
    with serving(user="gym", password="s3cret", basic=basic) as address:
        assert units(await taken(address, 5, user_name="gym", password="s3cret", basic_auth=basic))
        with pytest.raises(CameraRefusedError, match="refuses user name and password"):
            await taken(address, 5, user_name="gym", password="wrong-word", basic_auth=basic)
        if basic:
            with pytest.raises(CameraRefusedError, match="password in the clear"):
                await taken(address, 5, user_name="gym", password="s3cret")
        with pytest.raises(CameraRefusedError, match="asks for user name"):
            await taken(address, 5)


async def test_tls_by_authority_and_by_fingerprint(certificate: Certificate) -> None:
    with serving(certificate=str(certificate.file)) as address:
        for trust in ({"tls_ca": certificate.file}, {"tls_fingerprint": certificate.fingerprint.upper()}):
            items = await taken(address, 30, transport=Transport.TLS, **trust)
            assert losses(items) == []
            check_plays(units(items), "h264")
        with pytest.raises(CameraRefusedError, match="another fingerprint"):
            await taken(address, 1, transport=Transport.TLS, tls_fingerprint="00" * 32)
        with pytest.raises(CameraRefusedError, match="not trusted"):
            await taken(address, 1, transport=Transport.TLS)


async def test_tls_and_password(certificate: Certificate) -> None:
    with serving(certificate=str(certificate.file), codec="h265", user="gym", password="s3cret") as address:
        items = await taken(
            address, 10, transport=Transport.TLS, tls_ca=certificate.file, user_name="gym", password="s3cret"
        )
    check_plays(units(items), "h265")


async def test_server_that_ends_is_told_and_comes_back() -> None:
    with serving() as address:
        source = Sources().make(camera(address))
        task = asyncio.create_task(take(source, 100_000))
        await asyncio.sleep(2)
    with pytest.raises(CameraAwayError):
        await task
    with serving(port=int(address.rpartition(":")[2].partition("/")[0])) as again:
        assert units(await taken(again, 5))


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_udp_where_the_camera_does_not_send_over_tcp(codec: str) -> None:
    """The second connection asks for UDP at once."""
    sources = Sources()
    with serving(codec=codec, transport="udp", user="gym", password="s3cret") as address:
        for _ in range(2):
            source = sources.make(camera(address, user_name="gym", password="s3cret"))
            items = await take(source, 30)
            assert (source.kind, source.note) == ("native", "it sends over UDP")
            assert source.skew_ns is None or abs(source.skew_ns) < 1_000_000_000
            assert losses(items) == []
            check_plays(units(items), codec)


async def test_udp_where_the_configuration_asks_for_it() -> None:
    with serving() as address:
        source = Sources().make(camera(address, transport=Transport.UDP))
        items = await take(source, 30)
    assert source.note == "it sends over UDP"
    assert losses(items) == []
    check_plays(units(items), "h264")


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_libav_where_the_configuration_asks_for_it(codec: str) -> None:
    with serving(codec=codec) as address:
        source = Sources().make(camera(address, source=SourceKind.LIBAV))
        items = await take(source, 20)
    assert source.kind == "libav"
    assert units(items)


@pytest.mark.parametrize("source", list(SourceKind))
async def test_other_codecs_are_refused(source: SourceKind) -> None:
    with serving(codec="vp8") as address, pytest.raises(StreamError, match=r"(?i)vp8|h\.26"):
        await take(Sources().make(camera(address, source=source)), 1)


def test_libav_opens_no_decoder_for_other_codecs() -> None:
    """The positive control: without the list it does."""
    refused = []
    for options in ({}, {key: value for key, value in OPTIONS.items() if key.endswith("whitelist")}):
        with serving(codec="vp8") as address, av.logging.Capture() as said:
            av.logging.set_level(av.logging.ERROR)
            av.open(address, format="rtsp", options={"rtsp_transport": "tcp", **options}).close()
        refused.append(any("not on whitelist" in text for _, _, text in said))
    assert refused == [False, True]


async def test_udp_that_loses_one_packet_in_a_hundred_keeps_nearly_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """gst-rtsp-server codes several slices. Packets are lost between the kernel and the client, by a seed."""
    seeded, dropped, pictures = random.Random(6), [0], 250
    whole = Datagrams.receive

    def lossy(self: Datagrams, view: memoryview, end: int, mono_ns: int) -> None:
        at, kept = 0, bytearray()
        while at < end:
            after = at + HEAD_BYTES + int.from_bytes(view[at + 2 : at + 4], "big")
            if seeded.random() < 0.01:
                dropped[0] += 1
            else:
                kept += view[at:after]
            at = after
        whole(self, memoryview(kept + bytes(SLACK)), len(kept), mono_ns)

    monkeypatch.setattr(Datagrams, "receive", lossy)
    with serving(noise=True) as address:
        items = await take(Sources().make(camera(address, transport=Transport.UDP)), pictures)
    got = units(items)
    span = (max(unit.pts_ticks for unit in got) - got[0].pts_ticks) / 3600 + 1
    shown = images(got, "h264")
    lost = sum(loss.packets for loss in losses(items))
    print(
        f"{lost} of {dropped[0]} dropped packets seen as lost; {len(got)} of {span:.0f} pictures kept "
        f"({len(got) / span:.1%}), {len(shown)} of them shown by libav, {sum(unit.damaged for unit in got)} marked"
    )
    assert len(got) >= 0.9 * span
    assert len(shown) >= 0.9 * len(got)
    assert lost > 10
    assert not any(loss.gap for loss in losses(items))
