"""The sign at the door, a page for each site: what a person must know before going in (EDPB 3/2019, section 7.1)."""

from __future__ import annotations

from paper.content import Block, Kind, Labelled, Paper, Paragraph, Section
from paper.language import Language, teller, within
from paper.stated import Data, Facts


def paper(facts: Facts, language: Language) -> Paper:
    """One section for each site with cameras."""
    return Paper(
        kind=Kind.SIGN,
        language=language,
        title=teller(language)("Camera surveillance", "Kameravalvonta"),
        sections=tuple(_site(facts, site, language) for site in dict.fromkeys(camera.site for camera in facts.cameras)),
    )


def _site(facts: Facts, site: str, language: Language) -> Section:
    t = teller(language)
    cameras = [camera for camera in facts.cameras if camera.site == site]
    controller = facts.controller
    purposes = dict.fromkeys(
        ground.purpose.of(language) for ground in controller.grounds if ground.data is Data.FOOTAGE
    )
    longest = max(camera.bound_h for camera in cameras)
    recorded = (
        t("Pictures and sound are recorded", "Kuva ja ääni tallennetaan")
        if any(camera.audio for camera in cameras)
        else t("Pictures are recorded, no sound", "Kuva tallennetaan, ääntä ei")
    )
    reached = controller.email if not controller.phone else f"{controller.email}, {controller.phone}"
    linked = t(
        "Recordings are linked with members through the access log. You may ask for your data and object.",
        "Tallenteet yhdistetään jäseniin kulunvalvontalokin avulla. Voit pyytää tietosi ja vastustaa käsittelyä.",
    )
    blocks: tuple[Block, ...] = (
        Paragraph(recorded),
        Labelled(t("Controller", "Rekisterinpitäjä"), f"{controller.name}, {controller.business_id}"),
        Labelled(t("Purpose", "Tarkoitus"), "; ".join(purposes)),
        Labelled(t("Deleted", "Poistetaan"), within(longest, "h", language)),
        Labelled(t("Contact", "Yhteys"), reached),
        Labelled(t("Privacy notice", "Tietosuojaseloste"), controller.notice_at),
        Paragraph(linked),
    )
    return Section(key=site, title=site, blocks=blocks)
