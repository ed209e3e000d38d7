"""Compares what a gym says of itself (status files, health answer, pages) with what its processes really do."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import psutil
import pyotp
import pytest

from runtime.status import NOT_KNOWN
from tests.support.processes.started import tallenne
from tests.support.processes.troubled_gym import ROLES, SERVICES, TroubledGym

TRUE_WITHIN_S: Final = 5.0
_PASSWORD: Final = "hunting the fault 77"
_ANSWER_S: Final = 5.0


class Staff:
    """An administrator who is signed in, and asks what the pages ask."""

    def __init__(self, gym: TroubledGym, http: httpx.Client) -> None:
        self._gym, self._http = gym, http

    def cameras(self) -> dict[str, str]:
        """The state of each as the page shows it, by name."""
        found = self._get("/v1/cameras").json()
        return {camera["name"]: (camera["health"] or {}).get("state", "unknown") for camera in found}

    def parts(self) -> dict[str, bool]:
        """Which parts answer."""
        parts: dict[str, bool] = self._get("/v1/health/parts").json()["parts"]
        return parts

    def metrics(self) -> str:
        """As Prometheus gets them."""
        return self._get("/metrics").text

    def _get(self, path: str) -> httpx.Response:
        return self._http.get(f"{address(self._gym)}{path}").raise_for_status()


@contextmanager
def signed_in(gym: TroubledGym, metrics_token: str = "") -> Iterator[Staff]:
    """Staff with an account of their own, made now."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALLENNE_NEW_PASSWORD", _PASSWORD)
        words = ("staff", "add", "anna", "--name", "Anna", "--role", "admin", "--config", "tallenne.toml")
        found = re.search(r"secret=(\w+)", tallenne(gym.directory, *words))
    assert found is not None
    with httpx.Client(verify=False, timeout=_ANSWER_S) as http:
        body = {"user_name": "anna", "password": _PASSWORD, "code": pyotp.TOTP(found[1]).now()}
        http.post(f"{address(gym)}/v1/sign-in", json=body, timeout=30).raise_for_status()
        http.headers["Authorization"] = f"Bearer {metrics_token}"
        yield Staff(gym, http)


def address(gym: TroubledGym) -> str:
    """Of the pages."""
    return f"https://127.0.0.1:{json.loads((gym.data / 'run' / 'endpoints.json').read_text())['serve']['port']}"


class Watcher:
    """Notes in ``gym.lies`` what is said and is not so for longer than ``TRUE_WITHIN_S``.

    longest_s: for how long at most something was said that was not so
    """

    def __init__(self, gym: TroubledGym, staff: Staff | None = None) -> None:
        self._gym, self._staff = gym, staff
        self._stop = threading.Event()
        looks = (self._roles, self._health, *([self._pages] if staff else []))
        self._threads = [threading.Thread(target=self._every, args=(look,)) for look in looks]
        self._away_since: dict[str, float] = {}
        self._said_wrong_since: dict[str, float] = {}
        self.longest_s = 0.0
        self.paused = threading.Event()  # while `up` itself is away

    def __enter__(self) -> Watcher:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _every(self, look: Callable[[], None]) -> None:
        while not self._stop.wait(0.5):
            if self.paused.is_set():
                self._said_wrong_since.clear()
                continue
            with contextlib.suppress(OSError, ValueError, KeyError, psutil.NoSuchProcess, httpx.HTTPError):
                look()

    def _roles(self) -> None:
        working, now_s = self._gym.working(), time.monotonic()
        for name in (*ROLES, *SERVICES):
            if name in working:
                self._away_since.pop(name, None)
            else:
                self._away_since.setdefault(name, now_s)
        said = self._gym.statuses()
        for role in ROLES:
            shown = said.get(role, {}).get("state", "unknown") not in NOT_KNOWN
            self._held(f"status: {role} is there", now_s, wrong=shown and self._away_s(role, now_s) > 0)
        services: dict[str, Any] = said.get("up", {}).get("services", {})
        for name in SERVICES:
            shown = services.get(name, {}).get("state") == "working"
            self._held(f"status: {name} works", now_s, wrong=shown and self._away_s(name, now_s) > 0)

    def _health(self) -> None:
        state, now_s = self._gym.health(), time.monotonic()
        parts = ("custodian", "index", "ingest", "notify", "database", "store", "broker")
        away = max(self._away_s(name, now_s) for name in parts)
        self._held("health: ready", now_s, wrong=state == "ready" and away > 0)

    def _pages(self) -> None:
        assert self._staff is not None
        shown = self._staff.cameras().values()
        now_s = time.monotonic()
        self._held("pages: recording", now_s, wrong="recording" in shown and self._away_s("ingest", now_s) > 0)
        parts, now_s = self._staff.parts(), time.monotonic()
        for part, answers in parts.items():
            if part == "database" and part in self._gym.processes():
                continue  # one that is stopped makes no new sessions; those that it has answer
            self._held(f"pages: {part} answers", now_s, wrong=answers and self._away_s(part, now_s) > 0)

    def _away_s(self, name: str, now_s: float) -> float:
        return now_s - self._away_since.get(name, now_s)

    def _held(self, what: str, now_s: float, *, wrong: bool) -> None:
        if not wrong:
            self._said_wrong_since.pop(what, None)
            return
        wrong_s = now_s - self._said_wrong_since.setdefault(what, now_s)
        self.longest_s = max(self.longest_s, wrong_s)
        if wrong_s > TRUE_WITHIN_S:
            self._gym.lies.append(f"{what}, for {wrong_s:.1f} s, away {self._away_since}")
