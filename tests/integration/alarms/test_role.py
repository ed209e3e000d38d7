"""The notify role before a mail server that is not ours: each message once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from alarms import role
from alarms.settings import AlarmSettings, WebhookSettings
from tests.support.alarms.gym import gym, settings_of
from tests.support.alarms.mailbox import Mailbox
from tests.unit.alarms.send.test_http import receiving


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    box.open()
    yield box
    box.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(role, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(role, "SEND_EVERY_S", 0.05)
    monkeypatch.setattr("alarms.state.outbox.FIRST_S", 0.2)
    monkeypatch.setattr("alarms.state.outbox.LONGEST_S", 0.5)


@contextlib.asynccontextmanager
async def notifying(settings: AlarmSettings) -> AsyncIterator[None]:
    """The role, in this process."""
    stop = asyncio.Event()
    task = asyncio.create_task(role.run(settings, stop))
    await asyncio.sleep(0)
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await task


async def mails(mailbox: Mailbox, count: int) -> list[str]:
    """The subjects, once so many have come, and after the time in which one too many would have come as well."""
    await asyncio.to_thread(mailbox.wait_for, count)
    await asyncio.sleep(1.0)
    return mailbox.subjects()


def status_of(settings: AlarmSettings) -> dict[str, object]:
    found: dict[str, object] = json.loads((settings.run_directory / "notify-0.json").read_text())
    return found


async def test_camera_unplugged_one_mail_and_its_all_clear(tmp_path: Path, mailbox: Mailbox) -> None:
    settings = settings_of(tmp_path, mailbox)
    async with gym(tmp_path, cameras=3) as place, notifying(settings):
        await asyncio.sleep(0.5)
        place.cameras[1] = "connecting"
        assert await mails(mailbox, 1) == ["[Gym] Alarm: Camera Hall 1 cannot be reached."]
        place.cameras[1] = "recording"
        assert (await mails(mailbox, 2))[1] == "[Gym] All clear: Camera Hall 1 cannot be reached."
    raised, cleared = mailbox.mails
    assert cleared["In-Reply-To"] == raised["Message-ID"] != cleared["Message-ID"]
    assert raised["Auto-Submitted"] == "auto-generated"
    assert "all of this is over" in cleared.get_content()


async def test_sixteen_cameras_and_the_store_away_at_once_one_mail(tmp_path: Path, mailbox: Mailbox) -> None:
    settings = settings_of(tmp_path, mailbox)
    async with gym(tmp_path, cameras=16) as place, notifying(settings):
        await asyncio.sleep(0.5)
        place.cameras = dict.fromkeys(place.cameras, "connecting")
        place.parts["store"] = False
        assert len(await mails(mailbox, 1)) == 1
        text = mailbox.mails[0].get_content()
        assert "The object store does not answer." in text
        assert all(f"Camera Hall {number} " in text for number in range(16))
        place.cameras = dict.fromkeys(place.cameras, "recording")
        place.parts["store"] = True
        assert [subject.split()[1] for subject in await mails(mailbox, 2)] == ["Alarm:", "All"]


async def test_role_silent_is_raised_and_its_cameras_are_not_cleared(tmp_path: Path, mailbox: Mailbox) -> None:
    settings = settings_of(tmp_path, mailbox)
    async with gym(tmp_path) as place, notifying(settings):
        await asyncio.sleep(0.5)
        place.cameras[0] = "connecting"
        await mails(mailbox, 1)
        place.silent.add("ingest")
        assert (await mails(mailbox, 2))[1:] == ["[Gym] Alarm: The role ingest does not answer."]


async def test_mail_server_away_and_a_restart_between_arrives_once(tmp_path: Path, mailbox: Mailbox) -> None:
    settings = settings_of(tmp_path, mailbox)
    mailbox.close()
    async with gym(tmp_path) as place:
        async with notifying(settings):
            await asyncio.sleep(0.5)
            place.cameras[0] = "connecting"
            await _until(lambda: bool(_waiting(settings)))
            await _until(lambda: any("did not take" in str(one) for one in _problems(settings)))
        assert mailbox.mails == []
        async with notifying(settings):
            await asyncio.sleep(1.0)
            mailbox.open()
            assert await mails(mailbox, 1) == ["[Gym] Alarm: Camera Hall 0 cannot be reached."]
            assert _waiting(settings) == 0


async def test_server_that_hangs_up_after_its_acknowledgement_gets_it_once(tmp_path: Path, mailbox: Mailbox) -> None:
    mailbox.hang_up = True
    settings = settings_of(tmp_path, mailbox)
    async with gym(tmp_path) as place, notifying(settings):
        await asyncio.sleep(0.5)
        place.cameras[0] = "connecting"
        assert len(await mails(mailbox, 1)) == 1


async def test_webhook_gets_the_same_and_repeats_its_id_until_it_is_acknowledged(tmp_path: Path) -> None:
    with receiving() as receiver:
        receiver.status = 503
        settings = settings_of(tmp_path, webhook=WebhookSettings(url=receiver.url, secret=b"secret"))
        async with gym(tmp_path) as place, notifying(settings):
            await asyncio.sleep(0.5)
            place.cameras[0] = "connecting"
            await _until(lambda: len(receiver.requests) >= 2)
            receiver.status = 200
            await _until(lambda: _waiting(settings) == 0)
            place.cameras[0] = "recording"
            await _until(lambda: any(b"alarm.cleared" in body for _, _, body in receiver.requests))
            await asyncio.sleep(0.5)
    types = [(headers["webhook-id"], json.loads(body)["type"]) for _, headers, body in receiver.requests]
    assert [kind for _, kind in dict.fromkeys(types)] == ["alarm.raised", "alarm.cleared"]
    for _, headers, body in receiver.requests:
        content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(b"secret", content, "sha256").digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"


async def test_message_refused_for_good_does_not_keep_the_next_back(tmp_path: Path, mailbox: Mailbox) -> None:
    mailbox.refusal = "554 Not this one, said anna@example.org"
    settings = settings_of(tmp_path, mailbox)
    async with gym(tmp_path) as place, notifying(settings):
        await asyncio.sleep(0.5)
        place.cameras[0] = "connecting"
        await _until(lambda: status_of(settings).get("given_up") == 1)
        assert "anna" not in (settings.run_directory / "notify-0.json").read_text()
        mailbox.refusal = ""
        place.cameras[0] = "recording"
        assert [subject.split()[1] for subject in await mails(mailbox, 1)] == ["All"]


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # aiosmtpd does not see the TLS below it
@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_mail_by_tls_with_password(tmp_path: Path, tls: str) -> None:
    box = Mailbox(tmp_path, tls=tls)
    box.open()
    try:
        async with gym(tmp_path) as place, notifying(settings_of(tmp_path, box)):
            await asyncio.sleep(0.5)
            place.cameras[0] = "connecting"
            assert len(await mails(box, 1)) == 1
    finally:
        box.close()


async def test_directory_that_refuses_does_not_silence_the_alarm(
    tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path, mailbox)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    async with gym(tmp_path), notifying(settings):
        await asyncio.sleep(0.5)
        monkeypatch.setattr("alarms.state.journal.write_private", refuse)
        monkeypatch.setattr("alarms.watch.snapshot._refusal", lambda _: "Read-only file system")
        assert await mails(mailbox, 1) == [
            "[Gym] Alarm: The disk of data cannot be written to (Read-only file system)."
        ]
        assert any("cannot be saved" in str(one) for one in _problems(settings))


async def _until(condition: object, timeout_s: float = 20.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _waiting(settings: AlarmSettings) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(str(status_of(settings)["waiting"]))
    return 0


def _problems(settings: AlarmSettings) -> list[object]:
    with contextlib.suppress(OSError, ValueError):
        return list(status_of(settings)["problems"])  # type: ignore[call-overload]
    return []
