"""Text from outside can neither move a cursor nor begin a line, and names keep their letters."""

from __future__ import annotations

import sys
import unicodedata

from domain.errors import TallenneError
from domain.text import printable


def test_no_sign_of_any_alphabet_acts() -> None:
    """Every code point there is, joiners aside."""
    text = printable("".join(map(chr, range(sys.maxunicode + 1))))
    kinds = {unicodedata.category(sign) for sign in set(text) - {"\u200c", "\u200d"}}
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & kinds
    assert len(text) == sys.maxunicode + 1


def test_names_keep_their_letters_and_blanks_become_spaces() -> None:
    assert (
        printable("Kuntosali Jyväskylä, Ahtisaari 👩‍🚒 \u0645\u200c\u0646")
        == "Kuntosali Jyväskylä, Ahtisaari 👩‍🚒 \u0645\u200c\u0646"
    )
    assert printable("a\r\nb\tc\u2028d\u00a0e") == "a  b c d e"
    assert printable("\x1b[2J\u202e\x9b") == "\ufffd[2J\ufffd\ufffd"


def test_error_quotes_a_peer_without_its_escapes() -> None:
    error = TallenneError("It says \x1b[2J.\r\nERROR", "Look at \u202eit.")
    assert str(error) == "It says \ufffd[2J.  ERROR Look at \ufffdit."
    assert error.args == (error.what,)
