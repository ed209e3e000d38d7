"""What was exposed, of which members, and who looked: for the report of a breach (GDPR 33, 34)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from paper.content import Blank, Block, Items, Labelled, Paper, Paragraph, Section, Table
from paper.exposed import Exposure, How
from paper.language import Language, Tell, teller

KIND: Final = "breach"
ROWS_MAX: Final = 1000
_HOW: Final = {
    How.FOOTAGE: ("looked at footage", "katsoi tallennetta"),
    How.EXPORT: ("export", "luovutus"),
    How.SEARCH: ("searched members or events", "haki jäseniä tai tapahtumia"),
    How.RECORDS: ("read records", "luki tietoja"),
}


def paper(exposure: Exposure, language: Language) -> Paper:
    """Counts first, then people, members, cameras, and each entry."""
    t = teller(language)
    return Paper(
        kind=KIND,
        language=language,
        title=t(f"What was exposed: {exposure.controller}", f"Mitä paljastui: {exposure.controller}"),
        sections=(
            _summary(exposure, t),
            _people(exposure, t),
            _members(exposure, t),
            _cameras(exposure, t),
            _list(exposure, t),
            _limits(exposure, t),
            _report(t),
        ),
    )


def _summary(exposure: Exposure, t: Tell) -> Section:
    counts = Counter(look.how for look in exposure.looks)
    cameras = {camera for look in exposure.looks for camera in look.cameras}
    rows = [(t(*_HOW[how]), str(counts[how])) for how in How]
    rows += [
        (t("people who looked", "katsoneita henkilöitä"), str(len({look.person for look in exposure.looks}))),
        (t("members concerned", "jäseniä, joita asia koskee"), str(len(exposure.members))),
        (t("cameras", "kameroita"), str(len(cameras))),
    ]
    blocks: list[Block] = [
        Labelled(t("Between", "Aikaväli"), f"{exposure.start} – {exposure.end}"),
        Labelled(t("Person", "Henkilö"), exposure.person or t("all", "kaikki")),
        Table(t("Counts", "Lukumäärät"), (t("What", "Mitä"), t("How many", "Montako")), tuple(rows)),
    ]
    if exposure.whole_register:
        blocks.append(
            Paragraph(
                t(
                    "The whole register of members was exported in this time: every member is concerned.",
                    "Koko jäsenrekisteri vietiin tällä aikavälillä: asia koskee jokaista jäsentä.",
                )
            )
        )
    return Section(key="summary", title=t("Summary", "Yhteenveto"), blocks=tuple(blocks))


def _people(exposure: Exposure, t: Tell) -> Section:
    counts = Counter((look.person, look.how) for look in exposure.looks)
    people = dict.fromkeys(look.person for look in exposure.looks)
    head = (t("Person", "Henkilö"), *(t(*_HOW[how]) for how in How), t("First", "Ensin"), t("Last", "Viimeksi"))
    rows = []
    for person in people:
        times = [look.at for look in exposure.looks if look.person == person]
        rows.append((person, *(str(counts[person, how]) for how in How), times[0], times[-1]))
    return Section(
        key="people", title=t("Who looked", "Kuka katsoi"), blocks=_table(t, head, rows, t("People", "Henkilöt"))
    )


def _members(exposure: Exposure, t: Tell) -> Section:
    head = (
        t("Number", "Numero"),
        t("Name", "Nimi"),
        t("Named in entries", "Mainittu merkinnöissä"),
        t("Credential at a door on footage that was seen", "Tunniste ovella katsotussa tallenteessa"),
    )
    rows = [
        (
            member.number,
            member.name or t("identity erased", "tiedot poistettu"),
            str(member.named),
            ", ".join(member.cameras) or "–",
        )
        for member in exposure.members
    ]
    return Section(
        key="members", title=t("Of whose data", "Kenen tietoja"), blocks=_table(t, head, rows, t("Members", "Jäsenet"))
    )


def _cameras(exposure: Exposure, t: Tell) -> Section:
    looks = [look for look in exposure.looks if look.footage]
    counts = Counter((camera, look.how) for look in looks for camera in look.cameras)
    names = sorted({camera for camera, _ in counts})
    head = (t("Camera", "Kamera"), t("Looks", "Katselut"), t("Exports", "Luovutukset"))
    rows = [(name, str(counts[name, How.FOOTAGE]), str(counts[name, How.EXPORT])) for name in names]
    title = t("Which cameras", "Mitkä kamerat")
    return Section(key="cameras", title=title, blocks=_table(t, head, rows, t("Cameras", "Kamerat")))


def _list(exposure: Exposure, t: Tell) -> Section:
    head = (
        t("When", "Milloin"),
        t("Who", "Kuka"),
        t("What", "Mitä"),
        t("Stated purpose", "Ilmoitettu syy"),
        t("Cameras", "Kamerat"),
        t("Footage of", "Tallenne ajalta"),
        t("Members named", "Jäseniä"),
    )
    rows = [
        (
            look.at,
            look.person,
            f"{t(*_HOW[look.how])} ({look.action})",
            look.purpose or "–",
            ", ".join(look.cameras) or "–",
            look.footage or "–",
            str(look.members),
        )
        for look in exposure.looks[:ROWS_MAX]
    ]
    blocks = _table(t, head, rows, t("Entries", "Merkinnät"))
    if (more := len(exposure.looks) - ROWS_MAX) > 0:
        said = t(f"{more} more entries: with --json.", f"Lisäksi {more} merkintää: valitsimella --json.")
        blocks = (*blocks, Paragraph(said))
    return Section(key="list", title=t("Each entry", "Jokainen merkintä"), blocks=blocks)


def _limits(exposure: Exposure, t: Tell) -> Section:
    events = exposure.events_since or t("none is kept", "ei yhtään")
    entries = exposure.entries_since or t("it is empty", "se on tyhjä")
    return Section(
        key="limits",
        title=t("What this cannot say", "Mitä tästä ei näe"),
        blocks=(
            Items(
                (
                    t(
                        "A member is listed when their credential was used at a door that the camera saw. It does not "
                        "say who is in the picture: others who were there are in no list.",
                        "Jäsen on luettelossa, kun hänen tunnistettaan käytettiin ovella, jonka kamera näki. Se ei "
                        "kerro, kuka kuvassa on: muut paikalla olleet eivät ole missään luettelossa.",
                    ),
                    t(f"Door events are kept since: {events}.", f"Ovitapahtumia on säilytetty alkaen: {events}."),
                    t(f"The audit trail begins: {entries}.", f"Tapahtumaketju alkaa: {entries}."),
                    t(
                        "What was taken past the program, from a stolen disk or key, leaves no entry. SECURITY.md says "
                        "what each stolen thing opens.",
                        "Ohjelman ohi otettu, esimerkiksi varastettu levy tai avain, ei jätä merkintää. SECURITY.md "
                        "kertoo, mitä mikin avaa.",
                    ),
                )
            ),
        ),
    )


def _report(t: Tell) -> Section:
    asked = (
        t("What happened, and how it was noticed", "Mitä tapahtui ja miten se havaittiin"),
        t("Likely consequences for those concerned", "Todennäköiset seuraukset rekisteröidyille"),
        t("Measures taken and planned", "Toteutetut ja suunnitellut toimet"),
        t(
            "Reported to the authority (within 72 hours of noticing), to those concerned: when, or why not",
            "Ilmoitettu viranomaiselle (72 tunnin kuluessa havaitsemisesta) ja rekisteröidyille: milloin, tai miksi ei",
        ),
    )
    title = t("For the report: what only the controller can say", "Ilmoitukseen: minkä vain rekisterinpitäjä tietää")
    return Section(key="report", title=title, blocks=tuple(map(Blank, asked)))


def _table(t: Tell, head: tuple[str, ...], rows: Sequence[tuple[str, ...]], caption: str) -> tuple[Block, ...]:
    if not rows:
        return (Paragraph(t("None in this time.", "Ei yhtään tällä aikavälillä.")),)
    return (Table(caption, head, tuple(rows)),)
