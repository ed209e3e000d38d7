"""`tallenne audit`: what it says of a chain that holds, of one that was cut, and of a place that lost heads."""

from __future__ import annotations

import argparse
import json
import os
import uuid
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import pytest

from pipeline.commands.checks import audit
from pipeline.exit_codes import FAILED, OK
from runtime.settings import StoreSettings
from storage.store import open_store
from tests.conftest import Database
from tests.support.footage.custodian import custodian, custodian_settings, until

pytestmark = [pytest.mark.services, pytest.mark.trust]


async def heads_in(store: StoreSettings) -> bool:
    async with open_store(store) as bucket:
        return bool([info async for info in bucket.list("heads/")])


async def test_verify_says_which_entries_and_which_place_and_restore_mends_the_place(
    owner: asyncpg.Connection,
    database: Database,
    tmp_path: Path,
    store: StoreSettings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = custodian_settings(database.custodian, tmp_path, store=store, operator_uids=(os.geteuid(),))
    here = SimpleNamespace(
        custodian_socket=settings.socket,
        audit_heads=settings.audit_heads,
        store=lambda: store,
        database=lambda _role: database.serve,
    )
    monkeypatch.setattr(audit, "settings_of", lambda _arguments: here)

    async def run(action: str, *options: str) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        audit.add(parser)
        arguments = parser.parse_args([action, *options])
        code: int = await arguments.audit(arguments)
        return code, capsys.readouterr().out

    async with open_store(store) as bucket:
        await bucket.ensure_bucket()
    async with custodian(settings) as client:
        for number in range(4):
            await client.enrol(uuid.uuid4(), f"recorder {number}", os.urandom(32))  # type: ignore[arg-type]
        await until(lambda: heads_in(store))  # the bucket follows the file within a second
        code, said = await run("verify")
        assert (code, said.startswith("The audit chain holds: 4 entries; signed heads: ")) == (OK, True), said
        assert "in the object store's bucket" in said
        settings.audit_heads.write_bytes(b"")
        code, said = await run("verify")
        assert code == FAILED
        assert f"- The file {settings.audit_heads} holds no signed head" in said
        code, said = await run("restore-heads")
        assert (code, said.startswith("Copied ")) == (OK, True)
        await owner.execute("DELETE FROM audit_entry WHERE seq IN (2, 5)")
        code, said = await run("verify", "--json")
        report = json.loads(said)
        assert (code, report["ok"]) == (FAILED, False)
        missing = [(one["first"], one["last"]) for one in report["findings"] if one["kind"] == "missing"]
        assert missing[0] == (2, 2)
