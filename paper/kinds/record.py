"""The record of processing activities (GDPR 30(1))."""

from __future__ import annotations

from paper.content import Items, Kind, Paper, Section, Table
from paper.kinds import retention
from paper.kinds.parts import contact, grounds, officer, place, recipients, sound, transfers
from paper.language import Language, teller
from paper.stated import Facts


def paper(facts: Facts, language: Language) -> Paper:
    """In the order of the article's points (a) to (g)."""
    t = teller(language)
    return Paper(
        kind=Kind.RECORD,
        language=language,
        title=t(
            "Record of processing: camera surveillance and access control",
            "Seloste käsittelytoimista: kameravalvonta ja kulunvalvonta",
        ),
        sections=(
            Section(
                key="controller",
                title=t("(a) Controller", "a) Rekisterinpitäjä"),
                blocks=(contact(facts.controller, language), officer(facts.controller, language)),
            ),
            Section(
                key="purposes",
                title=t("(b) Purposes", "b) Tarkoitukset"),
                blocks=(grounds(facts, language), _cameras(facts, language)),
            ),
            _categories(language),
            Section(
                key="recipients",
                title=t("(d) Recipients", "d) Vastaanottajat"),
                blocks=recipients(facts, language),
            ),
            Section(
                key="transfers",
                title=t("(e) Transfers to third countries", "e) Siirrot kolmansiin maihin"),
                blocks=(transfers(facts, language),),
            ),
            _limits(facts, language),
            _measures(facts, language),
        ),
    )


def _cameras(facts: Facts, language: Language) -> Table:
    t = teller(language)
    head = (
        t("Camera", "Kamera"),
        t("Area", "Alue"),
        t("Purpose", "Tarkoitus"),
        t("Sound", "Ääni"),
        t("Balancing test and DPIA", "Tasapainotesti ja vaikutustenarviointi"),
    )
    rows = tuple(
        (place(facts, camera), camera.zone, camera.purpose.of(language), sound(camera, language), camera.assessment)
        for camera in facts.cameras
    )
    return Table(t("Cameras", "Kamerat"), head, rows)


def _categories(language: Language) -> Section:
    t = teller(language)
    head = (t("Persons", "Rekisteröidyt"), t("Data", "Tiedot"))
    rows = (
        (
            t("Members", "Jäsenet"),
            t(
                "number, name, birth date, contact, other information, membership, consents, opt-outs, requests; "
                "credentials; door events and visits; recordings",
                "numero, nimi, syntymäaika, yhteystiedot, muut tiedot, jäsenyys, suostumukset, kiellot, pyynnöt; "
                "kulkutunnisteet; ovitapahtumat ja käynnit; tallenteet",
            ),
        ),
        (t("Others who enter", "Muut sisään tulevat"), t("recordings", "tallenteet")),
        (
            t("Staff", "Henkilökunta"),
            t(
                "user name, name, rights, sign-ins; what they looked at, exported and changed, when and why",
                "käyttäjätunnus, nimi, oikeudet, kirjautumiset; mitä he katsoivat, luovuttivat ja muuttivat, milloin "
                "ja miksi",
            ),
        ),
    )
    return Section(
        key="categories",
        title=t("(c) Persons and data", "c) Rekisteröityjen ja tietojen ryhmät"),
        blocks=(Table(t("Categories of persons and data", "Ryhmät"), head, rows),),
    )


def _limits(facts: Facts, language: Language) -> Section:
    footage, records = retention.footage_section(facts, language), retention.records_section(facts, language)
    return Section(
        key="retention",
        title=teller(language)("(f) Time limits for erasure", "f) Poistamisen määräajat"),
        blocks=(*footage.blocks, *records.blocks),
    )


def _measures(facts: Facts, language: Language) -> Section:
    t = teller(language)
    items = [
        t(
            "Recordings are encrypted before they are stored; one process opens them, after the look is on record.",
            "Tallenteet salataan ennen tallentamista; vain yksi prosessi avaa ne, kun katselu on kirjattu.",
        ),
        t(
            "Staff sign in with a password and a second factor; rights are given site by site and camera by camera.",
            "Henkilökunta kirjautuu salasanalla ja toisella tavalla; oikeudet annetaan paikoittain ja kameroittain.",
        ),
        t(
            "Every look and change is in a chained audit trail whose signed heads are kept outside the database.",
            "Jokainen katselu ja muutos on ketjutetussa tapahtumaketjussa, jonka allekirjoitetut päät säilytetään "
            "tietokannan ulkopuolella.",
        ),
        t(
            "Exports and early erasures need a second person.",
            "Luovutus ja ennenaikainen poisto vaativat toisen henkilön.",
        ),
    ]
    if facts.backups_d is not None:
        items.append(
            t(
                "Records are backed up, sealed to a key on paper; restoring is tried automatically.",
                "Tiedot varmuuskopioidaan salattuina, avain on paperilla; palautusta kokeillaan automaattisesti.",
            )
        )
    if facts.replica:
        items.append(
            t("Sealed recordings are in a second place.", "Salatut tallenteet ovat myös toisessa paikassa."),
        )
    return Section(key="measures", title=t("(g) Security", "g) Turvatoimet"), blocks=(Items(tuple(items)),))
