"""The bus of one process: held to the suite of all buses, and to what only it can promise."""

from __future__ import annotations

import os

import pytest

from polynya.relay.live.local import LocalLive
from tests.relay.live_conformance import Buses, Listener, LiveConformance


class TestLocalLive(LiveConformance):
    @pytest.fixture
    def buses(self) -> Buses:
        bus = LocalLive()
        return bus, bus


def test_it_knows_for_certain_who_waits() -> None:
    bus, source, one, two = LocalLive(), os.urandom(32), Listener(), Listener()
    assert not bus.is_wanted(source, None)
    bus.subscribe(source, one)
    assert not bus.is_wanted(source, one)
    assert bus.is_wanted(source, two)
    bus.subscribe(source, two)
    assert bus.is_wanted(source, one)
    bus.unsubscribe(source, one)
    assert not bus.is_wanted(source, two)
    bus.unsubscribe(source, two)
    assert not bus.is_wanted(source, None)


def test_it_tells_at_once_and_nobody_whose_turn_has_not_come_when_they_leave() -> None:
    bus, source, second = LocalLive(), os.urandom(32), Listener()
    first = Listener(lambda: bus.unsubscribe(source, second))
    bus.subscribe(source, first)
    bus.subscribe(source, second)
    bus.publish(source, 1, b"frame", None)
    assert (first.seqs, second.seqs) == ([1], [])
