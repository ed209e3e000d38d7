"""The configured channels as targets of the outbox: a target for each mail recipient, one for the webhook."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from alarms.send.http import send_webhook
from alarms.send.mail import send_mail
from alarms.settings import AlarmSettings
from alarms.state.notice import Notice
from alarms.state.wording import Writer

MAIL: Final = "mail "
WEBHOOK: Final = "webhook"
Send = Callable[[Notice, Writer], Awaitable[None]]
"""Returns once it is acknowledged; ChannelAwayError, ChannelRefusedError."""


def channels(settings: AlarmSettings) -> dict[str, Send]:
    """By target name: "mail anna@gym.example", "webhook"."""
    found: dict[str, Send] = {}
    if (mail := settings.mail) is not None:
        for recipient in mail.recipients:
            found[f"{MAIL}{recipient}"] = partial(send_mail, mail, recipient)
    if (webhook := settings.webhook) is not None:
        found[WEBHOOK] = partial(send_webhook, webhook)
    return found


def kind_of(target: str) -> str:
    """ "mail" or "webhook": without the address, for status and logs."""
    return target.split()[0]
