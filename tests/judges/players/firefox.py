"""Firefox, headless, driven by its own Marionette protocol: JSON behind its length, on a loopback socket."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tests.judges.codecs import mime_of
from tests.judges.looks import look_of
from tests.judges.picture import Look
from tests.judges.served import served

_PROGRAM: Final = shutil.which("firefox-esr") or shutil.which("firefox")
_STARTS_WITHIN_S: Final = 60
_SCRIPT_MS: Final = 900_000
_PREFERENCES: Final = {
    "marionette.port": 0,  # any; which one is in a file of the profile
    "media.autoplay.default": 0,
    "media.hardware-video-decoding.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


def missing() -> str:
    return "" if _PROGRAM else "firefox-esr is not installed"


def seek_src(clip: Path, times: Sequence[float]) -> list[Look]:
    """``video.src``, paused, ``currentTime``."""
    return _asked(clip, times, "")


def seek_media_source(clip: Path, times: Sequence[float]) -> list[Look]:
    """MediaSource, fed with what the index says holds the time."""
    return _asked(clip, times, mime_of(clip))


def _asked(clip: Path, times: Sequence[float], mime: str) -> list[Look]:
    with served(clip) as address, firefox() as session:
        session.send("WebDriver:Navigate", url=address)
        script = "const [times, mime, done] = arguments; judge('/clip.mp4', times, mime).then(done);"
        answers = session.send("WebDriver:ExecuteAsyncScript", script=script, args=[list(times), mime], sandbox=None)
    return [look_of(answer) for answer in answers["value"]]


class Marionette:
    """One session; ``send()`` one command at a time."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_SCRIPT_MS / 1000)
        self._file = self._socket.makefile("rb")
        self._number = 0
        self._read()

    def send(self, command: str, **parameters: Any) -> Any:
        self._number += 1
        text = json.dumps([0, self._number, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self._read()
        assert error is None, error
        return result

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _read(self) -> Any:
        digits = b""
        while (one := self._file.read(1)) != b":":
            assert one, "Firefox has gone"
            digits += one
        return json.loads(self._file.read(int(digits)))


@contextlib.contextmanager
def firefox(**capabilities: Any) -> Iterator[Marionette]:
    """``capabilities``: that a session must have, as WebDriver names them."""
    assert _PROGRAM is not None
    with tempfile.TemporaryDirectory(prefix="tallenne-firefox-") as home:
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in _PREFERENCES.items()]
        (Path(home) / "user.js").write_text("\n".join(lines))
        command = [_PROGRAM, "--headless", "--marionette", "--no-remote", "--profile", home, "about:blank"]
        environment = {**os.environ, "HOME": home, "MOZ_CRASHREPORTER_DISABLE": "1"}
        with (Path(home) / "log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            session = _connected(process, Path(home) / "MarionetteActivePort")
            session.send("WebDriver:NewSession", **capabilities)
            session.send("WebDriver:SetTimeouts", script=_SCRIPT_MS)
            yield session
            session.close()
        finally:
            process.terminate()
            process.wait(30)


def _connected(process: subprocess.Popen[bytes], told: Path) -> Marionette:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while True:
        try:
            return Marionette(int(told.read_text()))
        except (OSError, ValueError):
            assert process.poll() is None, f"Firefox ended with code {process.returncode}"
            assert time.monotonic() < deadline, "Firefox does not answer"
            time.sleep(0.2)
