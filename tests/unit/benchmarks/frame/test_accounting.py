"""The frame: accounts that add up, doubts that are raised, results that fit their schema."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from typing import Any

import jsonschema_rs
import pytest

from benchmarks.frame.accounting import Accounts, Usage, between
from benchmarks.frame.process import ChildError, child
from benchmarks.frame.repeat import combined
from benchmarks.frame.result import SCHEMA, document, rounded
from benchmarks.frame.trust import Doubt, doubts
from benchmarks.report.headline import table

_BURN = "import time\nend=time.process_time()+{}\nwhile time.process_time()<end: pass\ninput()"


def _usage(**changed: float) -> Usage:
    fields = {"elapsed_s": 10.0, "machine_cpu_s": 9.0, "softirq_cpu_s": 0.1, "other_cpu_s": 1.0, "clock_step_s": 0.001}
    return Usage(cpu_s={"load": 5.0, "ours": 3.0}, **{**fields, **changed})


def test_accounts_of_a_busy_child_see_its_cpu_and_that_of_its_ended_children() -> None:
    script = (
        f"import subprocess,sys\nsubprocess.run([sys.executable,'-c',{_BURN.format(0.2).removesuffix('input()')!r}])\n"
    )
    burner = subprocess.Popen([sys.executable, "-c", script + _BURN.format(0.3)], stdin=subprocess.PIPE)
    accounts = Accounts({"burner": [burner.pid], "none": []})
    first = accounts.read()
    deadline = time.monotonic() + 20
    while (used := between(first, accounts.read()).cpu_s["burner"]) < 0.45 and time.monotonic() < deadline:
        time.sleep(0.05)
    burner.communicate(b"\n")
    assert used == pytest.approx(0.5, abs=0.15)


def test_accounts_memory_counts_what_a_process_holds() -> None:
    holding = Accounts({"self": [os.getpid()]})
    before = holding.memory_bytes()["self"]
    ballast = bytearray(os.urandom(1 << 20) * 40)
    assert holding.memory_bytes()["self"] - before > 35 << 20
    del ballast


def test_doubts_of_a_quiet_run_are_none() -> None:
    assert doubts(_usage(), cores=2, generator="load") == []


@pytest.mark.parametrize(
    ("changed", "late_ms", "code"),
    [
        ({"other_cpu_s": 5.0}, 0.0, "machine_loaded"),
        ({"elapsed_s": 5.5}, 0.0, "generator_saturated"),
        ({}, 500.0, "generator_late"),
        ({"clock_step_s": 0.2}, 0.0, "clock_stepped"),
        ({"elapsed_s": 1.0}, 0.0, "too_short"),
    ],
)
def test_doubts_of_a_disturbed_run_name_the_disturbance(changed: dict[str, float], late_ms: float, code: str) -> None:
    found = doubts(_usage(**changed), cores=2, generator="load", generator_late_ms=late_ms)
    assert code in [doubt.code for doubt in found]


def test_doubts_are_raised_by_real_load_a_real_busy_generator_and_a_clock_that_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The disturbance itself, not figures of it: busy processes, once taken for strangers, once for the generator."""
    endless = "while True: pass"
    burners = [subprocess.Popen([sys.executable, "-c", endless]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        foreign, generator = Accounts({}), Accounts({"load": [one.pid for one in burners]})
        before = foreign.read(), generator.read()
        time.sleep(1.0)
        loaded, busy = between(before[0], foreign.read()), between(before[1], generator.read())
        real = time.time
        monkeypatch.setattr("benchmarks.frame.accounting.time.time", lambda: real() + 0.2)
        stepped = between(before[0], foreign.read())
    finally:
        for one in burners:
            one.kill()
            one.wait()
    cores = os.cpu_count() or 1

    def codes(usage: Usage, generator: str | None = None) -> set[str]:
        return {doubt.code for doubt in doubts(usage, cores=cores, generator=generator, shortest_s=0.1)}

    assert "machine_loaded" in codes(loaded)
    assert "clock_stepped" not in codes(loaded)
    # On a machine that others use, too, it may not get its core: then that is what is said.
    assert codes(busy, "load") & {"generator_saturated", "machine_loaded"}
    assert "clock_stepped" in codes(stepped)


def test_document_fits_the_schema_and_a_broken_one_does_not() -> None:
    result = document(
        "ingest",
        parameters={"cameras": 1},
        headline={"cpu_ms_per_camera_s": 0.5},
        cases=[{"name": "ours"}],
        doubts=[Doubt(code="too_short", detail="x")],
        missing={},
    )
    jsonschema_rs.validate(SCHEMA, result)
    assert not result["trusted"]
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(SCHEMA, {**result, "cases": [{}]})


def test_rounded_cuts_floats_everywhere_and_leaves_integers() -> None:
    assert rounded({"a": [1.23456789, {"b": 123456}]}) == {"a": [1.235, {"b": 123456}]}


def test_child_that_ends_early_is_an_error_that_names_it() -> None:
    with pytest.raises(ChildError, match="sink"), child("sink", "benchmarks.no_such_module", [], core=None) as sink:
        sink.wait_for("ready", 20)


def test_null_sink_counts_what_is_put() -> None:
    with child("sink", "benchmarks.floors.null_sink", [], core=None, parameters={}) as sink:
        port = sink.wait_for("ready", 20)["port"]
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for body in (b"x" * 3_000_000, b"", b"y" * 10):
            connection.request("PUT", "/bucket/object", body)
            assert connection.getresponse().read() == b""
        connection.request("HEAD", "/bucket/object")
        assert connection.getresponse().headers["Content-Length"] == "10"
        connection.close()
        assert sink.report() == {"puts": 3, "bytes": 3_000_010}


def _run(ratio: float, cost: float, *raised: Doubt) -> dict[str, Any]:
    return document(
        "ingest",
        parameters={"cameras": 2},
        headline={"cpu_ratio_vs_ffmpeg": ratio, "frames_lost": 0, "machine_note": "x"},
        cases=[{"name": "ours", "cameras": 2, "cpu_ms": cost}, {"name": "ours", "cameras": 9, "cpu_ms": cost * 9}],
        doubts=raised,
        missing={},
    )


def test_several_runs_are_told_by_their_medians_and_how_far_they_lie_apart() -> None:
    busy = Doubt(code="machine_loaded", detail="half of it")
    found = combined([_run(2.0, 1.0), _run(9.0, 7.0, busy), _run(3.0, 2.0)])
    jsonschema_rs.validate(SCHEMA, found)
    assert (found["runs"], found["cpu_ratio_vs_ffmpeg"], found["frames_lost"]) == (3, 3.0, 0)
    assert found["spread"] == {"cpu_ratio_vs_ffmpeg": [2.0, 9.0], "frames_lost": [0, 0]}
    assert [case["cpu_ms"] for case in found["cases"]] == [2.0, 18.0]
    assert not found["trusted"]
    assert found["doubts"] == [{"code": "machine_loaded", "detail": "run 2: half of it"}]
    assert "cpu_ratio_vs_ffmpeg 2 to 9" in table(found)


def test_one_run_is_told_as_it_is() -> None:
    one = _run(2.0, 1.0)
    assert combined([one]) == one
    assert "runs" not in one
