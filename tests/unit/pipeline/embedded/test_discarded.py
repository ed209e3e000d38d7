"""What the broker's log says of messages to topics that no filter names."""

from __future__ import annotations

from pathlib import Path

from pipeline.embedded.discarded import Discarded

LINE = '[1] 2026/11/30 [ERR] 127.0.0.1:1 - mid:6 - "x" - Publish Violation - Subject "%s"\n'


def said(discarded: Discarded) -> str:
    error = discarded.problem()
    return "" if error is None else error.what


def write(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def test_topics_and_messages_are_told_and_forgotten_after_a_day(tmp_path: Path) -> None:
    log, now_s = tmp_path / "log", [0.0]
    write(log, LINE % "before.us")
    discarded = Discarded(log, clock_s=lambda: now_s[0])
    assert said(discarded) == ""
    write(log, LINE % "acess.gym.main" + LINE % "acess.gym.main" + "[1] [INF] nothing\n" + (LINE % "/.half")[:-9])
    assert "2 messages" in said(discarded) and "'acess/gym/main'" in said(discarded)
    now_s[0] = 86_000.0
    write(log, (LINE % "/.half")[-9:])
    assert "3 messages" in said(discarded) and "'/half'" in said(discarded)
    now_s[0] = 90_000.0
    assert "'/half'" in said(discarded) and "acess" not in said(discarded)
    now_s[0] = 180_000.0
    assert said(discarded) == ""


def test_whoever_invents_topics_fills_neither_memory_nor_message(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    discarded = Discarded(log)
    write(log, "".join(LINE % f"t{n}" for n in range(50_000)))
    while (told := said(discarded)) and "50000 messages" not in told:
        assert len(told) < 400
    assert "'t4'" in told and "'t5'" not in told
    discarded.forget()
    assert said(discarded) == ""
