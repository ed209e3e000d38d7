"""The null sink counts what is put."""

from __future__ import annotations

import http.client

from benchmarks.frame.process import child


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
