"""The retention table: for how long footage and each kind of record is kept, at the latest."""

from __future__ import annotations

from typing import Final

from paper.content import Kind, Paper, Paragraph, Section, Table
from paper.kinds.parts import place
from paper.language import Language, days, hours, teller, within
from paper.stated import Facts

RECORDS: Final[dict[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    "events_d": (
        ("Door events, their links to footage, and visits", "Ovitapahtumat, niiden linkit tallenteisiin ja käynnit"),
        (
            "a link also ends with its footage; visits are derived from events",
            "linkki päättyy viimeistään tallenteensa kanssa; käynnit johdetaan tapahtumista",
        ),
    ),
    "quarantine_d": (
        ("Door messages that were not understood", "Ovien viestit, joita ei ymmärretty"),
        ("sealed", "salattuina"),
    ),
    "exports_d": (
        ("Exports: what was handed out, to which person and why", "Luovutetut tallenteet: mitä, kenelle ja miksi"),
        ("an export of a case ends with the case", "tapaukseen liitetty luovutus päättyy tapauksen kanssa"),
    ),
    "lookups_d": (
        ("Reasons that staff gave for looking", "Syyt, jotka henkilökunta on kirjannut katsomiselle"),
        ("members may ask for them", "jäsen voi pyytää ne nähtäväkseen"),
    ),
    "member_history_d": (
        ("Earlier values of the members' register", "Jäsenrekisterin aiemmat tiedot"),
        ("with who changed them", "muuttajineen"),
    ),
    "requests_d": (
        (
            "Members' requests with their answers, and who received members' data",
            "Jäsenten pyynnöt vastauksineen sekä mitä on luovutettu kenelle",
        ),
        ("complaints come within years", "valituksia voi tulla vuosien ajan"),
    ),
    "sessions_d": (
        ("Sign-ins of staff", "Henkilökunnan kirjautumiset"),
        ("longer where something was looked at: with its reason", "pidempään, jos jotain katsottiin: syyn kanssa"),
    ),
    "logs_d": (("Technical logs", "Tekniset lokit"), ("hold no personal data", "eivät sisällä henkilötietoja")),
}
"""By the keeper's name of the period: what it is, and what else there is to know."""


def paper(facts: Facts, language: Language) -> Paper:
    """The whole table."""
    t = teller(language)
    return Paper(
        kind=Kind.RETENTION,
        language=language,
        title=t(f"Retention periods of {facts.controller.name}", f"Säilytysajat: {facts.controller.name}"),
        sections=(footage_section(facts, language), records_section(facts, language), exceptions(language)),
    )


def footage_section(facts: Facts, language: Language) -> Section:
    """A row for each camera, with the true bound."""
    t = teller(language)
    rows = tuple(
        (
            place(facts, camera),
            hours(camera.retention_h, language),
            within(camera.bound_h, "h", language),
            camera.retention_reason or "–",
        )
        for camera in facts.cameras
    )
    head = (
        t("Camera", "Kamera"),
        t("Retention", "Säilytysaika"),
        t("Deleted at the latest", "Poistettu viimeistään"),
        t("Reason for more than 72 hours", "Peruste yli 72 tunnille"),
    )
    caption = t("Recordings by camera", "Tallenteet kameroittain")
    said = t(
        "Recordings are deleted automatically: the keys that open them are destroyed, also for every backup.",
        "Tallenteet poistuvat automaattisesti: niiden avaimet hävitetään, eikä varmuuskopiokaan enää avaa niitä.",
    )
    return Section(
        key="footage",
        title=t("Retention of recordings", "Tallenteiden säilytysajat"),
        blocks=(Table(caption, head, rows), Paragraph(said)),
    )


def records_section(facts: Facts, language: Language) -> Section:
    """A row for each kind of record."""
    t = teller(language)
    rows = [
        (t(*RECORDS[name][0]), days(count, language), t(*RECORDS[name][1])) for name, count in facts.periods_d.items()
    ]
    rows.append(
        (
            t("Orders to erase footage early", "Määräykset poistaa tallenne ennenaikaisesti"),
            days(facts.erasures_d, language),
            t("once carried out or refused", "kun ne on toteutettu tai hylätty"),
        )
    )
    if facts.backups_d is not None:
        rows.append(
            (
                t("Backups of records", "Varmuuskopiot tiedoista"),
                days(facts.backups_d, language),
                t("sealed; hold no key of any recording", "salattuja; eivät sisällä tallenteiden avaimia"),
            )
        )
    rows += _without_period(language)
    head = (t("Record", "Tieto"), t("Kept for", "Säilytetään"), t("Note", "Huomautus"))
    caption = t("Other records", "Muut tiedot")
    return Section(
        key="records",
        title=t("Retention of other records", "Muiden tietojen säilytysajat"),
        blocks=(Table(caption, head, tuple(rows)),),
    )


def _without_period(language: Language) -> list[tuple[str, str, str]]:
    t = teller(language)
    return [
        (
            t("Notes on moments of footage (bookmarks)", "Tallenteen hetkiin liitetyt muistiinpanot (kirjanmerkit)"),
            t("as long as that footage", "yhtä kauan kuin tallenne"),
            t("end with it", "päättyvät sen kanssa"),
        ),
        (
            t("The register of members: what it says now", "Jäsenrekisteri: voimassa olevat tiedot"),
            t("as long as the controller keeps the member", "niin kauan kuin rekisterinpitäjä säilyttää jäsenen"),
            t("no period of its own", "ei omaa määräaikaa"),
        ),
        (
            t("Audit chain: who did what, when", "Tapahtumaketju: kuka teki mitä ja milloin"),
            t("is not cut", "ei lyhennetä"),
            t("holds ids and times only", "sisältää vain tunnisteita ja aikoja"),
        ),
    ]


def exceptions(language: Language) -> Section:
    """When footage ends later or earlier than its period."""
    t = teller(language)
    return Section(
        key="exceptions",
        title=t("Longer and shorter", "Poikkeukset"),
        blocks=(
            Paragraph(
                t(
                    "Footage that a case needs is kept past its retention, for a stated reason and until a stated "
                    "review; two people end a case, and what only the case kept is destroyed at once.",
                    "Tapauksen selvittämiseen tarvittava tallenne säilytetään säilytysajan yli kirjatusta syystä ja "
                    "kirjattuun tarkistuspäivään asti; tapauksen päättää kaksi henkilöä, ja vain sen vuoksi säilytetty "
                    "tallenne tuhotaan heti.",
                )
            ),
            Paragraph(
                t(
                    "Footage is erased early when one person orders it and another approves it. Clips that were "
                    "handed out are no longer in this system's reach.",
                    "Tallenne poistetaan ennenaikaisesti, kun yksi henkilö määrää ja toinen hyväksyy sen. Luovutetut "
                    "tallenteet eivät ole enää tämän järjestelmän ulottuvilla.",
                )
            ),
        ),
    )
