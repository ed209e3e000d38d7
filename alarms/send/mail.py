"""One notice as a mail to one recipient, by SMTP (RFC 5321, 6409) with STARTTLS or TLS (RFC 8314).

Once the server has acknowledged the message it is sent, whatever happens to the connection afterwards. The Message-ID
is the same at each attempt: where an acknowledgement is lost, mail readers show the message once.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Final

from alarms.errors import ChannelAwayError, ChannelRefusedError
from alarms.settings import MailSettings
from alarms.state.notice import Notice
from alarms.state.wording import Writer, subject, text
from domain.text import printable
from domain.time import NS

if TYPE_CHECKING:
    import aiosmtplib

ANSWER_S: Final = 20.0
"""For each answer of the server."""
TOTAL_S: Final = 60.0


async def send_mail(settings: MailSettings, recipient: str, notice: Notice, writer: Writer) -> None:
    """Return once the server has accepted it. ChannelAwayError; ChannelRefusedError: it will never accept it."""
    import aiosmtplib  # here, so that an installation without mail does not load it

    message = message_of(settings, notice, writer, recipient)
    try:
        async with asyncio.timeout(TOTAL_S):
            client = _client(settings)
            try:
                await client.connect()
                await client.send_message(message, sender=settings.sender, recipients=[recipient])
                with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                    async with asyncio.timeout(2):
                        await client.quit()
            finally:
                client.close()
                await asyncio.sleep(0)  # the transport closes its socket in the loop's next turn
    except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as exc:
        raise _told(exc, settings, recipient) from exc


def _client(settings: MailSettings) -> aiosmtplib.SMTP:
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
    if settings.tls != "none":
        cafile = None if settings.tls_ca is None else str(settings.tls_ca)
        context = ssl.create_default_context(cafile=cafile)
    return Client(
        hostname=settings.host,
        port=settings.port,
        username=settings.user_name or None,
        password=settings.password or None,
        local_hostname=socket.gethostname(),  # without it, the name is looked up, which can take long
        timeout=ANSWER_S,
        use_tls=settings.tls == "tls",
        start_tls=settings.tls == "starttls",
        tls_context=context,
    )


def message_of(settings: MailSettings, notice: Notice, writer: Writer, recipient: str) -> EmailMessage:
    """The mail. Those of one incident are a thread."""
    domain = settings.sender.rpartition("@")[2]
    reader = hashlib.sha256(recipient.encode()).hexdigest()[:8]
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.sender
    message["To"] = recipient
    message["Subject"] = subject(notice, writer)
    message["Date"] = datetime.fromtimestamp(notice.at_ns // NS, tz=UTC)
    message["Message-ID"] = f"<{notice.notice_id}.{reader}@{domain}>"
    if not notice.notice_id.endswith(".1"):
        first = f"<{notice.incident}.1.{reader}@{domain}>"
        message["In-Reply-To"] = message["References"] = first
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    message.set_content(text(notice, writer))
    return message


def _told(exc: Exception, settings: MailSettings, recipient: str) -> ChannelAwayError | ChannelRefusedError:
    """Return the server's answer without the recipient's address, which must not reach logs."""
    import aiosmtplib

    server = f"The mail server {settings.host}:{settings.port}"
    said = " ".join(str(exc).split()) or type(exc).__name__
    if isinstance(exc, aiosmtplib.SMTPResponseException):
        said = f"{exc.code} {' '.join(exc.message.split())}"
    if isinstance(exc, aiosmtplib.SMTPRecipientsRefused) and exc.recipients:
        said = f"{exc.recipients[0].code} {' '.join(exc.recipients[0].message.split())}"
    said = printable(said.replace(recipient, "the recipient"))[:300]
    if isinstance(exc, aiosmtplib.SMTPAuthenticationError):
        return ChannelAwayError(f"{server} refuses user name and password ({said}).", "Correct them in [alarms.mail].")
    refusals = (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError)
    if isinstance(exc, refusals) and said.startswith("5"):
        return ChannelRefusedError(f"{server} refuses the message ({said}).", "Check sender and recipients.")
    if isinstance(exc, TimeoutError):
        said = "it does not answer in time"
    return ChannelAwayError(f"{server} did not take the message ({said}).", "Check host, port and tls; it is retried.")
