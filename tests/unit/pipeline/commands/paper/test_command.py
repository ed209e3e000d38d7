"""`tallenne paper`: files, publishing, and exit codes of the check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from paper.content import Kind
from pipeline.commands.paper import command
from pipeline.exit_codes import FAILED, OK
from tests.support.commands import parsed
from tests.support.configuration import written
from tests.support.papers import FULL


def paper(*words: str) -> int:
    return command.run(parsed(command, *words))


@pytest.mark.parametrize("kind", Kind)
def test_paper_is_written_to_the_named_file(tmp_path: Path, kind: Kind) -> None:
    config, out = written(tmp_path, FULL), tmp_path / "out.html"
    assert paper(kind, "--config", str(config), "--language", "en", "-o", str(out)) == OK
    assert "Mäkelän Sali Oy" in out.read_text() or kind is Kind.RETENTION


def test_pdf_is_made_when_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "sign.pdf"
    assert paper("sign", "--config", str(written(tmp_path, FULL)), "--pdf", "-o", str(out)) == OK
    assert out.read_bytes().startswith(b"%PDF-")


def test_check_fails_before_publishing_passes_after_and_fails_on_a_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--config", str(written(tmp_path, FULL)))
    assert paper("check", *place) == FAILED
    assert "No paper was published yet" in capsys.readouterr().out
    assert paper("publish", *place) == OK
    assert paper("check", *place) == OK
    assert "10 published papers say what the configuration does" in capsys.readouterr().out
    written(tmp_path, FULL.replace("retention_h = 100", "retention_h = 90"))
    assert paper("check", *place) == FAILED
    said = capsys.readouterr().out
    assert "notice (en), section footage (Retention of recordings):" in said
    assert "- Weights | 100 hours | within 101 hours" in said and "+ Weights | 90 hours | within 91 hours" in said


def test_check_for_scripts_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ("--config", str(written(tmp_path, FULL)), "--json")
    paper("publish", *place)
    published = json.loads(capsys.readouterr().out)
    assert len(published["papers"]) == 10 and all(len(one["sha256"]) == 64 for one in published["papers"])
    written(tmp_path, FULL.replace("audio = true", "audio = false"))
    assert paper("check", *place) == FAILED
    said = json.loads(capsys.readouterr().out)
    assert {"sign", "notice", "record", "balancing"} == {one["paper"] for one in said["differences"]}
    assert not said["ok"]
