"""An installation for the stand: a configuration, and from it the roles' settings, as `tallenne up` makes them.

The file names sites, cameras and doors. Everything else is the default that is shipped: two weeks of hour keys, status
and health, retention, the sandbox. What a benchmark changes of a role's settings stands where it starts that role.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from pipeline.config.load import load
from pipeline.config.roles import RoleSettings
from pipeline.installation import Installation
from pipeline.secret_files import secret

SITE: Final = "bench"
BEFORE_S: Final = 5.0
AFTER_S: Final = 10.0
NOWHERE: Final = "127.0.0.1:9"
"""The store where none is started. Nothing listens at the port of discard (RFC 863)."""
_URL: Final = "rtsp://127.0.0.1:9/"  # the simulated cameras' addresses are known once they run


def shipped(directory: Path, *, cameras: int, doors: int = 0, store: bool = False) -> RoleSettings:
    """Write the configuration and make the data directory. SetupError, ConfigError.

    Door n is seen by two cameras. ``store``: the embedded one is started; otherwise the configuration names one that
    is not there. Put the services' addresses into ``endpoints`` as they start.
    """
    installation = Installation(directory)
    installation.prepare()
    text = [f'[[site]]\nname = "{SITE}"\ntime_zone = "UTC"\n', *map(_camera, range(cameras))]
    text += [_door(number, cameras) for number in range(doors)]
    text.append(f'[[door_system]]\nsite = "{SITE}"\ntopic = "access/{SITE}/+"\n')
    if not store:
        key = installation.secrets / "no-store"
        secret(key)
        name = json.dumps(str(key))
        text.append(
            f'[store]\nendpoint = "{NOWHERE}"\ntls = false\nbucket = "footage"\n'
            f"access_key = {{ file = {name} }}\nsecret_key = {{ file = {name} }}\n"
        )
    path = directory / "tallenne.toml"
    path.write_text("\n".join(text))
    return RoleSettings(loaded=load(path), installation=installation, endpoints={})


def _camera(number: int) -> str:
    return (
        f'[[site.camera]]\nname = "camera {number}"\nurl = "{_URL}"\n'
        'zone = "hall"\npurpose = "benchmark"\nassessment = "none: simulated"\n'
    )


def _door(number: int, cameras: int) -> str:
    seen = [
        f'{{ name = "camera {(2 * number + k) % cameras}", before_s = {BEFORE_S}, after_s = {AFTER_S} }}'
        for k in range(min(2, cameras))
    ]
    return f'[[site.door]]\nname = "door-{number}"\nexternal_id = "door-{number}"\ncameras = [{", ".join(seen)}]\n'
