"""What several papers say alike: the controller, legal bases, recipients, transfers."""

from __future__ import annotations

from typing import Final

from paper.content import Block, Items, Paragraph
from paper.language import Language, teller
from paper.stated import Basis, CameraFacts, Controller, Data, Facts, Ground

BASES: Final[dict[Basis, tuple[str, str]]] = {
    Basis.CONSENT: ("consent, article 6(1)(a)", "suostumus, 6 artiklan 1 kohdan a alakohta"),
    Basis.CONTRACT: ("the contract of membership, article 6(1)(b)", "jäsenyyssopimus, 6 artiklan 1 kohdan b alakohta"),
    Basis.LEGAL_OBLIGATION: (
        "a legal obligation, article 6(1)(c)",
        "lakisääteinen velvoite, 6 artiklan 1 kohdan c alakohta",
    ),
    Basis.PUBLIC_TASK: (
        "a task in the public interest, article 6(1)(e)",
        "yleinen etu, 6 artiklan 1 kohdan e alakohta",
    ),
    Basis.LEGITIMATE_INTERESTS: (
        "legitimate interests, article 6(1)(f)",
        "oikeutettu etu, 6 artiklan 1 kohdan f alakohta",
    ),
}


def contact(controller: Controller, language: Language) -> Items:
    """Name, business id, address and where to write."""
    t = teller(language)
    lines = [
        f"{controller.name} ({t('business id', 'Y-tunnus')} {controller.business_id})",
        controller.address,
        f"{t('E-mail', 'Sähköposti')}: {controller.email}",
    ]
    if controller.phone:
        lines.append(f"{t('Telephone', 'Puhelin')}: {controller.phone}")
    return Items(tuple(lines))


def officer(controller: Controller, language: Language) -> Paragraph:
    """The data protection officer, or that there is none."""
    t = teller(language)
    if not controller.data_protection_officer:
        return Paragraph(
            t(
                "There is no data protection officer. Write to the controller.",
                "Tietosuojavastaavaa ei ole nimetty. Ota yhteyttä rekisterinpitäjään.",
            )
        )
    named = controller.data_protection_officer
    return Paragraph(t(f"Data protection officer: {named}", f"Tietosuojavastaava: {named}"))


def grounds(facts: Facts, language: Language) -> Items:
    """Each purpose with its legal basis."""
    return Items(tuple(_ground(ground, language) for ground in facts.controller.grounds))


def _ground(ground: Ground, language: Language) -> str:
    t = teller(language)
    data = (
        t("Recordings", "Tallenteet")
        if ground.data is Data.FOOTAGE
        else t("Members and the access log", "Jäsentiedot ja kulunvalvontaloki")
    )
    line = f"{data}: {ground.purpose.of(language)}. {t('Basis', 'Peruste')}: {t(*BASES[ground.basis])}"
    if ground.interest is not None:
        line += f" ({ground.interest.of(language)})"
    return f"{line}."


def recipients(facts: Facts, language: Language) -> tuple[Block, ...]:
    """Those of the configuration, or that there are none; the police in any case."""
    t = teller(language)
    police = Paragraph(
        t(
            "Recordings are handed to the police or another authority only on a request that the law allows.",
            "Tallenteita luovutetaan poliisille tai muulle viranomaiselle vain lakiin perustuvasta pyynnöstä.",
        )
    )
    if not facts.controller.recipients:
        none = t("Data is not given to others regularly.", "Tietoja ei luovuteta säännönmukaisesti muille.")
        return Paragraph(none), police
    names = (f"{one.name.of(language)}: {one.why.of(language)}" for one in facts.controller.recipients)
    return Items(tuple(names)), police


def transfers(facts: Facts, language: Language) -> Block:
    """Those of the configuration, or that there are none."""
    t = teller(language)
    if not facts.controller.transfers:
        return Paragraph(
            t(
                "Data is not transferred outside the EU and EEA.",
                "Tietoja ei siirretä EU:n tai ETA:n ulkopuolelle.",
            )
        )
    safeguards = t("Safeguards", "Suojatoimet")
    return Items(
        tuple(
            f"{one.to.of(language)}. {safeguards}: {one.safeguards.of(language)}" for one in facts.controller.transfers
        )
    )


def sound(camera: CameraFacts, language: Language) -> str:
    """Whether a camera records sound, and why it does."""
    t = teller(language)
    if not camera.audio:
        return t("no sound", "ei ääntä")
    return t(f"sound too: {camera.audio_reason}", f"myös ääni: {camera.audio_reason}")


def place(facts: Facts, camera: CameraFacts) -> str:
    """The camera's name, with its site where there is more than one."""
    return camera.name if len(facts.sites) == 1 else f"{camera.site}: {camera.name}"


def doors(camera: CameraFacts, language: Language) -> str:
    """The doors whose events are linked with the camera's footage."""
    return ", ".join(camera.doors) or teller(language)("none", "ei mitään")
