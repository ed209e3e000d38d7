"""Each application hands its routes its own things, found by their type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI

from api.http.provide import provide, provided


@dataclass(frozen=True)
class Word:
    text: str


@dataclass(frozen=True)
class Number:
    value: int


# Routes look their annotations up in the module.
WordDep = Annotated[Word, Depends(provided(Word))]
NumberDep = Annotated[Number, Depends(provided(Number))]


def app(*things: Any) -> FastAPI:
    made = FastAPI()
    provide(made, *things)

    @made.get("/")
    async def both(word: WordDep, number: NumberDep) -> str:
        return f"{word.text} {number.value}"

    return made


async def got(made: FastAPI) -> str:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="http://test") as client:
        return str((await client.get("/")).json())


async def test_route_gets_what_its_own_application_provides() -> None:
    one, other = app(Word("a"), Number(1)), app(Number(2), Word("b"))
    assert [await got(one), await got(other), await got(one)] == ["a 1", "b 2", "a 1"]


async def test_thing_that_nobody_provides_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        await got(app(Word("a")))
