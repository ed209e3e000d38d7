"""Mail before a server that is not ours: never in clear where TLS is wanted, never to a server that is not the one."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.errors import MailAwayError, MailRefusedError
from runtime.mail.sending import hand_over, new_message
from runtime.settings import MailServer
from tests.support.alarms.mailbox import PASSWORD, USER, Mailbox

ANNA = "anna@example.org"


def server_of(box: Mailbox, **more: object) -> MailServer:
    server = MailServer(
        host="127.0.0.1",
        port=box.port,
        tls="starttls",
        tls_ca=box.authority,
        user_name=USER,
        password=PASSWORD,
        sender="gym@example.org",
    )
    return replace(server, **more)  # type: ignore[arg-type]


async def send(server: MailServer) -> None:
    await hand_over(server, ANNA, new_message(server, ANNA, "subject", "text\n"))


def open_sockets() -> list[int]:
    """Descriptors of the running loop's transports."""
    transports = asyncio.get_running_loop()._transports.values()  # type: ignore[attr-defined]
    return [number for one in transports if (number := one.get_extra_info("socket").fileno()) != -1]


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[Mailbox]:
    box = Mailbox(tmp_path, tls="starttls")
    box.open()
    yield box
    box.close()


@pytest.fixture
def plain() -> Iterator[Mailbox]:
    box = Mailbox()
    box.open()
    yield box
    box.close()


async def test_mail_is_taken_by_a_server_with_tls_and_password(encrypted: Mailbox) -> None:
    await send(server_of(encrypted))
    (mail,) = encrypted.mails
    assert (mail["To"], mail["From"]) == (ANNA, "gym@example.org")


async def test_socket_is_closed_on_return_though_the_server_says_no_good_bye(encrypted: Mailbox) -> None:
    """A TLS connection that waits for it keeps its socket for half a minute."""
    encrypted.stay = True
    await send(server_of(encrypted))
    assert open_sockets() == []


async def test_server_without_starttls_gets_nothing(plain: Mailbox) -> None:
    with pytest.raises(MailAwayError, match="STARTTLS"):
        await send(server_of(plain))
    assert plain.mails == []
    await send(server_of(plain, tls="none", user_name="", password=""))
    assert len(plain.mails) == 1  # the server itself was well


async def test_certificate_that_nobody_vouches_for_is_refused(encrypted: Mailbox) -> None:
    with pytest.raises(MailAwayError, match="certificate"):
        await send(server_of(encrypted, tls_ca=None))
    assert encrypted.mails == []


async def test_wrong_password_is_named_and_not_shown(encrypted: Mailbox) -> None:
    with pytest.raises(MailAwayError, match="refuses user name and password") as caught:
        await send(server_of(encrypted, password="wrong-secret"))
    assert "wrong-secret" not in str(caught.value)


async def test_refusal_says_what_the_server_said_without_the_recipient(plain: Mailbox) -> None:
    plain.refusal = f"550 No mailbox {ANNA}\x1b[31m here"
    with pytest.raises(MailRefusedError, match="550 No mailbox the recipient") as caught:
        await send(server_of(plain, tls="none", user_name="", password=""))
    assert ANNA not in str(caught.value) and "\x1b" not in str(caught.value)
    plain.refusal = "451 Later"
    with pytest.raises(MailAwayError, match="451 Later"):
        await send(server_of(plain, tls="none", user_name="", password=""))


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # aiosmtpd does not see the TLS below it
def test_mail_server_of_the_tests_leaves_no_socket_to_the_collector(tmp_path: Path) -> None:
    """A warning of it would come in whichever test the collector runs, and warnings are errors."""
    box = Mailbox(tmp_path, tls="tls")
    box.open()
    context = ssl.create_default_context(cafile=str(box.authority))
    context.check_hostname = False
    with socket.create_connection(("127.0.0.1", box.port)) as plain, context.wrap_socket(plain) as client:
        assert client.recv(3) == b"220"
        box.close()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        del box
        gc.collect()
    assert [str(one.message) for one in found if issubclass(one.category, ResourceWarning)] == []


def test_address_that_breaks_out_of_its_header_is_refused_without_being_shown() -> None:
    server = MailServer(host="mail.example", sender="gym@example.org")
    odd = "=?utf-8?q?x=0D=0ABcc=3A_evil=40example=2Eorg?=@example.org"
    for recipient, subject in ((odd, "x"), ("anna@example.org", "x\r\nBcc: evil@example.org")):
        with pytest.raises(MailRefusedError) as caught:
            new_message(server, recipient, subject, "text")
        assert "evil" not in str(caught.value) and caught.value.__cause__ is None
