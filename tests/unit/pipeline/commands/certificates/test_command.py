"""`tallenne certificates`."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from pipeline.cli import main
from pipeline.exit_codes import MISUSE, OK


def test_a_folder_for_each_end_is_made_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "authority"
    assert main(["certificates", "custodian", str(folder), "custodian.example"]) == OK
    assert main(["certificates", "caller", str(folder), "recorder-1", "--days", "30"]) == OK
    assert f"{folder}/recorder-1: copy what is in it" in capsys.readouterr().out
    made = x509.load_pem_x509_certificate((folder / "recorder-1" / "certificate.pem").read_bytes())
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 31


@pytest.mark.parametrize("days", ["0", "3651"])
def test_days_out_of_range_are_refused(tmp_path: Path, days: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certificates", "caller", str(tmp_path / "a"), "x", "--days", days]) == MISUSE
    assert "Say 1 to 3650" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
