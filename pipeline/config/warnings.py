"""What a configuration allows that it should not have to: correct, but to be mended at the thing it is for."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config.model import Config


def warnings(config: Config) -> list[str]:
    """One sentence or two for each, with the remedy."""
    return [*_old_tls(config), *_clear_passwords(config), *_unencrypted(config)]


def _unencrypted(config: Config) -> Iterator[str]:
    alarms = config.alarms
    if alarms.mail is not None and alarms.mail.tls == "none":
        yield "[alarms.mail] is not encrypted: who sees its traffic reads the alarms. Use starttls or tls."
    if alarms.webhook is not None and alarms.webhook.url.startswith("http:"):
        yield "[alarms.webhook] is not encrypted: who sees its traffic reads the alarms. Use https."


def _clear_passwords(config: Config) -> Iterator[str]:
    for site in config.site:
        for camera in site.camera:
            name = f'Camera "{camera.name}" of {site.name}'
            if camera.basic_auth and camera.url.startswith("rtsp:"):
                yield (
                    f"{name} may get its password in clear (basic_auth): who sees its traffic has it. Switch Digest on "
                    "in the camera or take rtsps://, and take the line out."
                )
            if camera.source == "libav":
                yield (
                    f"{name} is recorded by FFmpeg's client (source = \"libav\"), which follows the camera's redirects "
                    "and answers Basic: the camera can send its password anywhere. Take the line out if the native "
                    "client records it."
                )


def _old_tls(config: Config) -> list[str]:
    return [
        f'Camera "{camera.name}" of {site.name} may use old TLS (tls_level = "legacy"): who records its traffic and '
        "later gets its key can read it. Update its firmware, and take the line out."
        for site in config.site
        for camera in site.camera
        if camera.tls_level == "legacy"
    ]
