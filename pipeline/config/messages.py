"""Messages to the operator and to members: checks of [alarms] and [members], and the settings of who sends them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from pathlib import Path

from alarms.send.http import secret_bytes
from api.settings import MembersSettings
from domain.errors import TallenneError
from pipeline.config.lines import Mistake
from pipeline.config.model import Alarms, Config, MailServerSection, Secret
from runtime.settings import MailServer

ReadSecret = Callable[[Secret], str]


def alarm_mistakes(alarms: Alarms, read_secret: ReadSecret) -> Iterator[Mistake]:
    """Yield the mistakes in file order. ``read_secret``: raises a TallenneError for a missing secret."""
    mail, webhook = alarms.mail, alarms.webhook
    if mail is not None:
        path = ("alarms", "mail")
        yield from _server_mistakes(path, mail)
        for number, address in enumerate(mail.recipients):
            if address in mail.recipients[:number]:
                yield Mistake((*path, "recipients", number), f"{address!r} is there twice.", "Name each once.")
    if webhook is not None:
        try:
            secret_bytes(read_secret(webhook.secret))
        except ValueError as exc:
            remedy = "Copy the whole secret from the receiver."
            yield Mistake(("alarms", "webhook", "secret"), f"In it, {exc}.", remedy)
        except TallenneError:
            pass  # found with the other secrets


def member_mistakes(config: Config) -> Iterator[Mistake]:
    """Yield the mistakes of [members]."""
    own = config.members
    if own is None:
        return
    if own.mail is not None:
        yield from _server_mistakes(("members", "mail"), own.mail)
    elif config.alarms.mail is None:
        what = "Members sign in by a code that is mailed to them, and no mail server is named."
        yield Mistake(("members",), what, "Write [members.mail], or [alarms.mail] for both.")
    for number, text in enumerate(own.consents):
        if text in own.consents[:number]:
            yield Mistake(("members", "consents", number), f"{text!r} is there twice.", "Name each once.")


def mail_server(own: MailServerSection, resolve: Callable[[Path], Path], read_secret: ReadSecret | None) -> MailServer:
    """``read_secret`` None: leave the password out. Else SetupError when it is missing."""
    return MailServer(
        host=own.host,
        port=own.port,
        sender=own.sender,
        tls=own.tls,
        tls_ca=None if own.tls_ca is None else resolve(own.tls_ca),
        user_name=own.user_name,
        password=read_secret(own.password) if own.password and read_secret else "",
    )


def members_settings(
    config: Config, resolve: Callable[[Path], Path], read_secret: ReadSecret
) -> MembersSettings | None:
    """None: members have no pages. Their mail goes by the alarms' server where [members] names none."""
    own = config.members
    server = None if own is None else own.mail or config.alarms.mail
    if own is None or server is None:
        return None
    return MembersSettings(
        name=own.name,
        mail=mail_server(server, resolve, read_secret),
        may_change=own.may_change,
        consents=own.consents,
    )


def _server_mistakes(path: tuple[str, ...], mail: MailServerSection) -> Iterator[Mistake]:
    if bool(mail.user_name) != (mail.password is not None):
        yield Mistake(path, "A user name needs its password, and a password its user name.", "Name both, or none.")
    if mail.tls == "none" and mail.password is not None and not is_loopback(mail.host):
        what = "The password would go over the network in the clear."
        yield Mistake((*path, "tls"), what, 'Write "starttls" or "tls".')


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
