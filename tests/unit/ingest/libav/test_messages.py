"""Messages of a worker come out whole, however their bytes come in; what is none ends it, within its bound."""

from __future__ import annotations

import random

import pytest

from ingest.libav.messages import HEAD, LENGTH_MAX, Kind, Message, MessageError, Splitter, packed


def test_messages_come_out_whole_however_they_are_cut() -> None:
    dice = random.Random(5)
    sent = [Message(dice.choice(list(Kind)), dice.randrange(-(1 << 40), 1 << 40), dice.randbytes(n)) for n in range(40)]
    data = b"".join(packed(*one) for one in sent)
    for _ in range(50):
        splitter, found, at = Splitter(), [], 0
        while at < len(data):
            step = dice.choice((1, 12, 13, 14, 200))
            found += splitter.push(data[at : at + step])
            at += step
        assert found == sent


@pytest.mark.parametrize("head", [(Kind.PACKET, 0, LENGTH_MAX + 1), (0, 0, 0), (255, 0, 4)])
def test_what_is_no_message_is_refused(head: tuple[int, int, int]) -> None:
    with pytest.raises(MessageError):
        Splitter().push(HEAD.pack(*head))
