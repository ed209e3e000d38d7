"""What libav says reaches whoever reads from it, and nobody else."""

from __future__ import annotations

import threading

import av.logging
import pytest

from ingest.libav.source import _hear_libav, _lost_by


def test_messages_go_nowhere_but_to_their_reader(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    _hear_libav()
    with av.logging.Capture(local=True) as said:
        av.logging.log(av.logging.WARNING, "rtsp", "RTP: missed 3 packets\n")
        av.logging.log(av.logging.WARNING, "rtsp", "RTP: missed -65000 packets\n")
        elsewhere = threading.Thread(
            target=av.logging.log, args=(av.logging.ERROR, "rtsp", "rtsp://u:open sesame@10.0.0.2/ refused\n")
        )
        elsewhere.start()
        elsewhere.join()
        assert _lost_by(said) == 4  # what is missed is one at least, however it is counted
        assert _lost_by(said) == 0
    av.logging.log(av.logging.ERROR, "rtsp", "rtsp://u:open sesame@10.0.0.2/ refused\n")
    printed = capfd.readouterr()
    assert "sesame" not in caplog.text + printed.out + printed.err
