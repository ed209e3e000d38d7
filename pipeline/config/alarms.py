"""Checks of [alarms] beyond the form of single values."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator

from alarms.send.http import secret_bytes
from domain.errors import TallenneError
from pipeline.config.lines import Mistake
from pipeline.config.model import Alarms, Secret

ReadSecret = Callable[[Secret], str]


def alarm_mistakes(alarms: Alarms, read_secret: ReadSecret) -> Iterator[Mistake]:
    """Yield the mistakes in file order. ``read_secret``: raises a TallenneError for a missing secret."""
    mail, webhook = alarms.mail, alarms.webhook
    if mail is not None:
        path = ("alarms", "mail")
        if bool(mail.user_name) != (mail.password is not None):
            yield Mistake(path, "A user name needs its password, and a password its user name.", "Name both, or none.")
        if mail.tls == "none" and mail.password is not None and not _is_loopback(mail.host):
            what = "The password would go over the network in the clear."
            yield Mistake((*path, "tls"), what, 'Write "starttls" or "tls".')
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


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
