"""Takes from the configuration what papers state."""

from __future__ import annotations

from dataclasses import asdict

from custodian.keys.hour_keys import lifetime_of
from domain.time import HOUR_NS
from paper.language import Both
from paper.stated import CameraFacts, Controller, Facts, Ground, Recipient, Transfer
from pipeline.config.load import Loaded
from pipeline.config.model import Camera, Site
from pipeline.config.sections import controller as own
from pipeline.errors import SetupError
from upkeep.keeper.periods import ERASURES_D


def facts_of(loaded: Loaded) -> Facts:
    """SetupError: the configuration has no [controller]."""
    config = loaded.config
    if config.controller is None:
        raise SetupError(
            f"{loaded.path} has no [controller], in whose name papers are made.",
            "Add it, with name, business_id, address and the others: `tallenne config example` shows every key.",
        )
    return Facts(
        controller=_controller(config.controller),
        cameras=tuple(_camera(site, camera) for site in config.site for camera in site.camera),
        doors=tuple((site.name, door.name) for site in config.site for door in site.door),
        periods_d=asdict(config.retention.periods),
        erasures_d=ERASURES_D,
        backups_d=None if config.backup is None else config.backup.keep_d,
        replica=config.backup is not None and config.backup.replica is not None,
    )


def _controller(said: own.Controller) -> Controller:
    return Controller(
        name=said.name,
        business_id=said.business_id,
        address=said.address,
        email=said.email,
        phone=said.phone,
        data_protection_officer=said.data_protection_officer,
        notice_at=said.notice_at,
        authority=_both(said.authority),
        if_refused=_both(said.if_refused),
        grounds=tuple(
            Ground(
                data=ground.data,
                basis=ground.basis,
                purpose=_both(ground.purpose),
                interest=None if ground.interest is None else _both(ground.interest),
            )
            for ground in said.ground
        ),
        recipients=tuple(Recipient(name=_both(one.name), why=_both(one.why)) for one in said.recipient),
        transfers=tuple(Transfer(to=_both(one.to), safeguards=_both(one.safeguards)) for one in said.transfer),
    )


def _camera(site: Site, camera: Camera) -> CameraFacts:
    return CameraFacts(
        site=site.name,
        name=camera.name,
        zone=camera.zone,
        purpose=_both(camera.purpose),
        assessment=camera.assessment,
        retention_h=camera.retention_h,
        bound_h=lifetime_of(camera.retention_h * 3600) // HOUR_NS,
        retention_reason=camera.retention_reason,
        audio=camera.audio,
        audio_reason=camera.audio_reason if camera.audio else "",
        doors=tuple(door.name for door in site.door if camera.name in {seen.name for seen in door.cameras}),
    )


def _both(said: own.Bilingual) -> Both:
    return Both(en=said.en, fi=said.fi)
