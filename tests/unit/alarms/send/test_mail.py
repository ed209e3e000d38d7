"""Notices as mails to a server that is not ours. What the server is told: tests/unit/runtime/mail/test_sending.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from alarms.errors import ChannelAwayError, ChannelRefusedError
from alarms.send.mail import message_of, send_mail
from alarms.settings import MailSettings
from tests.support.alarms.mailbox import PASSWORD, USER, Mailbox
from tests.unit.alarms.send.test_http import NOTICE, WRITER

ANNA = "anna@example.org"


def settings_of(box: Mailbox, **more: object) -> MailSettings:
    settings = MailSettings(
        host="127.0.0.1",
        port=box.port,
        tls="starttls",
        tls_ca=box.authority,
        user_name=USER,
        password=PASSWORD,
        sender="gym@example.org",
        recipients=(ANNA,),
    )
    return replace(settings, **more)  # type: ignore[arg-type]


@pytest.fixture
def plain() -> Iterator[Mailbox]:
    box = Mailbox()
    box.open()
    yield box
    box.close()


async def test_refusal_says_what_the_server_said_without_the_recipient(plain: Mailbox) -> None:
    plain.refusal = f"550 No mailbox {ANNA}\x1b[31m here"
    with pytest.raises(ChannelRefusedError, match="550 No mailbox the recipient") as caught:
        await send_mail(settings_of(plain, tls="none", user_name="", password=""), ANNA, NOTICE, WRITER)
    assert ANNA not in str(caught.value) and "\x1b" not in str(caught.value)
    plain.refusal = "451 Later"
    with pytest.raises(ChannelAwayError, match="451 Later"):
        await send_mail(settings_of(plain, tls="none", user_name="", password=""), ANNA, NOTICE, WRITER)


def test_messages_of_one_incident_are_a_thread_and_ids_are_the_recipients_own() -> None:
    settings = MailSettings(host="mail.example", sender="gym@example.org", recipients=(ANNA,))
    first = message_of(settings, NOTICE, WRITER, ANNA)
    second = message_of(settings, replace(NOTICE, notice_id="abc.2"), WRITER, ANNA)
    assert second["In-Reply-To"] == first["Message-ID"] == message_of(settings, NOTICE, WRITER, ANNA)["Message-ID"]
    assert message_of(settings, NOTICE, WRITER, "berit@example.org")["Message-ID"] != first["Message-ID"]
    assert "In-Reply-To" not in first
