"""What the broker's log says of messages to topics that no filter names."""

from __future__ import annotations

from pathlib import Path

from pipeline.embedded.broker_log import BrokerLog

LINE = '[1] 2026/11/30 [ERR] 127.0.0.1:1 - mid:6 - "x" - Publish Violation - Subject "%s"\n'


def said(discarded: BrokerLog) -> str:
    error = discarded.discarded()
    return "" if error is None else error.what


def write(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def test_topics_and_messages_are_told_and_forgotten_after_a_day(tmp_path: Path) -> None:
    log, now_s = tmp_path / "log", [0.0]
    write(log, LINE % "before.us")
    discarded = BrokerLog(log, clock_s=lambda: now_s[0])
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
    discarded = BrokerLog(log)
    write(log, "".join(LINE % f"t{n}" for n in range(50_000)))
    while (told := said(discarded)) and "50000 messages" not in told:
        assert len(told) < 400
    assert "'t4'" in told and "'t5'" not in told
    discarded.forget_topics()
    assert said(discarded) == ""


TAKEN = (
    '[1] 2026/11/30 [WRN] 127.0.0.1:{new} - mid:9 - "{id}" - Replacing old client'
    ' "127.0.0.1:{old} - mid:8 - \\"{id}\\"" since both have the same client ID "{id}"\n'
)


def test_client_that_takes_the_session_of_the_index_is_named_with_its_address(tmp_path: Path) -> None:
    log, now_s = tmp_path / "log", [0.0]
    watched = BrokerLog(log, "tallenneindex1", clock_s=lambda: now_s[0])
    write(log, TAKEN.format(new=7, old=6, id="tallenneindex1") + TAKEN.format(new=5, old=4, id="door") * 9)
    assert watched.taken_over() is None  # once may be ourselves, and doors with flaky networks are no matter
    now_s[0] = 300
    write(log, TAKEN.format(new=8, old=7, id="tallenneindex1"))
    problem = watched.taken_over()
    assert problem is not None
    assert "'tallenneindex1'" in problem.what and "127.0.0.1:8 that of 127.0.0.1:7" in problem.what
    now_s[0] = 600
    assert watched.taken_over() is None


def test_topics_are_remembered_while_the_broker_is_restarted_and_its_log_rotated(tmp_path: Path) -> None:
    log = tmp_path / "log"
    watched = BrokerLog(log)  # made before the broker's first start
    write(log, LINE % "acess.gym.main")
    assert "1 messages" in said(watched)
    log.rename(tmp_path / "log.old")
    assert "1 messages" in said(watched)
    write(log, LINE % "x")
    assert "2 messages" in said(watched) and "'acess/gym/main'" in said(watched)
