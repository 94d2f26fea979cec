"""Requests that follow one another on a connection, cut anywhere."""

from __future__ import annotations

import itertools

import pytest

from polynya.relay.gate import Gate
from polynya.relay.heads import Refusal

FIRST = b"GET /a-longer-path HTTP/1.1\r\nHost: a\r\n\r\n"
SECOND = b"GET / HTTP/1.1\nHost: a\n\n"
PASSED_ON = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def passed(pieces: list[bytes]) -> list[bytes | Refusal]:
    gate = Gate()
    found: list[bytes | Refusal] = []
    for piece in pieces:
        gate.feed(piece)
        while (one := gate.next()) is not None:
            found.append(one)
    return found


@pytest.mark.parametrize("cut", range(len(FIRST + SECOND)))
def test_a_request_does_not_depend_on_how_the_one_before_came(cut: int) -> None:
    data = FIRST + SECOND
    assert passed([data[:cut], data[cut:]]) == [FIRST, PASSED_ON]


def test_nor_does_a_refusal() -> None:
    data = FIRST + b" bad\r\n\r\n"
    for cuts in itertools.combinations(range(1, len(data)), 2):
        pieces = [data[a:b] for a, b in itertools.pairwise((0, *cuts, len(data)))]
        assert passed(pieces) == [FIRST, Refusal(400)], cuts
