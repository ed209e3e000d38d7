"""Live pictures as Debian's Firefox shows them."""

from __future__ import annotations

import time
from typing import Any

from tests.judges.players.firefox import firefox

_DONE = "const done = arguments[arguments.length - 1];"


def watched_in_firefox(
    address: str, cookie: dict[str, Any], camera: str, script: str
) -> tuple[float, str, list[list[Any]]]:
    """How long the first picture took (s), how pictures come, and each one's time and top."""
    with firefox(acceptInsecureCerts=True) as session:
        session.send("WebDriver:Navigate", url=f"{address}/static/icon.svg")
        wanted = {name: cookie[name] for name in ("name", "value", "path", "secure", "httpOnly")}
        session.send("WebDriver:AddCookie", cookie={**wanted, "sameSite": "Strict"})
        began = time.monotonic()
        session.send("WebDriver:Navigate", url=f"{address}/live?camera={camera}")
        wait = _DONE + (
            "const look = () => document.querySelector('.tile[data-state=playing]')"
            " ? done(document.querySelector('.tile .note').textContent) : setTimeout(look, 20); look();"
        )
        way = session.send("WebDriver:ExecuteAsyncScript", script=wait, args=[], sandbox=None)["value"]
        first_s = time.monotonic() - began
        time.sleep(1)
        look = _DONE + f"({script})(6).then(done);"
        seen = session.send("WebDriver:ExecuteAsyncScript", script=look, args=[], sandbox=None)["value"]
    return first_s, way, seen
