"""Late uploads rest for a quarter of the time that they took."""

from __future__ import annotations

from ingest.recording.pace import Pace


def test_rest_follows_each_upload_and_adds_up() -> None:
    now = [100.0]
    pace = Pace(lambda: now[0])
    assert pace.wait_s() <= 0
    pace.took(4.0)
    assert pace.wait_s() == 1.0
    pace.took(4.0)
    assert pace.wait_s() == 2.0
    now[0] += 1.5
    assert pace.wait_s() == 0.5
    now[0] += 10.0
    pace.took(2.0)
    assert pace.wait_s() == 0.5
