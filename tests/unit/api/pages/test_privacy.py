"""/privacy: the published notice for everyone, in either language, under the pages' strict policy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from api.http import problems
from api.http.provide import provide
from api.pages.privacy import router
from api.pages.settings import Pages
from pipeline.paper.record import all_papers, write_record
from tests.support.papers import facts_in


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app, nothing = FastAPI(), cast("Any", None)
    app.include_router(router)
    problems.install(app)
    folder = tmp_path / "papers"
    provide(app, Pages(records=nothing, default_language="fi", export_fingerprint="", papers_directory=folder))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://gym.test") as made:
        yield made


async def test_notice_is_shown_once_it_is_published(client: httpx.AsyncClient, tmp_path: Path) -> None:
    assert (await client.get("/privacy")).status_code == 404
    dates = {"fi": "1.12.2026", "en": "1 December 2026"}
    write_record(tmp_path / "papers", all_papers(facts_in(tmp_path)), "now", cast("Any", dates))
    answer, english = await client.get("/privacy"), await client.get("/privacy?lang=en")
    assert answer.status_code == 200 and '<html lang="fi">' in answer.text and "Mäkelän Sali Oy" in answer.text
    assert "<style" not in answer.text and "<script" not in answer.text and "style=" not in answer.text
    assert '<html lang="en">' in english.text and "1 December 2026" in english.text
    assert '<html lang="en">' in (await client.get("/privacy", headers={"Accept-Language": "en"})).text
    assert '<html lang="fi">' in (await client.get("/privacy?lang=../secret")).text
    assert "set-cookie" not in answer.headers


async def test_style_is_the_papers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/privacy.css")
    assert answer.headers["content-type"].startswith("text/css") and "@page" in answer.text


async def test_notice_that_cannot_be_read_is_none_and_in_the_log(
    client: httpx.AsyncClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "notice-fi.html").write_bytes(b"\xff\xfe")
    assert (await client.get("/privacy")).status_code == 404
    (folder / "notice-en.html").mkdir()
    assert (await client.get("/privacy?lang=en")).status_code == 404
    assert len([record for record in caplog.records if "published notice" in record.message]) == 2
