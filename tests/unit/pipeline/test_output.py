"""What a peer says reaches terminals, logs and mails as text: a canary of each peer, through each way out."""

from __future__ import annotations

import ast
import asyncio
import http.client
import io
import logging
import re
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from alarms.send.mail import message_of
from alarms.settings import MailSettings
from alarms.state.notice import Change, Line, Notice
from alarms.state.wording import Writer
from domain.errors import PeerError, TallenneError
from indexer.events.quarantine import _shown
from pipeline.output import CleanFormatter, progress, say
from pipeline.supervise.display import problem_lines
from pipeline.supervise.tell import Tell
from storage.store.connection import S3Response
from storage.store.responses import error_message
from tests.house.tree import source, work_tree
from tests.support.cameras.native import taken

CANARY: Final = "\x1b]0;owned\x07\x1b[2J\u202egnp\r\nBcc: victim@example.org\r\n2026-11-30 ERROR forged"
_ACTS: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def test_canary_acts() -> None:
    """Positive control."""
    assert _ACTS.search(CANARY)


async def _camera() -> str:
    """Its answer to DESCRIBE."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).decode()
        number = asked.partition("CSeq: ")[2].split()[0]
        reason = CANARY.replace("\r\n", "\x85")
        writer.write(f"RTSP/1.0 404 {reason}\r\nCSeq: {number}\r\nServer: {reason}\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        with pytest.raises(TallenneError) as caught:
            await taken(f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/", 1)
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0)  # the client's transport closes its socket in the loop's next turn
    return f"{caught.value} {CANARY}"  # whether its words are quoted or not, the ways out must not depend on it


def _store() -> str:
    body = f"<Error><Code>X</Code><Message>{CANARY}</Message></Error>".encode()
    return error_message(S3Response(status=403, headers=http.client.HTTPMessage(), body=body))


_PEERS: Final[dict[str, Callable[[], str]]] = {
    "door": lambda: _shown(CANARY),
    "broker": lambda: str(PeerError(f"The broker refuses us: {CANARY}.", CANARY)),
    "store": _store,
    "browser": lambda: CANARY,  # the path that it asks for
}


def _logged(words: str) -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(CleanFormatter("%(levelname)s %(name)s %(message)s"))
    log = logging.Logger(f"of {words}")
    log.addHandler(handler)
    log.warning("refused: %s", words)
    try:
        raise ValueError(words)
    except ValueError:
        log.exception("it failed: %s", words, stack_info=True)
    found = out.getvalue()
    assert len([line for line in found.splitlines() if not line.startswith("    ")]) == 2  # two records, no third
    return found


def _displayed(words: str) -> str:
    out = io.StringIO()
    with Tell(out) as tell:
        tell.line(words)
        tell.live(problem_lines([{"role": "ingest", "problems": [{"what": words, "remedy": words}]}]))
    assert out.getvalue().count("\n") == 2
    return out.getvalue()


def _mailed(words: str) -> str:
    line = Line(kind="camera", subject="x", what=words, remedy=words, since_ns=0)
    notice = Notice(notice_id="1.1", incident="1", change=Change.RAISED, at_ns=0, since_ns=0, lines=(line,))
    settings = MailSettings(host="mail", port=25, sender="a@example.org", recipients=("b@example.org",), tls="none")
    message = message_of(settings, notice, Writer(installation="Gym", zone=ZoneInfo("UTC")), "b@example.org")
    assert message["Bcc"] is None
    return str(message["Subject"]) + message.get_content()


@pytest.mark.parametrize("peer", ["camera", *_PEERS])
async def test_no_peer_reaches_a_terminal_a_log_or_a_mail_header(peer: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = _PEERS[peer]() if peer in _PEERS else await _camera()
    assert "owned" in words
    capsys.readouterr()
    say(f"BAD {words}")
    say(f"BAD {words}", error=True)
    progress(f"  {words}")
    said = capsys.readouterr()
    for shown in (said.out, said.err, _logged(words), _displayed(words), _mailed(words)):
        assert "owned" in shown
        assert not _ACTS.search(shown)


def test_nothing_else_writes_to_standard_output() -> None:
    """What a command prints goes through ``say()``, what `up` shows through ``Tell``; the other writers are known."""
    writers = {
        "pipeline/output.py",
        "api/export/verify.py",  # stands alone, in exports, and cleans by itself
        "api/footage/thumbnail/worker.py",  # pictures to its parent
        "ingest/libav/worker.py",  # packets to its parent
        "live/converting/worker.py",  # the same
        "masking/process/worker.py",  # the same
        "demo/rtsp_server.py",  # for tests, one line of JSON
        "ingest/native/build.py",  # at installation, to standard error
    }
    found = set()
    for path, text in source(work_tree()).items():
        if path.startswith(("tests/", "benchmarks/")):
            continue
        for node in ast.walk(ast.parse(text)):
            named = isinstance(node, ast.Name) and node.id == "print"
            logs = isinstance(node, ast.Attribute) and node.attr in ("basicConfig", "StreamHandler", "lastResort")
            writes = isinstance(node, ast.Attribute) and node.attr in ("write", "buffer") and _of_stream(node.value)
            if named or writes or (logs and path != "pipeline/cli.py"):
                found.add(path)
    assert found == writers


def _of_stream(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr")
