"""The demo's mail server before a client that is not ours: the last mail is kept to be read, none is sent on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from demo.mail import keeping_mail
from runtime.errors import MailAwayError
from runtime.mail.sending import hand_over, new_message
from runtime.settings import MailServer

TEXT = "Koodisi on 1234 5678\n\n.yksi piste\n..kaksi\nÄäkköset " + "pitkä " * 40 + "\n"


async def test_last_mail_is_kept_as_text_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "mail.txt"
    async with keeping_mail(path, 0) as port:
        server = MailServer(host="127.0.0.1", port=port, sender="gym@demo.example", tls="none")
        for subject in ("first", "Koodisi: Demo gym"):
            await hand_over(server, "member@demo.example", new_message(server, "member@demo.example", subject, TEXT))
    assert path.read_text() == f"To: member@demo.example\nSubject: Koodisi: Demo gym\n\n{TEXT}"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(MailAwayError):
        await hand_over(server, "a@demo.example", new_message(server, "a@demo.example", "x", "y"))


async def test_what_is_no_mail_or_never_ends_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "mail.txt"
    async with keeping_mail(path, 0) as port:
        for sent in (b"x" * 10_000, b"EHLO a\r\nDATA\r\n" + b"x\r\n" * 100_000 + b".\r\n", b"DATA\r\nx", b"QUIT\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            writer.write_eof()
            await reader.read()
            writer.close()
    assert not path.exists()
