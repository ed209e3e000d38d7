"""The privacy notice (GDPR 13 and 14)."""

from __future__ import annotations

from paper.content import Items, Kind, Paper, Paragraph, Section, Table
from paper.kinds import retention
from paper.kinds.parts import contact, doors, grounds, officer, place, recipients, sound, transfers
from paper.kinds.rights import authority_section, rights_section
from paper.language import Language, teller
from paper.stated import Facts


def paper(facts: Facts, language: Language) -> Paper:
    """The notice, complete."""
    t = teller(language)
    return Paper(
        kind=Kind.NOTICE,
        language=language,
        title=t(
            "Privacy notice: camera surveillance and access control",
            "Tietosuojaseloste: kameravalvonta ja kulunvalvonta",
        ),
        sections=(
            _controller(facts, language),
            _purposes(facts, language),
            _cameras(facts, language),
            _register(facts, language),
            _linked(language),
            Section(
                key="recipients",
                title=t("Who receives data", "Tietojen vastaanottajat"),
                blocks=recipients(facts, language),
            ),
            Section(
                key="transfers",
                title=t("Transfers outside the EU and EEA", "Siirrot EU:n ja ETA:n ulkopuolelle"),
                blocks=(transfers(facts, language),),
            ),
            retention.footage_section(facts, language),
            retention.records_section(facts, language),
            retention.exceptions(language),
            _access(language),
            rights_section(facts, language),
            authority_section(facts, language),
        ),
    )


def _controller(facts: Facts, language: Language) -> Section:
    t = teller(language)
    return Section(
        key="controller",
        title=t("Controller", "Rekisterinpitäjä"),
        blocks=(
            contact(facts.controller, language),
            officer(facts.controller, language),
            Paragraph(
                t(
                    f"This notice is at {facts.controller.notice_at}.",
                    f"Tämä seloste on osoitteessa {facts.controller.notice_at}.",
                )
            ),
        ),
    )


def _purposes(facts: Facts, language: Language) -> Section:
    t = teller(language)
    return Section(
        key="purposes",
        title=t("Purposes and legal bases", "Käsittelyn tarkoitukset ja oikeusperusteet"),
        blocks=(
            grounds(facts, language),
            Paragraph(
                t(
                    "No decision is made automatically and no one is profiled. Pictures are not analysed.",
                    "Automaattisia päätöksiä ei tehdä eikä ketään profiloida. Kuvaa ei analysoida.",
                )
            ),
        ),
    )


def _cameras(facts: Facts, language: Language) -> Section:
    t = teller(language)
    head = (
        t("Camera", "Kamera"),
        t("What it sees", "Kuvattava alue"),
        t("Purpose", "Tarkoitus"),
        t("Sound", "Ääni"),
        t("Linked with the doors", "Yhdistetään oviin"),
    )
    rows = tuple(
        (
            place(facts, camera),
            camera.zone,
            camera.purpose.of(language),
            sound(camera, language),
            doors(camera, language),
        )
        for camera in facts.cameras
    )
    said = t(
        "Cameras record continuously, and named staff may also watch them live. Changing rooms, showers, saunas, "
        "toilets and staff rooms are never recorded.",
        "Kamerat tallentavat jatkuvasti, ja nimetty henkilökunta voi katsoa niitä myös suorana. Puku- ja pesutiloja, "
        "saunoja, käymälöitä ja henkilöstötiloja ei kuvata.",
    )
    return Section(
        key="cameras",
        title=t("What is recorded", "Mitä tallennetaan"),
        blocks=(Table(t("Cameras", "Kamerat"), head, rows), Paragraph(said)),
    )


def _register(facts: Facts, language: Language) -> Section:
    t = teller(language)
    names = ", ".join(name if len(facts.sites) == 1 else f"{site}: {name}" for site, name in facts.doors)
    items = [
        t(
            "Members, as far as given: customer number, name, birth date, e-mail, phone, address, other information, "
            "membership, consents, opt-outs from offers, and requests about their data",
            "Jäsenet, siltä osin kuin tiedot on annettu: asiakasnumero, nimi, syntymäaika, sähköposti, puhelin, "
            "osoite, muut tiedot, jäsenyys, suostumukset, tarjouskiellot sekä tietoja koskevat pyynnöt",
        ),
        t("Credentials: cards and codes that open doors", "Kulkutunnisteet: ovet avaavat kortit ja koodit"),
    ]
    if names:
        items.append(
            t(
                f"The access log: which credential opened which door, or was refused, and when ({names})",
                f"Kulunvalvontaloki: mikä tunniste avasi minkä oven tai hylättiin, ja milloin ({names})",
            )
        )
    items += [
        t(
            "Looks: which person of the staff looked at which member's events or which recording, when and why",
            "Katselut: kuka henkilökunnasta katsoi minkä jäsenen tapahtumia tai mitä tallennetta, milloin ja miksi",
        ),
        t(
            "Notes, cases and exports that concern a recording",
            "Tallenteisiin liittyvät muistiinpanot, tapaukset ja luovutukset",
        ),
    ]
    source = t(
        "Sources: the register of members, the readers at the doors, and the cameras.",
        "Tietolähteet: jäsenrekisteri, ovien lukijat ja kamerat.",
    )
    return Section(
        key="register",
        title=t("What else is stored", "Mitä muuta talletetaan"),
        blocks=(Items(tuple(items)), Paragraph(source), Paragraph(facts.controller.if_refused.of(language))),
    )


def _linked(language: Language) -> Section:
    t = teller(language)
    return Section(
        key="linked",
        title=t("How recordings are linked with members", "Miten tallenne yhdistetään jäseneen"),
        blocks=(
            Paragraph(
                t(
                    "Recordings are linked with members through the access log. A link says that a credential opened a "
                    "door at a time. It does not say who is in the picture.",
                    "Tallenteet yhdistetään jäseniin kulunvalvontalokin avulla. Yhteys kertoo, että tunniste avasi "
                    "oven tiettynä aikana. Se ei kerro, kuka kuvassa on.",
                )
            ),
        ),
    )


def _access(language: Language) -> Section:
    t = teller(language)
    return Section(
        key="access",
        title=t("Who may look, and how data is protected", "Kuka saa katsoa ja miten tiedot suojataan"),
        blocks=(
            Items(
                (
                    t(
                        "Only named staff look, each within their own rights, with a password and a second factor.",
                        "Vain nimetyt henkilöt katsovat, kukin omien oikeuksiensa rajoissa, salasanalla ja toisella "
                        "tunnistautumistavalla.",
                    ),
                    t(
                        "Each look needs a stated purpose and is on record before anything is shown.",
                        "Jokaisella katselulla on kirjattu syy, ja katselu kirjataan ennen kuin mitään näytetään.",
                    ),
                    t(
                        "A recording leaves only after a second person has approved it.",
                        "Tallenne luovutetaan vasta, kun toinen henkilö on hyväksynyt sen.",
                    ),
                    t(
                        "Recordings are encrypted before they are stored.",
                        "Tallenteet salataan ennen tallentamista.",
                    ),
                )
            ),
        ),
    )
