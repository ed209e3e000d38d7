"""One notice as a mail to one recipient, sent by runtime/mail/sending.py.

The Message-ID is the same at each attempt: where an acknowledgement is lost, mail readers show the message once.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.message import EmailMessage

from alarms.errors import ChannelAwayError, ChannelRefusedError
from alarms.settings import MailSettings
from alarms.state.notice import Notice
from alarms.state.wording import Writer, subject, text
from domain.time import NS
from runtime.errors import MailAwayError, MailRefusedError
from runtime.mail.sending import hand_over, new_message


async def send_mail(settings: MailSettings, recipient: str, notice: Notice, writer: Writer) -> None:
    """Return once the server has accepted it. ChannelAwayError; ChannelRefusedError: it will never accept it."""
    try:
        await hand_over(settings, recipient, message_of(settings, notice, writer, recipient))
    except MailAwayError as exc:
        raise ChannelAwayError(exc.what, exc.remedy) from exc
    except MailRefusedError as exc:
        raise ChannelRefusedError(exc.what, exc.remedy) from exc


def message_of(settings: MailSettings, notice: Notice, writer: Writer, recipient: str) -> EmailMessage:
    """The mail. Those of one incident are a thread."""
    domain = settings.sender.rpartition("@")[2]
    reader = hashlib.sha256(recipient.encode()).hexdigest()[:8]
    message = new_message(settings, recipient, subject(notice, writer), text(notice, writer))
    message["Date"] = datetime.fromtimestamp(notice.at_ns // NS, tz=UTC)
    message["Message-ID"] = f"<{notice.notice_id}.{reader}@{domain}>"
    if not notice.notice_id.endswith(".1"):
        first = f"<{notice.incident}.1.{reader}@{domain}>"
        message["In-Reply-To"] = message["References"] = first
    return message
