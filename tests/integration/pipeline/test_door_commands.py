"""The commands around doors, against a running gym: import, list, withdraw; quarantined, listed, mended, replayed."""

from __future__ import annotations

import asyncio
import csv
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from domain.time import NS, from_iso, to_iso
from pipeline.running import Running
from runtime.database import connect
from tests.support.demo_gym import TOPIC, as_json, demo_gym, publish, tallenne

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
async def gym() -> AsyncIterator[Running]:
    async with demo_gym(cameras=2) as everything:
        yield everything


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(120):  # each look is a command of its own, on a machine that may be busy
        while not (found := await look()):  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    return found


def message(occurred_ns: int, **more: str) -> bytes:
    body = {"event_id": str(uuid.uuid4()), "occurred_at": to_iso(occurred_ns), "kind": "granted", "direction": "in"}
    return json.dumps(body | more).encode()


async def test_stranger_is_quarantined_mended_replayed_tagged_and_withdrawn(gym: Running) -> None:
    await until(lambda: _filmed(gym))
    occurred_ns = time.time_ns() - 2 * NS
    await publish(gym, message(occurred_ns, credential="c0:ff:ee:42"))
    await publish(gym, b'{"event_id": "broken", ')

    async def waiting() -> Any:
        rows = [row for row in await as_json(gym, "quarantine", "list") if row["topic"] == TOPIC]
        return rows if len(rows) == 2 else None

    rows = await until(waiting)
    assert {row["reason"] for row in rows} == {"unknown credential", "native: payload is not JSON"}
    assert "2 in quarantine" in await tallenne(gym, "quarantine", "list")
    broken = next(row["id"] for row in rows if row["reason"].startswith("native"))
    report = await as_json(gym, "quarantine", "replay", broken)
    assert (report["looked_at"], report["understood"], report["still_refused"]) == (1, 0, 1)
    unknown = str(uuid.uuid4())
    assert "are not in the quarantine" in await tallenne(gym, "quarantine", "replay", unknown, code=2)
    report = await as_json(gym, "quarantine", "replay")
    assert (report["looked_at"], report["understood"], report["still_refused"]) == (2, 0, 2)

    await _import(gym)
    await _register(gym)
    report = await as_json(gym, "quarantine", "replay")
    assert (report["looked_at"], report["understood"], report["still_refused"]) == (2, 1, 1)
    (row,) = await as_json(gym, "quarantine", "list")
    assert row["reason"] == "native: payload is not JSON"
    assert len(await as_json(gym, "quarantine", "list", "--all")) == 2

    async def tagged() -> Any:
        listed = await as_json(gym, "events", "list", "--start", to_iso(occurred_ns), "--end", to_iso(occurred_ns + NS))
        found = [one for one in listed if one["occurred"] == to_iso(occurred_ns)]
        return found[0] if found and all(found[0]["tags"].values()) else None

    event = await until(tagged)
    assert (event["door"], event["kind"]) == ("Main door", "granted")
    assert set(event["tags"]) == {"Entrance", "Reception"}
    assert event["member"] and "4242" not in event.values()
    await _withdraw(gym, await _correct(gym, event))
    await asyncio.to_thread(_search, gym.installation.root)


def _search(root: Path) -> None:
    """No file names the member or the card: logs, status files, footage with its names, spool, audit. The control: the
    search finds both in the list that was imported. Apart: the database, whose tables another test searches, and the
    broker's own store, which holds what the doors sent until it is taken."""
    words = (b"Maija Mallikas", b"C0FFEE42", b"c0:ff:ee:42")
    found: dict[bytes, set[str]] = {word: set() for word in words}
    names = []
    for file in root.rglob("*"):
        place = str(file.relative_to(root))
        if not file.is_file() or place.startswith(("postgres/", "broker/jetstream/")):
            continue
        names.append(place)
        content = place.encode() + b"\n" + file.read_bytes()
        for word in words:
            if word.lower() in content.lower() or word.hex().encode() in content.lower():
                found[word].add(place)
    assert found == {words[0]: {"wrong.csv", "right.csv"}, words[1]: {"wrong.csv"}, words[2]: {"right.csv"}}
    assert any(name.startswith("log") for name in names) and any("index-0.json" in name for name in names), names
    assert any(name.startswith("store/") for name in names), names


async def _correct(gym: Running, event: dict[str, Any]) -> str:
    """What is named changes, the rest stays; the footage is tagged anew. Returns the event now in force."""
    wrong = event["event"]
    assert "No correction was given" in await tallenne(gym, "events", "correct", wrong, code=2)
    assert "no door 'Cellar'" in await tallenne(gym, "events", "correct", wrong, "--door", "Cellar", code=2)
    assert "no such member" in await tallenne(gym, "events", "correct", wrong, "--member", "9999", code=2)
    await tallenne(gym, "events", "correct", wrong, "--kind", "entered")

    async def entered() -> Any:
        at_ns = from_iso(event["occurred"])
        narrow = ("--start", to_iso(at_ns), "--end", to_iso(at_ns + NS))  # the demo goes on: the newest are others soon
        listed = await as_json(gym, "events", "list", "--door", "Main door", *narrow)
        found = [one for one in listed if (one["occurred"], one["kind"]) == (event["occurred"], "entered")]
        return found if found and all(found[0]["tags"].values()) else None

    (right,) = await until(entered)
    assert (right["member"], right["door"]) == (event["member"], event["door"])
    span = ("--start", to_iso(time.time_ns() - 600 * NS), "--end", to_iso(time.time_ns()))
    members = ("--from-member", "4242", "--to-member", "4343")
    assert "1 events of member" in await tallenne(gym, "events", "reassign", *members, *span)
    assert "0 events of member" in await tallenne(gym, "events", "reassign", *members, *span)
    backwards = ("--start", span[3], "--end", span[1])
    assert "not after" in await tallenne(gym, "events", "reassign", *members, *backwards, code=2)
    (now,) = await until(entered)
    assert now["member"] != event["member"] and now["event"] not in (wrong, right["event"])
    listing = await tallenne(gym, "events", "list", "--limit", "1")
    assert "1 events, the newest" in listing
    ids = {item["event"] for item in await as_json(gym, "events", "list", "--limit", "200")}  # more may have come since
    assert any(item in listing for item in ids)  # what `withdraw` and `correct` ask for
    assert "1 at least" in await tallenne(gym, "events", "list", "--limit", "-1", code=2)
    return str(now["event"])


async def _filmed(gym: Running) -> bool:
    """Both cameras have footage in the catalogue: from here on they record without a break."""
    conn = await connect(gym.settings.database("owner"))
    try:
        return bool(await conn.fetchval("SELECT count(DISTINCT camera_id) = 2 FROM segment"))
    finally:
        await conn.close()


async def _import(gym: Running) -> None:
    """Errors by line, nothing half done; a dry run changes nothing; then it is done, and again is harmless."""
    folder = gym.installation.root
    wrong, right = folder / "wrong.csv", folder / "right.csv"
    wrong.write_text("number,name,credential\n4242,Maija Mallikas,C0FFEE42\n,Nobody,\n")
    right.write_text("number,name,credential\n4242,Maija Mallikas,C0:FF:EE:42\n4343,Matti Mallikas,\n")
    assert "line 3, number: is blank" in await tallenne(gym, "members", "import", str(wrong), code=1)
    assert "Would import 2 lines: 2 members new" in await tallenne(gym, "members", "import", str(right), "--dry-run")
    first = await as_json(gym, "members", "import", str(right))
    assert (first["members_new"], first["credentials_new"], first["applied"]) == (2, 1, True)
    again = await as_json(gym, "members", "import", str(right))
    assert (again["members_new"], again["credentials_new"]) == (0, 0)
    short = await tallenne(gym, "members", "import", str(right), "--end-missing", code=2)
    assert "Is the list whole?" in short and "--confirm" in short
    shown = await tallenne(gym, "members", "import", str(right), "--end-missing", "--dry-run")
    assert "members with a credential are not in the list. It needs --confirm" in shown
    assert "Maija Mallikas" not in shown


async def _register(gym: Running) -> None:
    """Columns of the register are checked with the others, kept, and exported as they came in."""
    folder = gym.installation.root
    wrong, right, out = folder / "wrong-register.csv", folder / "right-register.csv", folder / "register.csv"
    wrong.write_text("number,name,email\n4242,Maija Mallikas,maija\n")
    right.write_text(
        "number,name,email,birth_date,other\n4242,Maija Mallikas,maija@example.org,2012-05-05,'=1\n"
        "4343,Matti Mallikas,,,\n"
    )
    refused = await tallenne(gym, "members", "import", str(wrong), code=1)
    assert "line 2, email: is not an address" in refused and "maija" not in refused
    assert "Register: 1 members." in await tallenne(gym, "members", "import", str(right), "--dry-run")
    assert (await as_json(gym, "members", "import", str(right)))["register_changed"] == 1
    assert (await as_json(gym, "members", "import", str(right)))["register_changed"] == 0
    assert "members to" in await tallenne(gym, "members", "export", str(out))
    assert "is there already" in await tallenne(gym, "members", "export", str(out), code=2)
    assert out.stat().st_mode & 0o777 == 0o600
    rows = {row["number"]: row for row in csv.DictReader(out.read_text().splitlines())}
    maija = rows["4242"]
    assert (maija["email"], maija["other"], maija["minor"]) == ("maija@example.org", "'=1", "yes")
    assert (await as_json(gym, "members", "import", str(out)))["register_changed"] == 0
    for each in (wrong, right, out):
        each.unlink()


async def _withdraw(gym: Running, event_id: str) -> None:
    await tallenne(gym, "events", "withdraw", event_id)
    assert event_id not in await tallenne(gym, "events", "list", "--json")
    assert "is not in force" in await tallenne(gym, "events", "withdraw", event_id, code=2)
    conn = await connect(gym.settings.database("owner"))
    try:
        actions = {row["action"] for row in await conn.fetch("SELECT DISTINCT action FROM audit_entry")}
        ended = await conn.fetchval(
            "SELECT count(*) FROM tag WHERE event_id = $1 AND superseded_ns IS NOT NULL", uuid.UUID(event_id)
        )
    finally:
        await conn.close()
    assert {
        "event_withdrawn",
        "event_superseded",
        "events_reassigned",
        "quarantine_replayed",
        "members_imported",
    } <= actions
    assert ended >= 2
