"""`tallenne alarms` and `tallenne alarms test`: what is raised, what waits, and whether each channel works."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alarms.conditions import Kind
from alarms.state.incidents import Incidents
from alarms.state.journal import Journal
from alarms.state.notice import Change, Line, Notice
from alarms.state.outbox import Outbox
from pipeline.cli import main
from runtime.status import StatusFile
from tests.integration.alarms.test_killed import configured
from tests.support.alarms.gym import settings_of
from tests.support.alarms.mailbox import Mailbox


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    box.open()
    yield box
    box.close()


def call(capsys: pytest.CaptureFixture[str], config: Path, *words: str) -> tuple[int, dict[str, object]]:
    code = main(["alarms", *words, "--json", "--config", str(config)])
    out: dict[str, object] = json.loads(capsys.readouterr().out)
    return code, out


def test_every_channel_is_tried_and_each_result_told(
    tmp_path: Path, mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configured(tmp_path, mailbox.port)
    assert call(capsys, config, "test") == (0, {"ok": True, "results": {"mail anna@example.org": ""}})
    assert mailbox.subjects() == ["[Tallenne] Test: This message was sent by `tallenne alarms test`."]
    config.write_text(
        config.read_text() + '[alarms.webhook]\nurl = "http://127.0.0.1:9"\nsecret = { file = "secret" }\n'
    )
    code, report = call(capsys, config, "test")
    results = report["results"]
    assert isinstance(results, dict)
    assert (code, results["mail anna@example.org"]) == (1, "")
    assert "127.0.0.1 cannot be reached" in results["webhook"]


def test_without_a_channel_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = configured(tmp_path, 9)
    config.write_text(config.read_text().partition("[alarms.mail]")[0])
    assert main(["alarms", "test", "--config", str(config)]) == 2
    assert "No channel is configured." in capsys.readouterr().err


def test_silent_role_is_no_all_clear(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = configured(tmp_path, 9)
    code, report = call(capsys, config)
    assert (code, report["watched"]) == (1, False)
    assert main(["alarms", "--config", str(config)]) == 1
    assert capsys.readouterr().out.startswith("Alarms are not watched")


def test_what_is_raised_sent_and_waiting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = configured(tmp_path, 9)
    file = StatusFile(tmp_path / "data" / "run", "notify")
    file.write("ready", raised=[])
    assert call(capsys, config)[0] == 0
    now_ns = time.time_ns()
    one = {"kind": "store", "subject": "", "what": "The store is away.", "remedy": "", "since_ns": now_ns - 90 * 10**9}
    file.write("ready", raised=[one])
    line = Line(kind=Kind.STORE, subject="", what="The store is away.", remedy="", since_ns=now_ns)
    notice = Notice(notice_id="i.1", change=Change.RAISED, incident="i", at_ns=now_ns, since_ns=now_ns, lines=(line,))
    outbox = Outbox()
    outbox.aim(["mail anna@example.org", "webhook"])
    outbox.put(notice)
    outbox.delivered("webhook", "i.1", now_ns)
    incidents = Incidents(settings_of(tmp_path).rules, lambda: "i")
    Journal(tmp_path / "data" / "alarms").save({"incidents": incidents.as_json(), "outbox": outbox.as_json()})
    code, report = call(capsys, config)
    (message,) = report["messages"]  # type: ignore[misc]
    assert (code, message["waiting"], list(message["sent"])) == (1, ["mail anna@example.org"], ["webhook"])
    assert main(["alarms", "--config", str(config)]) == 1
    out = capsys.readouterr().out
    assert "! The store is away. For 2 min" in out or "! The store is away. For 1 min" in out
    assert "waits for mail anna@example.org" in out
