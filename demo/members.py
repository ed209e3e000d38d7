"""Simulated members: plausible, the same for the same seed, and none of them real."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.errors import DemoMisuseError
from domain.time import from_iso

HEADER: Final = ("number", "name", "credential", "valid_from", "valid_to", "minor")
COUNT: Final = 200

_FIRST: Final = """
Aino Akseli Aleksi Anna Antti Eero Eeva Elina Emilia Emma Eveliina Hanna Heikki Helmi Ilona Janne Jari Johanna Juha
Kaisa Katja Kirsi Laura Lauri Leena Matias Mika Mikko Minna Niko Noora Olivia Onni Oskari Otto Outi Pekka Petri
Päivi Riikka Saara Sami Sofia Tarja Timo Tuomas Veera Ville Väinö Zahra Amina Ahmed Chen Daria Diego Fatima Giulia
Hugo Ingrid Ivan Jamal Klara Linh Lucas Mariam Mei Nadia Olena Priya Rafael Sven Tariq Yusuf Zofia
"""
_LAST: Final = """
Aalto Ahonen Anttila Hakala Heikkinen Heinonen Hiltunen Hämäläinen Jokinen Järvinen Kallio Karjalainen Kinnunen
Koivisto Korhonen Koskinen Laakso Laaksonen Lahtinen Laine Laitinen Lehtinen Lehtonen Leppänen Lindqvist Mattila
Miettinen Mäkelä Mäkinen Nieminen Niemi Ojala Pitkänen Rantanen Räsänen Saarinen Salminen Salo Salonen Savolainen
Toivonen Tuominen Turunen Virtanen Ahmadi Andersson Bianchi Dubois Fernandez Haddad Hassan Ivanova Jansen Kowalska
Li Mohamed Müller Nguyen Nowak Okafor Petrov Rossi Sharma Silva Wang Yilmaz
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    number: str  # the gym's customer number
    name: str
    credential: str  # of the card, upper-case hexadecimal
    valid_from: str  # RFC 3339 with an offset
    valid_to: str  # the same, or empty
    minor: bool


def members(count: int = COUNT, seed: int = 1) -> list[Member]:
    """``count`` members, no two with one name, number or credential."""
    chance = random.Random(seed)
    names = [f"{first} {last}" for first in _FIRST.split() for last in _LAST.split()]
    cards = chance.sample(range(1 << 48), count)
    return [
        Member(
            number=str(100_001 + place),
            name=name,
            credential=f"04{cards[place]:012X}",
            valid_from=_midnight(chance, 2021, 2024),
            valid_to=_midnight(chance, 2025, 2025) if chance.random() < 0.05 else "",
            minor=chance.random() < 0.06,
        )
        for place, name in enumerate(chance.sample(names, count))
    ]


def write_members_csv(path: Path, *, count: int = COUNT, seed: int = 1) -> None:
    """The list as a gym's office would export it: UTF-8, comma-separated, one header line."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(HEADER)
        for one in members(count, seed):
            minor = "yes" if one.minor else "no"
            lines.writerow((one.number, one.name, one.credential, one.valid_from, one.valid_to, minor))


def read_credentials(path: Path, now_ns: int) -> tuple[list[str], list[str]]:
    """Return (in force, expired), in file order. DemoMisuseError: the file is missing or empty."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        ended = {row["credential"] for row in rows if row["valid_to"] and from_iso(row["valid_to"]) <= now_ns}
    except (OSError, KeyError, ValueError) as error:
        raise DemoMisuseError(f"The members' list {path} cannot be read.", "demo.members writes one.") from error
    valid = [row["credential"] for row in rows if row["credential"] not in ended]
    if not valid:
        raise DemoMisuseError(f"The members' list {path} is empty.", "demo.members writes one.")
    return valid, [row["credential"] for row in rows if row["credential"] in ended]


def _midnight(chance: random.Random, first_year: int, last_year: int) -> str:
    """Some day's beginning in Finland, in winter time all year round."""
    year, month, day = chance.randint(first_year, last_year), chance.randint(1, 12), chance.randint(1, 28)
    return f"{year}-{month:02d}-{day:02d}T00:00:00+02:00"
