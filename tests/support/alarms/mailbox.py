"""A mail server that is not ours (aiosmtpd), at one port even while it is away, and what it has acknowledged."""

from __future__ import annotations

import email
import ssl
import threading
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from pipeline.embedded.certificates import make_mutual
from pipeline.embedded.process import free_ports

USER, PASSWORD = "gym", "mail-secret"


class Mailbox:
    """``mails``: each as its recipient gets it, after the server's 250."""

    def __init__(self, directory: Path | None = None, *, tls: str = "none") -> None:
        """``tls``: "none", "starttls" or "tls", which needs ``directory`` for certificates, and asks for a password."""
        self.mails: list[EmailMessage] = []
        self.refusal = ""  # answered to every message, "550 No such user here"
        self.hang_up = False  # acknowledge, then go without a word: QUIT is not answered
        self.stay = False  # answer QUIT, and leave the connection open
        self.tls = tls
        (self.port,) = free_ports(1)
        self.authority: Path | None = None
        self._arrived = threading.Condition()
        self._controller: Controller | None = None
        self._options: dict[str, Any] = {}
        if tls != "none":
            assert directory is not None
            self.authority, certificate, key = make_mutual(directory, "mail")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self._options = {"auth_required": True, "authenticator": _authenticate}
            if tls == "starttls":
                self._options |= {"tls_context": context, "require_starttls": True}
            else:
                self._options |= {"ssl_context": context, "auth_require_tls": False}

    def open(self) -> None:
        """Start to listen."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **self._options)
        self._controller.start()

    def close(self) -> None:
        """Refuse connections, and hang up on those there are: the loop would leave their sockets to the collector."""
        if self._controller is not None:
            ended = threading.Event()
            self._controller.loop.call_soon_threadsafe(_hang_up, self._controller.loop, ended)
            ended.wait(10)
            self._controller.stop()
            self._controller = None

    def wait_for(self, count: int, timeout_s: float = 30.0) -> list[EmailMessage]:
        """Once so many have arrived. AssertionError when they do not."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.mails) >= count, timeout_s), self.subjects()
        return self.mails

    def subjects(self) -> list[str]:
        return [" ".join(str(mail["Subject"]).split()) for mail in self.mails]  # unfolded

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        if self.refusal:
            return self.refusal
        mail = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        assert envelope.rcpt_tos == [mail["To"]]
        with self._arrived:
            self.mails.append(mail)
            self._arrived.notify_all()
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.hang_up:
            server.transport.abort()
        if self.stay:
            server.transport.close = lambda: None
        return "221 Bye"


def _hang_up(loop: Any, ended: threading.Event) -> None:
    """TLS or not: these are the transports below it."""
    for transport in list(loop._transports.values()):
        transport.abort()
    loop.call_soon(loop.call_soon, ended.set)  # after the sockets are closed


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)
