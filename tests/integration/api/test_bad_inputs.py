"""Bad inputs that reach the staff API (trust.md, 16 to 24): the ones that no other file of tests holds to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
import statistics
import subprocess
import sys
import time
import traceback
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from api.credentials.accounts import NewGrant
from api.credentials.passwords import Passwords
from api.http.ranges import UnsatisfiableRangeError, parse_range
from domain.time import NS, to_iso
from tests.conftest import Database
from tests.integration.api.conftest import BASE, PASSWORD, Office, sign_in
from tests.integration.api.gym import NORTH, SOUTH_CAMERA, open_gym
from tests.integration.api.test_role import serving, settings_for

pytestmark = pytest.mark.services


async def test_another_sites_camera_is_not_there_and_the_question_is_logged(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    gym = await open_gym(office.owner, office.clock.now_ns)
    client = await office.signed_in(NewGrant(role="viewer", site_id=NORTH))
    await client.state_purpose()
    start = to_iso(gym.now_ns - 600 * NS)
    params = {"start": start, "end": to_iso(gym.now_ns), "at": start, "purpose": client.purpose}
    for part in ("clip.mp4", "timeline", "thumbnail.jpg"):
        answers = [
            await client.get(f"/v1/cameras/{which}/{part}", params=params) for which in (SOUTH_CAMERA, uuid.uuid4())
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content  # what one may not see is what does not exist
    assert str(SOUTH_CAMERA) in caplog.text
    session = (await client.get("/v1/session")).json()
    assert session["user_name"] not in caplog.text


@pytest.mark.parametrize("count", [1_000, 2_000])
def test_header_of_many_ranges_is_refused_in_linear_work(count: int) -> None:
    header = "bytes=" + ",".join(f"{n}-{n + 1}" for n in range(count))
    began = time.perf_counter()
    for _ in range(100):
        with pytest.raises(UnsatisfiableRangeError):
            parse_range(header, 1 << 40)
    assert time.perf_counter() - began < 1
    for odd in ("bytes=" + "9" * 5000 + "-", "bytes=" + " " * 20_000 + "-", "bytes=0-0" + "," * 20_000):
        with pytest.raises(UnsatisfiableRangeError):
            parse_range(odd, 100)


async def test_slow_body_is_not_waited_for_and_others_are_served(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.http.middleware.BODY_DEADLINE_S", 0.5)
    settings = settings_for(database.serve, tmp_path)
    async with serving(settings) as status:
        context = ssl.create_default_context(cafile=settings.secret_directory / "tls-cert.pem")
        port = urlsplit(status["address"]).port
        connections = [await asyncio.open_connection("127.0.0.1", port, ssl=context) for _ in range(20)]
        head = b"POST /v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
        for _, writer in connections:
            writer.write(head)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(b"GET /v1/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b" 200 " in (await reader.read()).partition(b"\r\n")[0]

        async def drip() -> None:
            while True:
                await asyncio.sleep(0.2)
                for _, writer in connections[:10]:
                    writer.write(b" ")

        dripping = asyncio.create_task(drip())
        for slow, _ in connections:
            async with asyncio.timeout(10):
                assert b" 408 " in (await slow.readline())
        dripping.cancel()
        for _, each in [*connections, (reader, writer)]:
            each.close()
            with contextlib.suppress(OSError):
                await each.wait_closed()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://tallenne.test.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_unsafe_request_from_another_site_is_refused_even_with_the_token(
    office: Office, headers: dict[str, str]
) -> None:
    client = await office.signed_in("viewer")
    body = {"category": "safety", "reason": "a test"}
    refused = await client.post("/v1/purposes", json=body, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:tallenne:origin")
    assert (
        await client.post("/v1/purposes", json=body, headers={"Origin": "https://tallenne.test"})
    ).status_code == 201


async def test_unknown_person_takes_as_long_as_a_wrong_password(office: Office) -> None:
    """With the real parameters. Control: without the work for nobody the difference is seen."""
    passwords = Passwords()
    object.__setattr__(office.rooms.factors, "passwords", passwords)
    name, _ = await office.hire("viewer")
    await office.owner.execute(
        "UPDATE staff SET password_hash = $1 WHERE user_name = $2", await passwords.hash(PASSWORD), name
    )

    async def taken(user_name: str) -> float:
        await office.owner.execute("DELETE FROM sign_in_throttle")
        began = time.perf_counter()
        answer = await sign_in(office.client(), user_name, code="000000", password="not the password")
        assert answer.status_code == 401
        return time.perf_counter() - began

    async def ratio() -> float:
        known, unknown = [], []
        for number in range(9):  # in turn: what else the machine does befalls both
            known.append(await taken(name))
            unknown.append(await taken(f"nobody-{number}"))
        return statistics.median(unknown) / statistics.median(known)

    assert 0.5 < await ratio() < 2.0  # the control below is on the other side

    async def hasty(_: str, stored: str | None) -> bool:
        return stored is not None and await Passwords.matches(passwords, "", stored)

    passwords.matches = hasty  # type: ignore[method-assign]
    assert await ratio() < 0.5


async def test_planted_secrets_are_in_no_answer_log_or_traceback(
    office: Office, database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that a person types, while everything breaks. Controls: one that is logged, one in a traceback."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the test's own client
    gym = await open_gym(office.owner, office.clock.now_ns)
    name, staff = await office.hire("exporter", "admin", "auditor")
    client = office.client()
    code = office.code(staff)
    assert (await sign_in(client, name, code=code)).status_code == 200
    await client.state_purpose()
    cookie = next(iter(client.cookies.values()))
    canary = "Canary-7f3e91"
    secrets = [canary, PASSWORD, cookie, client.csrf, staff.totp_secret, *staff.recovery_codes]
    secrets.append(database.serve.password)
    answers = [
        await office.client().post("/v1/sign-in", json={"user_name": canary, "password": canary, "code": canary}),
        await office.client().post("/v1/sign-in", json={"user_name": canary, "password": [canary], "code": 1}),
        await office.client().post("/v1/sign-in", content=f'{{"user_name": "{canary}'.encode()),
        await client.get("/v1/find", params={"query": canary}),
        await client.get("/v1/members", params={"query": f"{canary}\x00"}),
        await client.post("/v1/purposes", json={"category": canary, "reason": canary}),
        await client.post("/v1/purposes", json={"category": "safety", "reason": canary}),
        await client.post("/v1/password", json={"current": canary, "password": canary}),
        await client.get("/v1/session", headers={"Cookie": f"__Host-tallenne={canary}"}),
    ]

    async def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("no database today")

    monkeypatch.setattr("api.sign_in.scope.search_members", breaks)
    answers.append(await client.get("/v1/members", params={"query": canary}))
    assert answers[-1].status_code == 500
    raising = httpx.ASGITransport(office.asgi())  # as a server sees it, which logs the traceback
    async with httpx.AsyncClient(transport=raising, base_url=BASE, cookies=client.cookies) as http:
        with pytest.raises(RuntimeError) as caught:
            await http.get("/v1/members", params={"query": canary}, headers={"Tallenne-Purpose": client.purpose})
    said = [answer.text for answer in answers if answer.request.url.path not in ("/v1/find", "/v1/purposes")]
    text = "".join([caplog.text, *said, *traceback.format_exception(caught.value)])
    assert [secret for secret in secrets if secret in text] == []
    logging.getLogger("api").warning("control %s", canary)
    assert canary in caplog.text
    assert gym.aino


async def test_no_secret_of_a_person_lies_in_the_database_or_in_its_log(
    office: Office, database: Database, service_directory: Path
) -> None:
    """In every table as text, and in the write-ahead log. Controls: one secret planted in each of them."""
    name, staff = await office.hire("viewer")
    client = office.client()
    code = office.code(staff)
    assert (await sign_in(client, name, code=code)).status_code == 200
    changed = {"current": PASSWORD, "password": "neljä violettia polkupyörää"}
    assert (await client.post("/v1/password", json=changed)).status_code == 204
    codes = (await client.post("/v1/recovery-codes")).json()["recovery_codes"]
    cookie = next(iter(client.cookies.values()))
    secrets = [PASSWORD, changed["password"], cookie, client.csrf, staff.totp_secret, *staff.recovery_codes, *codes]
    assert await lying_about(office, service_directory / "pg/cluster/pg_wal", secrets) == ([], [])
    await office.owner.execute("UPDATE staff SET display_name = $1", cookie)
    assert await lying_about(office, service_directory / "pg/cluster/pg_wal", secrets) == ([cookie], [cookie])


async def lying_about(office: Office, log: Path, secrets: list[str]) -> tuple[list[str], list[str]]:
    tables = await office.owner.fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'tallenne'")
    rows = [await office.owner.fetch(f"SELECT t::text AS said FROM {table['name']} t") for table in tables]
    text = "".join(row["said"] for found in rows for row in found)
    await office.owner.execute("SELECT pg_switch_wal()")
    written = await asyncio.to_thread(lambda: b"".join(path.read_bytes() for path in log.iterdir() if path.is_file()))
    return [each for each in secrets if each in text], [each for each in secrets if each.encode() in written]


@pytest.fixture
def planted() -> Iterator[psutil.Process]:
    """A process with a secret in its arguments, as a control."""
    script = "import time; print(flush=True); time.sleep(60)"
    command = [sys.executable, "-c", script, "Canary-in-the-arguments"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the kernel tells of the exec before the arguments are in their place
        yield psutil.Process(process.pid)
        process.kill()


def test_the_look_at_the_process_list_sees_a_secret_in_it(planted: psutil.Process) -> None:
    """For tests/browser/test_end_to_end.py, which looks at every process of a running gym."""
    assert "Canary-in-the-arguments" in " ".join(planted.cmdline())


def test_nothing_of_the_api_writes_what_a_spreadsheet_would_run() -> None:
    """Formulas (22): the audit trail and the register are handed out as CSV: tests/unit/domain/test_cells.py."""
    here = Path(__file__).resolve().parents[3] / "api"
    found = [
        path.name
        for path in here.rglob("*")
        if path.suffix in (".py", ".js", ".html") and "csv" in path.read_text(encoding="utf-8").casefold()
    ]
    assert sorted(found) == ["audit.html", "audit.js", "members.js", "rights_routes.py", "table.py", "trail.py"]


async def test_half_a_character_is_a_wrong_code_and_on_record(office: Office) -> None:
    name, staff = await office.hire("viewer")
    client = office.client()
    raw = json.dumps({"user_name": name, "password": PASSWORD, "code": "abc\ud800"})  # as JSON may say it
    headers = {"Content-Type": "application/json"}
    assert (await client.post("/v1/sign-in", content=raw, headers=headers)).status_code == 401
    assert (await sign_in(client, name, code=office.code(staff))).status_code == 200
    assert (await client.post("/v1/step-up", content='{"code": "abc\\ud800"}', headers=headers)).status_code == 403
    assert [row["action"] for row in await office.audit()][-3:] == ["sign_in_failed", "sign_in", "step_up_failed"]
