"""Pictures to fragments and segments: 60 s of one camera at 4 Mbit/s, nothing sealed, nothing written."""

from __future__ import annotations

from benchmarks.load.film import FPS, film
from benchmarks.probes.cost import main
from demo.video.encoder import parameter_sets
from domain.time import NS
from ingest.access_unit import TICKS_PER_S, AccessUnit, VideoParameters
from ingest.media.fragments import FragmentWriter
from ingest.media.segmenter import Segmenter

_START_NS = 1_800_000_000 * NS

if __name__ == "__main__":
    coded = film(4_000_000, 4, size=(640, 360))
    sets = parameter_sets(coded[0].nals)
    assert sets is not None
    parameters = VideoParameters(codec="h264", sps=sets[0], pps=(sets[1],))
    units = [
        AccessUnit(
            data=b"".join(len(nal).to_bytes(4, "big") + nal for nal in coded[index % len(coded)].nals),
            pts_ticks=index * TICKS_PER_S // FPS,
            key=coded[index % len(coded)].key,
            mono_ns=0,
            parameters=parameters,
        )
        for index in range(60 * FPS)
    ]

    def work() -> None:
        """Make fragments and segments of the film, once."""
        writer, segmenter = FragmentWriter(), Segmenter(10.0, 30.0)
        for unit in units:
            if (fragment := writer.push(unit)) is not None:
                at, until = (
                    _START_NS + ticks * NS // TICKS_PER_S for ticks in (fragment.start_ticks, fragment.end_ticks)
                )
                segmenter.push(fragment, at, until)

    main(work, repeat=100)
