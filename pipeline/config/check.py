"""Checks of a configuration beyond the form of single values. Pure, except that it examines secret files."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel

from domain.errors import TallenneError
from ingest.addresses import is_allowed
from pipeline.config.doors import door_mistakes
from pipeline.config.lines import Mistake
from pipeline.config.messages import alarm_mistakes, member_mistakes
from pipeline.config.model import Camera, Config, Secret, Site, Store
from pipeline.errors import SetupError
from pipeline.secret_files import read_secret
from runtime.settings import StoreSettings

FORBIDDEN_ZONES = (
    *(r"changing", r"dressing", r"lockers?", r"showers?", r"saunas?", r"toilets?", r"wcs?", r"rest\s?rooms?"),
    *(r"bath\s?rooms?", r"lavator(?:y|ies)", r"wash\s?rooms?", r"staff", r"break\s?rooms?"),
    *(r"puku\w*", r"suihku\w*", r"pesu(?:tila|huone)\w*", r"sauna\w*", r"vessa\w*", r"käymälä\w*"),
    *(r"sosiaalitila\w*", r"tauko\w*", r"henkilöstö\w*", r"pukeutumis\w*"),
)
_FORBIDDEN = re.compile(rf"\b(?:{'|'.join(FORBIDDEN_ZONES)})\b", re.IGNORECASE)
"""Act 759/2004, section 16: no cameras where people change, wash or rest."""
_SOCKET_BYTES_MAX = 107
_READ = ("tls_ca", "certificate", "key")
_FREE_RETENTION_H = 72  # EDPB 3/2019: a longer retention needs a reason in the configuration


def mistakes_in(config: Config, resolve: Callable[[Path], Path]) -> list[Mistake]:
    """Return all mistakes in file order."""
    found = list(_repeated(("site",), [site.name for site in config.site]))
    found += _ids(config)
    for number, site in enumerate(config.site):
        found += _site(("site", number), site)
    names = {site.name for site in config.site}
    for number, system in enumerate(config.door_system):
        if system.site not in names:
            found.append(
                Mistake(("door_system", number, "site"), f"There is no site {system.site!r}.", "Name one of the sites.")
            )
    found += door_mistakes(config)
    if (config.serve.certificate is None) != (config.serve.key is None):
        found.append(Mistake(("serve",), "A certificate needs its key, and a key its certificate.", "Name both files."))
    store = config.store
    if store is not None and (store.keeper_access_key is None) != (store.keeper_secret_key is None):
        what = "The keeper's access key needs its secret key, and the other way round."
        found.append(Mistake(("store",), what, "Name both, or neither."))
    if config.backup is not None and (config.backup.directory is None) == (config.backup.store is None):
        found.append(Mistake(("backup",), "Backups go to one place.", "Name a directory or a store, not both."))
    socket = config.custodian.socket
    if socket is not None and len(os.fsencode(resolve(socket))) > _SOCKET_BYTES_MAX:
        what = f"The path of a Unix socket may have {_SOCKET_BYTES_MAX} bytes."
        found.append(Mistake(("custodian", "socket"), what, "Name a shorter one."))
    found += [*_users(config), *_custodians(config)]
    found += alarm_mistakes(config.alarms, lambda secret: secret_value(secret, resolve))
    found += member_mistakes(config)
    found += _secrets((), config, resolve, apart=config.apart)
    if not config.apart:
        found += _files((), config, resolve)
    return found


def _ids(config: Config) -> Iterator[Mistake]:
    """Check that an id names one thing only, over all sites."""
    for kind in ("site", "camera", "door"):
        seen = set()
        for number, site in enumerate(config.site):
            for place, item in enumerate([site] if kind == "site" else getattr(site, kind)):
                path = ("site", number) if kind == "site" else ("site", number, kind, place)
                if item.id is not None and item.id in seen:
                    yield Mistake((*path, "id"), f"Another {kind} has the id {item.id}, too.", "Give each its own.")
                seen.add(item.id)


def _users(config: Config) -> Iterator[Mistake]:
    users = config.custodian.users
    if users is None:
        return
    for role in ("index", "serve", "operator"):
        if getattr(users, role) == users.ingest:
            yield Mistake(
                ("custodian", "users", role),
                "It is the user of ingest, too, which must not open footage.",
                "Name another user.",
            )
    if config.custodian.socket is None and config.custodian.at is None:
        yield Mistake(
            ("custodian",),
            "Roles under users of their own cannot reach a socket in the custodian's data directory.",
            "Name a socket, in a directory that only the custodian may write to.",
        )


def _custodians(config: Config) -> Iterator[Mistake]:
    own = config.custodian
    if own.at is not None and "custodian" in config.roles:
        yield Mistake(
            ("custodian", "at"),
            "The custodian runs on another machine, and is one of the roles of this one.",
            'Leave it out of `roles`, as in roles = ["ingest", "notify"].',
        )
    if own.at is not None and own.listen is not None:
        yield Mistake(("custodian", "at"), "The custodian is here and elsewhere.", "Name one: at, or listen.")
    if own.listen is not None:
        callers = own.listen.callers
        for role in ("index", "serve", "live", "operator"):
            if both := set(callers.ingest) & set(getattr(callers, role)):
                what = f"{min(both)!r} is the name of a recorder, too, which must not open footage."
                yield Mistake(("custodian", "listen", "callers", role), what, "Make a certificate for each.")


def _site(path: tuple[str | int, ...], site: Site) -> Iterator[Mistake]:
    try:
        ZoneInfo(site.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Mistake((*path, "time_zone"), f"{site.time_zone!r} is not a time zone.", 'Write e.g. "Europe/Helsinki".')
    yield from _repeated((*path, "camera"), [camera.name for camera in site.camera])
    yield from _repeated((*path, "door"), [door.name for door in site.door])
    yield from _repeated((*path, "door"), [door.external_id for door in site.door], "external_id")
    for number, camera in enumerate(site.camera):
        yield from _camera((*path, "camera", number), camera)
    names = {camera.name for camera in site.camera}
    for number, door in enumerate(site.door):
        yield from _repeated((*path, "door", number, "cameras"), [seen.name for seen in door.cameras])
        for place, seen in enumerate(door.cameras):
            if seen.name not in names:
                where = (*path, "door", number, "cameras", place, "name")
                yield Mistake(where, f"There is no camera {seen.name!r} at this site.", "Name one of its cameras.")


def _camera(path: tuple[str | int, ...], camera: Camera) -> Iterator[Mistake]:
    yield from _address((*path, "url"), camera, camera.url)
    if camera.substream_url:
        yield from _address((*path, "substream_url"), camera, camera.substream_url)
    tls = "rtsps:" in (camera.url[:6], camera.substream_url[:6])
    if camera.url.startswith("rtsps:") and camera.substream_url.startswith("rtsp:"):
        what = "Its pictures would go unencrypted, which those of url do not."
        yield Mistake((*path, "substream_url"), what, "Write rtsps://, or leave substream_url out.")
    if camera.transport == "udp" and tls:
        yield Mistake((*path, "transport"), "UDP goes past TLS.", "Write rtsp://, or leave transport out.")
    if camera.source == "libav" and (camera.transport == "udp" or tls):
        yield Mistake(
            (*path, "source"),
            "libav's client speaks plain RTSP over TCP only.",
            'Leave source out: "native" speaks it.',
        )
    if camera.audio and not camera.audio_reason:
        yield Mistake((*path, "audio"), "Audio needs a reason.", "Write audio_reason, or leave audio out.")
    if camera.retention_h > _FREE_RETENTION_H and not camera.retention_reason:
        yield Mistake(
            (*path, "retention_h"),
            f"More than {_FREE_RETENTION_H} hours need a reason (EDPB Guidelines 3/2019).",
            "Write retention_reason, or a shorter retention.",
        )
    if _FORBIDDEN.search(camera.zone.replace("_", " ").replace("-", " ")):
        yield Mistake(
            (*path, "zone"), f"Filming in {camera.zone!r} is prohibited (Act 759/2004).", "Remove this camera."
        )
    if camera.segment_max_s < camera.segment_s:
        yield Mistake((*path, "segment_max_s"), "It is less than segment_s.", "Make it at least as long.")
    for number, text in enumerate(camera.networks):
        if not _is_network(text):
            yield Mistake((*path, "networks", number), f"{text!r} is not a network.", 'Write e.g. "192.168.4.0/24".')


def _address(path: tuple[str | int, ...], camera: Camera, url: str) -> Iterator[Mistake]:
    """A host that is a name is looked up and checked at each connection; an address is known to be wrong here."""
    try:
        parts = urlsplit(url)
        secret = parts.username or parts.password
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        secret, host = None, ""
    if secret:
        yield Mistake(path, "A password stands in the address.", "Use user_name and password = { file = ... }.")
    if not host:
        yield Mistake(path, "The address has no host, or no valid port.", "Write rtsp://host[:port]/path.")
    with contextlib.suppress(ValueError):
        if all(map(_is_network, camera.networks)) and not is_allowed(host, camera.networks):
            named = "the camera's networks" if camera.networks else "private networks"
            yield Mistake(path, f"{host} is outside {named}.", f'If it is right, write networks = ["{host}"].')


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _repeated(path: tuple[str | int, ...], names: list[str], key: str = "name") -> Iterator[Mistake]:
    for number, name in enumerate(names):
        if name in names[:number]:
            yield Mistake((*path, number, key), f"{name!r} is there twice.", "Give each its own.")


def _secrets(
    path: tuple[str | int, ...], part: BaseModel, resolve: Callable[[Path], Path], *, apart: bool
) -> Iterator[Mistake]:
    """Check that every named secret file exists and only we can read it.

    apart: the secrets of other roles are not here, and must not be; each role reports its own missing ones.
    """
    for key in type(part).model_fields:
        value = getattr(part, key)
        items = list(enumerate(value)) if isinstance(value, tuple) else [(None, value)]
        for number, item in items:
            here = (*path, key) if number is None else (*path, key, number)
            if isinstance(item, Secret):
                if not (apart and _is_away(item, resolve)) and (problem := _secret(item, resolve)):
                    yield Mistake(here, *problem)
            elif isinstance(item, BaseModel):
                yield from _secrets(here, item, resolve, apart=apart)


def _files(path: tuple[str | int, ...], part: BaseModel, resolve: Callable[[Path], Path]) -> Iterator[Mistake]:
    """Check that every named certificate and key exists: a missing one would only show when it is needed."""
    for key in type(part).model_fields:
        value = getattr(part, key)
        items = list(enumerate(value)) if isinstance(value, tuple) else [(None, value)]
        for number, item in items:
            here = (*path, key) if number is None else (*path, key, number)
            if isinstance(item, Path) and key in _READ and not resolve(item).is_file():
                yield Mistake(here, f"There is no file {resolve(item)}.", "Put it there, or correct the path.")
            elif isinstance(item, BaseModel):
                yield from _files(here, item, resolve)


def _secret(secret: Secret, resolve: Callable[[Path], Path]) -> tuple[str, str] | None:
    try:
        secret_value(secret, resolve)
    except TallenneError as error:
        return error.what, error.remedy
    return None


def _is_away(secret: Secret, resolve: Callable[[Path], Path]) -> bool:
    if secret.file is None:
        return secret.env is not None and secret.env not in os.environ
    try:
        return resolve(secret.file).stat().st_uid != os.geteuid()
    except OSError:
        return True


def secret_value(secret: Secret, resolve: Callable[[Path], Path]) -> str:
    """Return the secret. SetupError: it is missing."""
    if (secret.file is None) == (secret.env is None):
        raise SetupError(
            "A secret has to be in a file or in the environment.", "Write { file = ... } or { env = ... }."
        )
    if secret.file is not None:
        return read_secret(resolve(secret.file))
    value = os.environ.get(secret.env or "", "")
    if not value:
        raise SetupError(f"The environment variable {secret.env} is not set.", "Set it before starting.")
    return value


def configured_store(own: Store, resolve: Callable[[Path], Path], *, keeper: bool = False) -> StoreSettings:
    """``keeper``: with the keys of the user that may delete, where it has some of its own. SetupError."""
    access_key = own.keeper_access_key if keeper and own.keeper_access_key else own.access_key
    secret_key = own.keeper_secret_key if keeper and own.keeper_secret_key else own.secret_key
    return StoreSettings(
        endpoint=own.endpoint,
        secure=own.tls,
        bucket=own.bucket,
        access_key=secret_value(access_key, resolve),
        secret_key=secret_value(secret_key, resolve),
        region=own.region,
        tls_ca=None if own.tls_ca is None else resolve(own.tls_ca),
    )
