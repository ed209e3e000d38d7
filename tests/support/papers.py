"""A configuration of which every part says something else, and its facts, for the tests of papers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from paper.stated import Facts
from pipeline.config.load import load
from pipeline.paper.stated import facts_of
from tests.support.configuration import written

FULL: Final = """\
data = "data"

[controller]
name = "Mäkelän Sali Oy"
business_id = "7654321-0"
address = "Ylätie 1, 00100 Helsinki"
email = "tietosuoja@sali.example"
phone = "+358 9 1234"
data_protection_officer = "Öystein Åberg, dpo@sali.example"
notice_at = "https://sali.example/privacy"
authority = { fi = "Viranomainen A", en = "Authority A" }
if_refused = { fi = "Tiedot ovat edellytys.", en = "The data is required." }
recipient = [{ name = { fi = "Maksu Ab", en = "Pay Ltd" }, why = { fi = "maksut", en = "payments" } }]
transfer = [{ to = { fi = "Sveitsi", en = "Switzerland" }, safeguards = { fi = "päätös", en = "adequacy" } }]

[[controller.ground]]
data = "footage"
basis = "legitimate interests"
purpose = { fi = "turvallisuus", en = "safety" }
interest = { fi = "omaisuuden suoja", en = "protecting property" }

[[controller.ground]]
data = "members"
basis = "contract"
purpose = { fi = "jäsenyys", en = "membership" }

[[site]]
name = "Helsinki"

[[site.camera]]
name = "Entrance"
url = "rtsp://192.168.1.10/one"
zone = "hall"
purpose = { fi = "valvonta", en = "watching the door" }
assessment = "balancing 2026-1, DPIA 2026-2"

[[site.camera]]
name = "Weights"
url = "rtsp://192.168.1.11/one"
zone = "gym floor"
purpose = { fi = "tapaturmat", en = "accidents" }
assessment = "balancing 2026-3"
retention_h = 100
retention_reason = "two burglaries in a weekend"
audio = true
audio_reason = "calls for help"

[[site.door]]
name = "Main"
external_id = "main"
cameras = [{ name = "Entrance" }]

[retention]
events_d = 91
quarantine_d = 31
exports_d = 366
lookups_d = 731
member_history_d = 733
requests_d = 1094
sessions_d = 32
logs_d = 33
"""


def facts_in(folder: Path, text: str = FULL) -> Facts:
    """The facts of a configuration, read as a command reads it."""
    return facts_of(load(written(folder, text)))
