"""What every section of the configuration is made of: texts, paths, numbers that are numbers, defaults of roles."""

from __future__ import annotations

import dataclasses
import unicodedata
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator


def one_line(text: str) -> str:
    """Text for other programs, terminals and logs: without control and bidirectional characters."""
    if any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") or sign in _TURNING for sign in text):
        raise ValueError("holds a control character")
    return text


def printed(text: str) -> str:
    """What a door message can say: its reader refuses anything else (indexer.decoders.reading)."""
    if not text.isprintable():
        raise ValueError("holds a character that is not printable")
    return text


def _host(text: str) -> str:
    if not text or any(sign.isspace() or sign in "/@?#" for sign in text):
        raise ValueError(
            "is not a host: write a name or an address alone, as mqtt.example, without scheme, user and port"
        )
    return text


def _path(path: Path) -> Path:
    one_line(str(path))
    return path


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
Text = Annotated[str, AfterValidator(one_line)]
Host = Annotated[Text, AfterValidator(_host)]
File = Annotated[Path, AfterValidator(_path)]
Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(one_line)]
Seconds = Annotated[float, Field(gt=0)]
User = Annotated[str, Field(pattern=r"^([a-z_][a-z0-9_.-]*\$?|\d{1,10})$")]
Port = Annotated[int, Field(ge=1, le=65535)]


def _kinds(annotation: Any) -> set[Any]:
    """The plain types of a field; of ``Annotated[float, ...] | None`` that is float."""
    if get_origin(annotation) is Annotated:
        return _kinds(get_args(annotation)[0])
    if isinstance(annotation, UnionType) or get_origin(annotation) is Union:
        return set().union(*(_kinds(each) for each in get_args(annotation))) - {type(None)}
    return {annotation}


def default_of(settings: type, name: str) -> Any:
    """The default of a role's setting: it stands there, beside what it means, and nowhere else."""
    (found,) = (field.default for field in dataclasses.fields(settings) if field.name == name)
    return found.value if isinstance(found, StrEnum) else found


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _not_quoted(cls, value: Any, info: ValidationInfo) -> Any:
        """TOML says which values are numbers; pydantic by itself would take "72" for 72, and "no" or 1 for a bool."""
        wanted = _kinds(cls.model_fields[info.field_name or ""].annotation)
        if wanted == {bool} and not isinstance(value, bool):
            raise ValueError("is true or false, without quotes")
        if wanted and wanted <= {int, float} and isinstance(value, str | bool):
            raise ValueError("is a number, without quotes")
        return value
