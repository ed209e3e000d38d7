"""What a configuration allows that it should not have to: correct, but to be mended at the thing it is for."""

from __future__ import annotations

from pipeline.config.model import Config


def warnings(config: Config) -> list[str]:
    """One sentence or two for each, with the remedy."""
    return [
        f'Camera "{camera.name}" of {site.name} may use old TLS (tls_level = "legacy"): who records its traffic and '
        "later gets its key can read it. Update its firmware, and take the line out."
        for site in config.site
        for camera in site.camera
        if camera.tls_level == "legacy"
    ]
