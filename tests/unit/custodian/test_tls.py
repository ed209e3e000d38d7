"""Callers on other machines: who gets through to the custodian, and one clear error for each that does not."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import uvloop

from custodian.client import CustodianClient
from custodian.errors import CertificateError, CustodianAwayError, CustodianMisuseError
from custodian.protocol import Peer, pack_message, read_message
from custodian.server import HANDSHAKES_MAX, Server
from custodian.tls import client_context, name_of, server_context
from pipeline.commands.certificates.authority import AUTHORITY, CERTIFICATE, KEY, Authority
from runtime.errors import PrivateFileError
from runtime.settings import CustodianAt, CustodianListen, TlsFiles

pytestmark = pytest.mark.trust
YEAR = datetime.timedelta(days=365)
LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def files_in(place: Path) -> TlsFiles:
    return TlsFiles(ca=place / AUTHORITY, certificate=place / CERTIFICATE, key=place / KEY)


@dataclass(frozen=True, slots=True)
class Stand:
    """A server on this machine, and the authority that its callers' certificates come from."""

    folder: Path
    authority: Authority
    port: int
    server: Server

    def at(self, name: str = "recorder-1", **more: Any) -> CustodianAt:
        """As a caller of that name."""
        place = self.authority.issue(name, custodian=False, lasts=YEAR, **more)
        return CustodianAt(host="127.0.0.1", port=self.port, files=files_in(place))

    def stranger(self) -> CustodianAt:
        """With a certificate of another authority, though it knows this one's."""
        other = Authority.in_folder(self.folder / "other").issue("recorder-1", custodian=False, lasts=YEAR)
        return replace(self.at(), files=replace(files_in(other), ca=self.authority.folder / AUTHORITY))


@asynccontextmanager
async def stand(folder: Path, host: str = "127.0.0.1", **more: Any) -> AsyncIterator[Stand]:
    async def say(_request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        return {"who": peer.who}

    authority = Authority.in_folder(folder / "authority")
    files = files_in(authority.issue(host, custodian=True, lasts=YEAR, **more))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listen = CustodianListen(host="127.0.0.1", port=port, files=files, callers={})
    server = Server({"status": say}, {"status": [0, "recorder-1"], "enrol": ["serve-1"]})
    async with server.listening(folder / "socket"), server.listening_by_tls(listen):
        yield Stand(folder, authority, port, server)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_caller_with_a_listed_name_is_answered_by_that_name(tmp_path: Path, run: Callable[[Any], None]) -> None:
    async def look() -> None:
        async with stand(tmp_path) as made:
            assert await CustodianClient(made.at()).status() == {"who": "recorder-1"}
            with pytest.raises(CustodianMisuseError, match="User serve-1 may not ask the custodian for 'status'"):
                await CustodianClient(made.at("serve-1")).status()

    run(look())


REFUSED: dict[str, tuple[Callable[[Stand], CustodianAt], str]] = {
    "wrong authority": (Stand.stranger, "authority.pem did not sign .*certificate.pem"),
    "expired": (
        lambda made: made.at(now=LONG_AGO),
        "certificate.pem is out of date: it is good from 2019-12-31",
    ),
    "not listed": (lambda made: made.at("recorder-2"), "does not know the name 'recorder-2' of this certificate"),
    "of a custodian": (
        lambda made: replace(made.at(), files=files_in(made.authority.folder / "127.0.0.1")),
        "127.0.0.1/certificate.pem is a custodian's",
    ),
}


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("case", REFUSED)
def test_refused_caller_reads_what_is_wrong_with_its_certificate(
    tmp_path: Path, case: str, run: Callable[[Any], None]
) -> None:
    async def look() -> None:
        make, says = REFUSED[case]
        async with stand(tmp_path) as made:
            with pytest.raises(CertificateError, match=says):
                await CustodianClient(make(made)).status()
            assert await CustodianClient(made.at()).status() == {"who": "recorder-1"}

    run(look())


async def test_custodian_with_a_wrong_certificate_is_asked_nothing(tmp_path: Path) -> None:
    async with stand(tmp_path / "a", host="custodian.example") as made:
        with pytest.raises(CertificateError, match=r"custodian at 127.0.0.1:\d+ is not for '127.0.0.1'"):
            await CustodianClient(made.at()).status()
    async with stand(tmp_path / "b", now=LONG_AGO) as made:
        with pytest.raises(CertificateError, match=r"The certificate of the custodian at .* is out of date"):
            await CustodianClient(made.at()).status()
    async with stand(tmp_path / "c") as made:
        other = Authority.in_folder(tmp_path / "other").issue("recorder-1", custodian=False, lasts=YEAR)
        says = r"other/recorder-1/authority.pem did not sign the certificate of the custodian at 127.0.0.1:"
        with pytest.raises(CertificateError, match=says):
            await CustodianClient(replace(made.at(), files=files_in(other))).status()


async def test_what_only_the_custodian_finds_wrong_is_told_as_its_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own check, with the caller's left out: of another authority, a custodian's."""
    monkeypatch.setattr("custodian.tls._signed", lambda *_: True)
    monkeypatch.setattr("custodian.tls._is_a_callers", lambda _: True)
    async with stand(tmp_path) as made:
        for case in ("wrong authority", "of a custodian"):
            with pytest.raises(CertificateError, match=r"The custodian at .* refuses .*certificate.pem"):
                await CustodianClient(REFUSED[case][0](made)).status()


async def test_a_caller_cannot_pass_for_the_custodian(tmp_path: Path) -> None:
    """A recorder's certificate does not serve, whatever its name: here the custodian's host."""
    async with stand(tmp_path) as made:
        mine = made.at()
        taken = made.authority.issue("127.0.0.1", custodian=False, lasts=YEAR)
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=server_context(files_in(taken)))
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(CertificateError, match="custodian at"):
            await CustodianClient(replace(mine, port=port)).status()
        server.close()


async def test_without_a_certificate_there_is_no_answer(tmp_path: Path) -> None:
    """Asked by ourselves, and by OpenSSL's own client."""
    async with stand(tmp_path) as made:
        context = ssl.create_default_context(cafile=made.authority.folder / AUTHORITY)
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port, ssl=context)
        writer.write(pack_message({"op": "status"}))
        with contextlib.suppress(OSError):
            assert await reader.read(1) == b""
        writer.close()
        if openssl := shutil.which("openssl"):
            command = [openssl, "s_client", "-connect", f"127.0.0.1:{made.port}", "-quiet", "-no_ign_eof"]
            command += ["-CAfile", str(made.authority.folder / AUTHORITY)]
            done = await asyncio.to_thread(
                subprocess.run, command, input=b"", capture_output=True, timeout=20, check=False
            )
            assert done.stdout == b""
            mine = made.at().files
            command += ["-cert", str(mine.certificate), "-key", str(mine.key), "-ign_eof"]
            shown = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            assert shown.stdout is not None
            async with asyncio.timeout(20):
                assert (await shown.stdout.readexactly(13))[4:] == b'{"ok":{}}'  # the control
            shown.kill()
            await shown.wait()


async def test_files_that_are_missing_or_open_to_others_are_named(tmp_path: Path) -> None:
    async with stand(tmp_path) as made:
        mine = made.at().files
        with pytest.raises(CertificateError, match=r"none.pem cannot be read \(No such file"):
            client_context(replace(mine, certificate=tmp_path / "none.pem"))
        with pytest.raises(CertificateError, match="are no certificate with its key"):
            client_context(replace(mine, key=files_in(made.authority.issue("x", custodian=False, lasts=YEAR)).key))
        mine.key.chmod(0o644)
        with pytest.raises(PrivateFileError, match="can be read by others"):
            client_context(mine)


async def test_port_that_is_taken_or_silent_is_named(tmp_path: Path) -> None:
    async with stand(tmp_path) as made:
        files = files_in(made.authority.folder / "127.0.0.1")
        listen = CustodianListen(host="127.0.0.1", port=made.port, files=files, callers={})
        with pytest.raises(CustodianMisuseError, match=r"cannot listen at 127.0.0.1:\d+"):
            async with made.server.listening_by_tls(listen):
                pass
        at = made.at()
    with pytest.raises(CustodianAwayError, match=r"does not answer at 127.0.0.1:\d+ \(ConnectionRefusedError\)"):
        await CustodianClient(at).status()


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ((("DNS", "recorder-1"),), "recorder-1"),
        ((("DNS", "recorder-1"), ("DNS", "serve-1")), ""),
        ((("IP Address", "192.0.2.1"), ("DNS", "recorder-1")), "recorder-1"),
        ((), ""),
    ],
)
def test_a_caller_has_one_name(shown: tuple[tuple[str, str], ...], name: str) -> None:
    class Connection:
        def get_extra_info(self, _what: str) -> dict[str, Any]:
            return {"subjectAltName": shown}

    assert name_of(Connection()) == name  # type: ignore[arg-type]


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_silent_strangers_keep_no_caller_out(tmp_path: Path, run: Callable[[Any], None]) -> None:
    """Three times as many as may be in the handshake at once; the first of them are cut."""

    async def look() -> None:
        async with stand(tmp_path) as made:
            silent = [await asyncio.open_connection("127.0.0.1", made.port) for _ in range(3 * HANDSHAKES_MAX)]
            assert await CustodianClient(made.at(), deadline_s=5).status() == {"who": "recorder-1"}
            async with asyncio.timeout(5):
                with contextlib.suppress(ConnectionError):
                    assert await silent[0][0].read() == b""
            for _, writer in silent:
                writer.close()

    run(look())


def bare(files: TlsFiles | None) -> ssl.SSLContext:
    """A client's context that believes everybody and shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if files is not None:
        context.load_cert_chain(files.certificate, files.key)
    return context


LATER = datetime.datetime(2050, 1, 1, tzinfo=datetime.UTC)
FAILED: dict[str, tuple[Callable[[Stand], ssl.SSLContext | None], bytes, str]] = {
    "none": (lambda _: bare(None), b"", "it shows no certificate"),
    "wrong authority": (lambda made: bare(made.stranger().files), b"", "its certificate is refused (unable to get"),
    "expired": (lambda made: bare(made.at(now=LONG_AGO).files), b"", "refused (certificate has expired)"),
    "to come": (lambda made: bare(made.at(now=LATER).files), b"", "refused (certificate is not yet valid)"),
    "of a custodian": (
        lambda made: bare(files_in(made.authority.folder / "127.0.0.1")),
        b"",
        "certificate purpose)",
    ),
    "not TLS": (lambda _: None, b"GET / HTTP/1.0\r\n\r\n", "http request"),
    "silent": (lambda _: None, b"", "it was silent for too long"),
}


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("case", FAILED)
def test_failed_handshake_is_a_line_with_address_and_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    case: str,
    run: Callable[[Any], None],
) -> None:
    monkeypatch.setattr("custodian.server.HANDSHAKE_S", 1.0)
    make, data, says = FAILED[case]

    async def look() -> None:
        async with stand(tmp_path) as made:
            context = make(made)
            for _ in range(3):
                with contextlib.suppress(OSError):
                    reader, writer = await asyncio.open_connection("127.0.0.1", made.port, ssl=context)
                    writer.write(data)
                    assert await reader.read() == b""
                    writer.close()
            assert await CustodianClient(made.at()).status() == {"who": "recorder-1"}
            assert made.server.strangers == 3

    run(look())
    (line,) = [record.getMessage() for record in caplog.records if record.name == "custodian.server"]
    assert line.startswith("a TLS handshake of 127.0.0.1 failed, 1 times lately: ")
    assert says in line


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_handshakes_of_one_address_make_room_for_another(tmp_path: Path, run: Callable[[Any], None]) -> None:
    """A caller whose handshake takes its time stays, though an attacker begins hundreds after it."""

    async def look() -> None:
        async with stand(tmp_path) as made:
            slow, slow_writer = await asyncio.open_connection("127.0.0.1", made.port, local_addr=("127.0.0.7", 0))
            silent = [await asyncio.open_connection("127.0.0.1", made.port) for _ in range(3 * HANDSHAKES_MAX)]
            context = bare(made.at().files)
            await slow_writer.start_tls(context)
            assert (await slow.readexactly(13))[4:] == b'{"ok":{}}'
            for _, writer in (*silent, (slow, slow_writer)):
                writer.close()

    run(look())


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_certificate_that_ends_ends_what_it_opened(tmp_path: Path, run: Callable[[Any], None]) -> None:
    """An open connection, and no session is left to be taken up again without showing the certificate."""

    async def look() -> None:
        async with stand(tmp_path) as made:
            soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2) - YEAR
            context = bare(made.at(now=soon).files)
            reader, writer = await asyncio.open_connection("127.0.0.1", made.port, ssl=context)
            assert await read_message(reader, 1000) == {"ok": {}}
            writer.write(pack_message({"op": "status"}))
            assert await read_message(reader, 1000) == {"ok": {"who": "recorder-1"}}
            session = writer.get_extra_info("ssl_object").session
            assert session is None or not session.has_ticket
            await asyncio.sleep(3)
            writer.write(pack_message({"op": "status"}))
            answer = await read_message(reader, 1000)
            assert answer is not None
            assert "The certificate of 'recorder-1' is out of date by now." in answer["error"]["what"]
            assert await reader.read() == b""
            writer.close()

    run(look())
