"""The balancing test of each camera (GDPR 6(1)(f)): what the configuration knows, and room for what it cannot know."""

from __future__ import annotations

from paper.content import Blank, Block, Kind, Labelled, Paper, Section
from paper.kinds.parts import BASES, doors, sound
from paper.language import Language, hours, teller, within
from paper.stated import CameraFacts, Data, Facts


def paper(facts: Facts, language: Language) -> Paper:
    """A section for each camera."""
    t = teller(language)
    return Paper(
        kind=Kind.BALANCING,
        language=language,
        title=t(f"Balancing test: {facts.controller.name}", f"Tasapainotesti: {facts.controller.name}"),
        sections=tuple(_camera(facts, camera, language) for camera in facts.cameras),
    )


def _camera(facts: Facts, camera: CameraFacts, language: Language) -> Section:
    return Section(
        key=f"{camera.site}/{camera.name}",
        title=f"{camera.site}: {camera.name}",
        blocks=(*_known(facts, camera, language), *_asked(camera, language)),
    )


def _known(facts: Facts, camera: CameraFacts, language: Language) -> tuple[Block, ...]:
    t = teller(language)
    grounds = [ground for ground in facts.controller.grounds if ground.data is Data.FOOTAGE]
    bases = "; ".join(t(*BASES[ground.basis]) for ground in grounds)
    interests = "; ".join(ground.interest.of(language) for ground in grounds if ground.interest is not None)
    kept = f"{hours(camera.retention_h, language)} ({within(camera.bound_h, 'h', language)})"
    known: list[Block] = [
        Labelled(t("Reference", "Viite"), camera.assessment),
        Labelled(t("Area", "Kuvattava alue"), camera.zone),
        Labelled(t("Purpose", "Tarkoitus"), camera.purpose.of(language)),
        Labelled(t("Legal basis", "Oikeusperuste"), bases),
    ]
    if interests:
        known.append(Labelled(t("Legitimate interest", "Oikeutettu etu"), interests))
    known.append(Labelled(t("Retention", "Säilytysaika"), kept))
    if camera.retention_reason:
        known.append(Labelled(t("Reason for the retention", "Säilytysajan peruste"), camera.retention_reason))
    known.append(Labelled(t("Sound", "Ääni"), sound(camera, language)))
    known.append(Labelled(t("Linked with the doors", "Yhdistetään oviin"), doors(camera, language)))
    return tuple(known)


def _asked(camera: CameraFacts, language: Language) -> tuple[Block, ...]:
    t = teller(language)
    asked = [
        t(
            "Is the interest real and present: which incidents or losses were there, when?",
            "Onko etu todellinen ja ajankohtainen: mitä tapahtumia tai menetyksiä on ollut, milloin?",
        ),
        t(
            "Why do milder means not suffice: locks, light, staff, fewer cameras, fewer hours?",
            "Miksi lievemmät keinot eivät riitä: lukot, valaistus, henkilökunta, vähemmän kameroita tai tunteja?",
        ),
        t(
            "What do people expect in this area, and are children, staff at work or vulnerable people there?",
            "Mitä alueella olevat voivat odottaa, ja onko siellä lapsia, työntekijöitä tai haavoittuvia henkilöitä?",
        ),
        t(
            "How does recording affect those people, also when they train for long or in little clothing?",
            "Miten tallentaminen vaikuttaa heihin, myös kun he harjoittelevat pitkään tai vähissä vaatteissa?",
        ),
        t(
            "Which safeguards lower that: masked zones, angle, rights, retention?",
            "Mitkä suojatoimet vähentävät vaikutusta: peitetyt alueet, kuvakulma, oikeudet, säilytysaika?",
        ),
    ]
    if camera.audio:
        asked.append(
            t("Why is sound needed, and why no less?", "Miksi ääni on välttämätön, eikä vähempi riitä?"),
        )
    asked.append(t("Conclusion, date and name", "Johtopäätös, päiväys ja nimi"))
    return tuple(map(Blank, asked))
