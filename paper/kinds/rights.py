"""The sections of the notice about what a person may ask for, and of whose authority."""

from __future__ import annotations

from paper.content import Block, Items, Paragraph, Section
from paper.language import Language, Tell, teller
from paper.stated import Basis, Facts


def rights_section(facts: Facts, language: Language) -> Section:
    """The rights that the legal bases of the configuration give, and how to use them."""
    t = teller(language)
    bases = {ground.basis for ground in facts.controller.grounds}
    how = t(
        f"Write to {facts.controller.email}, and say which day, time and place a recording is of. "
        "We check that it is you, and answer within one month. Recordings that nothing keeps are deleted by their "
        "retention: ask soon.",
        f"Kirjoita osoitteeseen {facts.controller.email} ja kerro, mitä päivää, aikaa ja paikkaa "
        "tallenne koskee. Tarkistamme henkilöllisyytesi ja vastaamme kuukauden kuluessa. Tallenteet poistuvat "
        "säilytysajan päättyessä: pyydä ajoissa.",
    )
    blocks: tuple[Block, ...] = (Items((*_always(t), *_by_basis(t, bases))), Paragraph(how))
    return Section(key="rights", title=t("Your rights", "Oikeutesi"), blocks=blocks)


def _always(t: Tell) -> tuple[str, ...]:
    return (
        t(
            "Access: see what is stored about you, when and why staff looked, and get a copy of it (article 15).",
            "Pääsy tietoihin: voit nähdä, mitä sinusta on talletettu sekä milloin ja miksi henkilökunta on katsonut, "
            "ja saada niistä jäljennöksen (15 artikla).",
        ),
        t("Rectification: have wrong data corrected (article 16).", "Oikaisu: voit oikaista virheet (16 artikla)."),
        t(
            "Erasure: have data and recordings erased, unless a case needs them (article 17).",
            "Poistaminen: voit pyytää tietojen ja tallenteiden poistamista, ellei tapaus vaadi niitä (17 artikla).",
        ),
        t(
            "Restriction: have a recording kept but closed while something is clarified (article 18).",
            "Rajoittaminen: tallenne säilytetään, mutta sitä ei katsota, kunnes asia on selvitetty (18 artikla).",
        ),
    )


def _by_basis(t: Tell, bases: set[Basis]) -> tuple[str, ...]:
    lines = []
    if bases & {Basis.CONSENT, Basis.CONTRACT}:
        lines.append(
            t(
                "Portability: get the data that you gave in a form that machines read (article 20).",
                "Siirto: saat antamasi tiedot koneellisesti luettavassa muodossa (20 artikla).",
            )
        )
    if bases & {Basis.LEGITIMATE_INTERESTS, Basis.PUBLIC_TASK}:
        lines.append(
            t(
                "Objection: object, for reasons of your own situation (article 21).",
                "Vastustaminen: voit vastustaa käsittelyä henkilökohtaisen tilanteesi perusteella (21 artikla).",
            )
        )
    if Basis.CONSENT in bases:
        lines.append(
            t(
                "Withdrawal: withdraw a consent at any time; what was done before stays lawful.",
                "Peruuttaminen: voit perua suostumuksen milloin tahansa; aiempi käsittely pysyy lainmukaisena.",
            )
        )
    return tuple(lines)


def authority_section(facts: Facts, language: Language) -> Section:
    """Where a person complains."""
    t = teller(language)
    named = facts.controller.authority.of(language)
    return Section(
        key="complaint",
        title=t("Complaint to the authority", "Valitus viranomaiselle"),
        blocks=(
            Paragraph(
                t(
                    f"You may complain to the supervisory authority: {named}.",
                    f"Voit tehdä valituksen valvontaviranomaiselle: {named}.",
                )
            ),
        ),
    )
