"""Hands one mail to a mail server, by SMTP (RFC 5321, 6409) with STARTTLS or TLS (RFC 8314).

Once the server has acknowledged the message it is sent, whatever happens to the connection afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Final

from domain.text import printable
from runtime.errors import MailAwayError, MailRefusedError
from runtime.settings import MailServer

if TYPE_CHECKING:
    import aiosmtplib

ANSWER_S: Final = 20.0
"""For each answer of the server."""
TOTAL_S: Final = 60.0


async def hand_over(server: MailServer, recipient: str, message: EmailMessage) -> None:
    """Return once the server has accepted it. MailAwayError; MailRefusedError: it will never accept it."""
    import aiosmtplib  # here, so that an installation without mail does not load it

    try:
        async with asyncio.timeout(TOTAL_S):
            client = _client(server)
            try:
                await client.connect()
                await client.send_message(message, sender=server.sender, recipients=[recipient])
                with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                    async with asyncio.timeout(2):
                        await client.quit()
            finally:
                client.close()
                await asyncio.sleep(0)  # the transport closes its socket in the loop's next turn
    except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as exc:
        raise _told(exc, server, recipient) from exc


def new_message(server: MailServer, recipient: str, subject: str, text: str) -> EmailMessage:
    """Return a mail without date and id, which the caller sets. Holiday replies are not wanted (RFC 3834).

    MailRefusedError: an address or the subject would break out of its header.
    """
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = server.sender
        message["To"] = recipient
        message["Subject"] = subject
    except ValueError:
        what = "A mail was not made: its sender, recipient or subject cannot stand in a header."
        raise MailRefusedError(what, "Correct the address in the register.") from None
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def _client(server: MailServer) -> aiosmtplib.SMTP:
    """To be connected: greeted, encrypted and signed in, as the settings say."""
    import aiosmtplib

    class Client(aiosmtplib.SMTP):
        """Closes its socket at once: a TLS connection would wait half a minute for a server that says no good-bye."""

        def close(self) -> None:
            """Also when the library closes it itself, after an error or QUIT."""
            transport = self.transport
            super().close()
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()

    context = None
    if server.tls != "none":
        cafile = None if server.tls_ca is None else str(server.tls_ca)
        context = ssl.create_default_context(cafile=cafile)
    return Client(
        hostname=server.host,
        port=server.port,
        username=server.user_name or None,
        password=server.password or None,
        local_hostname=socket.gethostname(),  # without it, the name is looked up, which can take long
        timeout=ANSWER_S,
        use_tls=server.tls == "tls",
        start_tls=server.tls == "starttls",
        tls_context=context,
    )


def _told(exc: Exception, own: MailServer, recipient: str) -> MailAwayError | MailRefusedError:
    """Return the server's answer without the recipient's address, which must not reach logs."""
    import aiosmtplib

    server = f"The mail server {own.host}:{own.port}"
    said = " ".join(str(exc).split()) or type(exc).__name__
    if isinstance(exc, aiosmtplib.SMTPResponseException):
        said = f"{exc.code} {' '.join(exc.message.split())}"
    if isinstance(exc, aiosmtplib.SMTPRecipientsRefused) and exc.recipients:
        said = f"{exc.recipients[0].code} {' '.join(exc.recipients[0].message.split())}"
    said = printable(said.replace(recipient, "the recipient"))[:300]
    if isinstance(exc, aiosmtplib.SMTPAuthenticationError):
        remedy = "Correct them in the configuration, where this server is named."
        return MailAwayError(f"{server} refuses user name and password ({said}).", remedy)
    refusals = (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError)
    if isinstance(exc, refusals) and said.startswith("5"):
        return MailRefusedError(f"{server} refuses the message ({said}).", "Check sender and recipients.")
    if isinstance(exc, TimeoutError):
        said = "it does not answer in time"
    return MailAwayError(f"{server} did not take the message ({said}).", "Check host, port and tls; it is retried.")
