"""Settings of live pictures: of the role `live`, and of the TURN server that the pages name to browsers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from api.settings import TurnSettings
from live.settings import LiveSettings
from pipeline.config.callers import uids_of
from pipeline.config.model import Config, Live, Secret
from runtime.settings import CustodianPlace


def live_settings(config: Config, run_directory: Path, custodian_socket: CustodianPlace) -> LiveSettings:
    """Settings of the role. SetupError: a user is not there."""
    own, uids = config.live, uids_of(config.custodian)
    return LiveSettings(
        run_directory=run_directory,
        custodian_socket=custodian_socket,
        viewer_uids=(uids.serve,),
        feeder_uids=(uids.ingest,),
        addresses=own.addresses,
        ports=own.ports,
        looks_max=own.looks_max,
        conversions_max=own.conversions_max,
    )


def turn_settings(own: Live, read: Callable[[Secret], str]) -> TurnSettings | None:
    """None where no server is named. ``read``: returns a secret"""
    if own.turn is None or own.turn_secret is None:
        return None
    return TurnSettings(url=own.turn, secret=read(own.turn_secret))
