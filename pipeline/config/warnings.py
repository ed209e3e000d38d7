"""Warns about correct settings that weaken protection, and that an update of the device would make unnecessary."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config.messages import is_loopback
from pipeline.config.model import Config


def warnings(config: Config) -> list[str]:
    """Yield a sentence or two for each, with the remedy."""
    return [*_old_tls(config), *_clear_passwords(config), *_unencrypted(config)]


def _unencrypted(config: Config) -> Iterator[str]:
    alarms = config.alarms
    if alarms.mail is not None and alarms.mail.tls == "none":
        yield "[alarms.mail] is not encrypted: an eavesdropper can read the alarms. Use starttls or tls."
    members = config.members
    mail = None if members is None else members.mail
    if mail is not None and mail.tls == "none" and not is_loopback(mail.host):
        yield "[members.mail] is not encrypted: an eavesdropper can read members' codes. Use starttls or tls."
    if alarms.webhook is not None and alarms.webhook.url.startswith("http:"):
        yield "[alarms.webhook] is not encrypted: an eavesdropper can read the alarms. Use https."


def _clear_passwords(config: Config) -> Iterator[str]:
    for site in config.site:
        for camera in site.camera:
            name = f'Camera "{camera.name}" of {site.name}'
            if camera.basic_auth and "rtsp:" in (camera.url[:5], camera.substream_url[:5]):
                yield (
                    f"{name} may get its password in the clear (basic_auth), for any eavesdropper. Switch Digest on "
                    "in the camera or take rtsps://, and take the line out."
                )
            if camera.source == "libav":
                yield (
                    f'{name} is recorded by FFmpeg\'s client (source = "libav"), which answers Basic: who sees its '
                    "traffic may get its password. Take the line out if the native client records it."
                )


def _old_tls(config: Config) -> list[str]:
    return [
        f'Camera "{camera.name}" of {site.name} may use old TLS (tls_level = "legacy"): with its key, '
        "recorded traffic can be read later. Update its firmware, and take the line out."
        for site in config.site
        for camera in site.camera
        if camera.tls_level == "legacy"
    ]
