"""[controller]: what only the operator can say, and what papers (`tallenne paper`) state in their name."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from paper.stated import Basis, Data
from pipeline.config.sections.section import Section, one_line

Line = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(one_line)]


class Bilingual(Section):
    """A text of the operator's: ``"text"`` for both languages, or ``{ fi = "…", en = "…" }``."""

    en: Line
    fi: Line

    @model_validator(mode="before")
    @classmethod
    def _one_for_both(cls, value: Any) -> Any:
        return {"en": value, "fi": value} if isinstance(value, str) else value


class Ground(Section):
    """[[controller.ground]]: a purpose with its legal basis (GDPR 6)."""

    data: Data
    basis: Basis
    purpose: Bilingual
    interest: Bilingual | None = None

    @model_validator(mode="after")
    def _interest_is_named(self) -> Ground:
        if (self.basis is Basis.LEGITIMATE_INTERESTS) != (self.interest is not None):
            raise ValueError('needs interest where its basis is "legitimate interests" (GDPR 13(1)(d)), and only there')
        return self


class Recipient(Section):
    """[[controller.recipient]]: who regularly receives personal data, and what for."""

    name: Bilingual
    why: Bilingual


class Transfer(Section):
    """[[controller.transfer]]: where data goes outside the EU and EEA, and what protects it there (GDPR 46)."""

    to: Bilingual
    safeguards: Bilingual


_FINNISH_AUTHORITY = Bilingual(
    en="Office of the Data Protection Ombudsman, https://tietosuoja.fi/en",
    fi="Tietosuojavaltuutetun toimisto, https://tietosuoja.fi",
)


class Controller(Section):
    """Every key is needed, so that no paper is silent by oversight; "" and [] say that there is none."""

    name: Line
    business_id: Line
    address: Line
    email: Annotated[Line, Field(pattern=r"^\S+@\S+$")]
    phone: Annotated[str, Field(max_length=80), AfterValidator(one_line)]
    data_protection_officer: Annotated[str, Field(max_length=400), AfterValidator(one_line)]
    notice_at: Annotated[Line, Field(pattern=r"^https?://\S+$")]
    authority: Bilingual = _FINNISH_AUTHORITY
    if_refused: Bilingual
    ground: tuple[Ground, ...]
    recipient: tuple[Recipient, ...]
    transfer: tuple[Transfer, ...]

    @model_validator(mode="after")
    def _both_are_grounded(self) -> Controller:
        if missing := set(Data) - {ground.data for ground in self.ground}:
            named = " and ".join(sorted(missing))
            raise ValueError(f"needs a [[controller.ground]] for {named}: its purpose and legal basis (GDPR 6)")
        return self
