"""kill -9 at seeded moments over all roles of a gym with eight cameras; several may be away at once.

``--rounds N`` kills in all, ``--seed``; ``--figures FILE`` takes a line for each kill (which role, how long after its
start, what it said of itself) and one for the verdict. tests/faults/README.md says how to run a thousand.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from domain.time import NS
from runtime.database import connect
from tests.support.doors.join import expected_tags, tags_in_force
from tests.support.footage.recording import assert_tiled
from tests.support.processes.started import READY_S, tallenne, wait_for
from tests.support.processes.troubled_gym import (
    ROLES,
    Door,
    TroubledGym,
    cameras,
    configuration,
    left_over_processes,
    slow,
    spans,
)

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.services, pytest.mark.timeout(3600)]

KILLS: Final = 40
CAMERAS: Final = 8
ALIVE_S: Final = 6.0
INGEST_ALIVE_S: Final = 15.0
"""From a role's start to its death, at most: while it loads, while it starts, and at work. ``up`` starts it again a
little later each time, up to 15 s."""
LOST_S: Final = 1.0
BACK_S: Final = 5.0
KEY_FRAME_S: Final = 1.5  # the cameras' own interval, and what a picture is late
SETTLED_S: Final = 15.0  # the last segments, and events that wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Times: UTC, s."""

    role: str
    started_s: float
    killed_s: float
    said: str  # its state by its status file, "" for none yet


@dataclass(slots=True)
class Executioner:
    """Kills each role at moments that a seed and the role's name decide."""

    gym: TroubledGym
    seed: int
    left: int
    kills: list[Kill] = field(default_factory=list)
    ingest_starts: list[float] = field(default_factory=list)  # UTC, s
    slowest: float = 1.0  # how busy the machine was with something else, at worst

    def run(self) -> None:
        dice = {role: random.Random(f"{self.seed} {role}") for role in ROLES}
        known: dict[str, int] = {}
        due: dict[str, float] = {}
        while self.left:
            for role, process in self.gym.processes().items():
                if role not in dice:
                    continue
                if known.get(role) != process.pid:
                    known[role] = process.pid
                    due[role] = time.monotonic() + dice[role].uniform(
                        0, INGEST_ALIVE_S if role == "ingest" else ALIVE_S
                    )
                    if role == "ingest":
                        self.ingest_starts.append(process.create_time())
                elif self.left and time.monotonic() >= due.get(role, float("inf")):
                    del due[role]
                    self._kill(role, process)
            self.slowest = max(self.slowest, slow())
            time.sleep(0.02)

    def _kill(self, role: str, process: psutil.Process) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            started_s = process.create_time()
            said = self.gym.statuses().get(role, {})
            state = said.get("state", "") if said.get("pid") == process.pid else ""
            process.kill()
            self.kills.append(Kill(role=role, started_s=started_s, killed_s=time.time(), said=state))
            self.left -= 1


def test_account_of_deaths_tells_what_is_lost_and_how_long_it_was_away() -> None:
    """The control."""
    deaths = [Kill(role="ingest", started_s=at_s, killed_s=at_s + 50, said="ready") for at_s in (0.0, 60.0)]
    executioner = Executioner(TroubledGym(directory=Path()), 0, 0, deaths, [0.0, 60.0, 120.0])
    whole = [(2.0, 49.5), (64.0, 80.0), (80.0, 107.0), (122.0, 130.0)]
    assert around_deaths(whole, executioner) == (3.0, 4.0)
    with pytest.raises(AssertionError, match="no footage from 60"):
        around_deaths([one for one in whole if not 60 < one[0] < 110], executioner)
    with pytest.raises(AssertionError, match="in the midst"):
        around_deaths([*whole[:2], (80.5, 107.0), whole[3]], executioner)


@pytest.fixture
def gym() -> Iterator[TroubledGym]:
    with (
        tempfile.TemporaryDirectory(prefix="tallenne-t-", ignore_cleanup_errors=True) as folder,
        cameras(CAMERAS) as urls,
    ):
        made = TroubledGym(directory=Path(folder), cameras=CAMERAS)
        (made.directory / "tallenne.toml").write_text(configuration(urls))
        made.start()
        try:
            assert made.has_started(), made.output()
            yield made
        finally:
            made.power_cut()
            wait_for(lambda: not left_over_processes(made.directory), 30)


def test_roles_killed_at_seeded_moments_lose_and_double_nothing(
    gym: TroubledGym, rounds_asked: int | None, seed: int, figures: Path | None
) -> None:
    with Door(gym) as door:
        wait_for(lambda: not gym.not_well(door, 0), READY_S)
        began_s = time.time()
        executioner = Executioner(gym, seed, rounds_asked or KILLS)
        executioner.run()
        killed_s = time.monotonic()
        wait_for(lambda: not gym.not_well(door, killed_s), READY_S)
        back_s = time.monotonic() - killed_s
        executioner.ingest_starts += [gym.processes()["ingest"].create_time()]
        ended_s = time.time()
    if figures is not None:
        with figures.open("a") as file:
            for number, kill in enumerate(executioner.kills):
                file.write(json.dumps({"seed": seed, "number": number, **asdict(kill)}) + "\n")
    time.sleep(SETTLED_S)
    verdict = asyncio.run(held_against(gym, door, executioner))
    verdict |= opened(gym, began_s, ended_s)
    verdict |= {"seed": seed, "seconds": round(ended_s - began_s), "all_back_s": round(back_s, 1)}
    verdict["kills"] = Counter(kill.role for kill in executioner.kills)
    print(json.dumps(verdict))
    if figures is not None:
        with figures.open("a") as file:
            file.write(json.dumps({"what": "killed roles", **verdict}) + "\n")
    assert len(executioner.kills) == (rounds_asked or KILLS)
    assert verdict["lost_s"] <= LOST_S * executioner.slowest, verdict
    assert verdict["back_s"] <= BACK_S * executioner.slowest + KEY_FRAME_S, verdict


async def held_against(gym: TroubledGym, door: Door, executioner: Executioner) -> dict[str, Any]:
    """Every acknowledged event once, with the right tags; each camera's time tiled; gaps at ingest's deaths alone."""
    conn = await connect(gym.database(), statement_timeout_s=0)
    try:
        times = Counter(row["occurred_ns"] for row in await conn.fetch("SELECT occurred_ns FROM access_event"))
        assert await tags_in_force(conn) == await expected_tags(conn)
    finally:
        await conn.close()
    assert set(door.acknowledged) <= set(times), "an acknowledged event is lost"
    assert max(times.values()) == 1, "an event is doubled"
    _, segments, gaps = await gym.rows()
    assert len(segments) == gym.cameras
    lost_s = back_s = 0.0
    causes: Counter[str] = Counter()
    for camera, footage in segments.items():
        mine = gaps.get(camera, [])
        assert_tiled(spans(footage), spans(mine))
        causes.update(cause for *_, cause in mine)
        one_lost_s, one_back_s = around_deaths([(row[0] / NS, row[1] / NS) for row in footage], executioner)
        lost_s, back_s = max(lost_s, one_lost_s), max(back_s, one_back_s)
    return {
        "events": len(times),
        "acknowledged": len(door.acknowledged),
        "segments": sum(map(len, segments.values())),
        "gaps": causes,
        "lost_s": round(lost_s, 2),
        "back_s": round(back_s, 2),
        "slow": round(executioner.slowest, 1),
    }


def around_deaths(footage: Sequence[tuple[float, float]], executioner: Executioner) -> tuple[float, float]:
    """Of one camera, s: the most that was received and lost by a death, and the longest from a start to footage.

    AssertionError: it misses footage in the midst of ingest's life.
    """
    deaths = [kill for kill in executioner.kills if kill.role == "ingest"]
    last = (executioner.ingest_starts[-1], max(end_s for _, end_s in footage))
    lost_s = back_s = 0.0
    for started_s, ended_s in [*((kill.started_s, kill.killed_s) for kill in deaths), last]:
        mine = sorted(span for span in footage if started_s <= span[0] < ended_s)
        if not mine:
            limit_s = BACK_S * executioner.slowest + KEY_FRAME_S
            assert ended_s - started_s <= limit_s, f"no footage from {started_s} to {ended_s}"
            continue
        assert all(one[1] == two[0] for one, two in itertools.pairwise(mine)), f"a gap in the midst of {mine}"
        if started_s != deaths[0].started_s:  # which began with the whole gym
            back_s = max(back_s, mine[0][0] - started_s)
        lost_s = max(lost_s, ended_s - mine[-1][1])
    return lost_s, back_s


def opened(gym: TroubledGym, began_s: float, ended_s: float) -> dict[str, Any]:
    """Every object of the time opens, none lacks its row or is one too many, and the record of looks holds."""
    moments = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment_s)) for moment_s in (began_s, ended_s)]
    span = ("--start", moments[0], "--end", moments[1])
    place = ("--json", "--config", "tallenne.toml")
    verified = json.loads(tallenne(gym.directory, "verify", *span, *place, timeout_s=300))
    tallenne(gym.directory, "reconcile", *place, timeout_s=300)
    tallenne(gym.directory, "audit", "verify", *place)
    return {"verified": verified}
