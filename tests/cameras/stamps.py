"""How cameras stamp their pictures: one entry for each behaviour that a report describes, or that is kin to one.

A model says how fast pictures come, how each is stamped (in seconds of its own), and what must come of it. To add a
report, add an entry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

HOURS: Final = 9_800.0
Fps = Callable[[float], float]  # by the seconds since the first picture
Stamp = Callable[[int, float], float]  # by a picture's number and when it was taken


@dataclass(frozen=True)
class Model:
    """settled_s: from then on every picture has its time; unsettled: spans in which it need not
    jumps: how often its clock is set; timed_by: what its times come from at the end
    """

    fps: Fps = lambda _: 25.0
    stamp: Stamp = lambda _, at: at
    jumps: int = 0
    timed_by: str = "stamps"
    settled_s: float = 10.0
    unsettled: tuple[tuple[float, float], ...] = ()
    seconds: float = 60.0


def night(day: float, dark: float) -> Fps:
    return lambda at: dark if 20 <= at < 40 else day


AT_NIGHT: Final = ((20.0, 28.0), (40.0, 48.0))


def steady(fps: float) -> Fps:
    return lambda _: fps


def odd(every: int, away_s: float) -> Stamp:
    return lambda number, at: at + away_s * (number % every == every // 2)


def jump(at_s: float, by_s: float) -> Stamp:
    return lambda _, at: at + by_s * (at >= at_s)


def nominal(fps: float) -> Stamp:
    """Every picture one frame after the last, however long it took."""
    return lambda number, _: number / fps


def b_frames(number: int) -> float:
    """From when a picture is sent to when it is shown: two B-frames behind each picture that they refer to."""
    return 0.0 if number == 0 else 0.08 if number % 3 == 1 else -0.04


MODELS: Final[dict[str, Model]] = {
    "as it should be": Model(),
    "all stamps the same (moonfire-nvr 300)": Model(stamp=lambda *_: 0.0, timed_by="arrival"),
    "two pictures with each stamp (fields)": Model(stamp=lambda number, at: (number // 2) / 12.5),
    "counts milliseconds": Model(stamp=lambda _, at: at / 90, timed_by="arrival"),
    "counts at 10 kHz": Model(stamp=lambda _, at: at / 9, timed_by="arrival", settled_s=15),
    "counts at 30 kHz, but says 90 (bluecherry 14)": Model(stamp=lambda _, at: at / 3),
    "counts at 1 MHz": Model(stamp=lambda _, at: at * 100 / 9, timed_by="arrival", settled_s=15),
    "stamped 25, sends 21 (open-nvr 229)": Model(steady(21), nominal(25)),
    "stamped 25, sends 30": Model(steady(30), nominal(25)),
    "stamped 25, sends 8": Model(steady(8), nominal(25)),
    "stamped 10, sends 30": Model(steady(30), nominal(10)),
    "stamped 30, sends 15 (lightNVR 608)": Model(steady(15), nominal(30)),
    "halves its rate at night, stamped rightly": Model(night(25, 12)),
    "halves its rate at night, stamps do not say (docker-wyze-bridge 749)": Model(
        night(25, 12), nominal(25), unsettled=AT_NIGHT
    ),
    "10 a second at night, stamps do not say": Model(night(30, 10), nominal(30), unsettled=AT_NIGHT),
    "sends one a second, stamps three times as fast": Model(steady(1), lambda _, at: at * 3, settled_s=20),
    "5 % fast for a while": Model(stamp=lambda _, at: at + 0.05 * max(0.0, min(at - 20, 20)), unsettled=AT_NIGHT),
    "drifts 2 % fast": Model(stamp=lambda _, at: at * 1.02),
    "drifts 2 % slowly": Model(stamp=lambda _, at: at * 0.98),
    "drifts 500 ppm": Model(stamp=lambda _, at: at * 1.0005),
    "one in fifty hours back (mediamtx 6255)": Model(stamp=odd(50, -HOURS)),
    "one in fifty hours ahead": Model(stamp=odd(50, HOURS)),
    "one in twenty two seconds back": Model(stamp=odd(20, -2.0)),
    "one in twenty a second ahead": Model(stamp=odd(20, 1.0)),
    "clock set hours ahead": Model(stamp=jump(30, HOURS), jumps=1),
    "clock set hours back": Model(stamp=jump(30, -HOURS), jumps=1),
    "clock set 3 s ahead": Model(stamp=jump(30, 3.0), jumps=1),
    "clock set 3 s back": Model(stamp=jump(30, -3.0), jumps=1),
    "clock set 0.2 s back": Model(stamp=jump(30, -0.2), jumps=1),
    "set by NTP every ten seconds": Model(stamp=lambda _, at: at - at // 10 * 0.5, jumps=5),
    "stamps stop in mid-session": Model(
        stamp=lambda _, at: min(at, 20.0), timed_by="arrival", unsettled=((20.0, 22.0),)
    ),
    "stamps begin in mid-session": Model(stamp=lambda _, at: max(at, 20.0), unsettled=((20.0, 26.0),), jumps=1),
    "random stamps": Model(stamp=lambda number, _: number * 7919 % 10_007 * 3.7, timed_by="arrival", jumps=-1),
    "five a second": Model(steady(5)),
    "one a second": Model(steady(1)),
    "a picture every 12 s": Model(steady(1 / 12), seconds=240, settled_s=40),
    "sixty a second": Model(steady(60)),
}
"""``jumps`` -1: any number."""
