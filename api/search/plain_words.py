"""The words of a query, and the filler words of whole questions, which name neither a person nor a place. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import StringConstraints

from api.http.texts import LINE
from storage.access import fold

Words = Annotated[str, StringConstraints(max_length=100, pattern=LINE)]
"""What staff type into a search box: no control characters."""
_ENGLISH: Final = """
a an and any anybody anyone around as at by came card cards clip come did do door doors else enter entered entering
exit exited find footage for from go got had has have he her his how i in into is it left let lets letting look me
member members of on one opened open opening or out own people person persons second she show somebody someone than
that the their them then there they third this through to two up using video was watch we went were what when where
which who whom whose with without another other passage visit
"""
_FINNISH: Final = """
ja joku jonkun joka jotka jossa juuri jasen jasenen kaksi kanssa katso kortilla kortti kortin kuka keta kenen kenet
kuinka kulki kun kuva leike me mika mina milloin missa mista mita mukana muu muut nayta ne nyt oli olivat on ovea
ovella oven ovesta ovi ovien ja paastaa paasti paastivat paasi poistui saapui se sinne sisaan sisalle tai tallenne
tama tapahtui toinen toisen tuli tulivat meni menivat lahti ulos vai video avasi avattiin etta henkilo henkilon
henkiloa ihminen ihmisen ihmista
"""
_SIGNS: Final = "?!.,;:\"'()“”"
_FILLERS: Final = frozenset(f"{_ENGLISH} {_FINNISH}".split())


def without_fillers(text: str) -> tuple[str, str]:
    """Return (the words that may be names, the words left out), as typed, without punctuation around them.

    Try it only when the whole text finds no member: a member may well be called Toinen.
    """
    words = [word.strip(_SIGNS) for word in text.split()]
    kept = [word for word in words if word and fold(word) not in _FILLERS]
    return " ".join(kept), " ".join(word for word in words if fold(word) in _FILLERS)
