"""Which carrier is tried when: pure, so every case is a line."""

from __future__ import annotations

import pytest

from polynya.carriers.base import CarrierProperties
from polynya.paths import backoff
from polynya.paths.manager import PathManager, PathRecord, Wait

HALF = 0x8000


def properties(*, streams: bool, latency: int = 100) -> CarrierProperties:
    return CarrierProperties(
        max_frame=100_000,
        latency=latency,
        exchanges=not streams,
        streams=streams,
        needs_udp=False,
        in_browser=True,
        store_and_forward=False,
    )


CARRIERS = {
    "https": properties(streams=False, latency=200),
    "websocket": properties(streams=True, latency=60),
}


def test_pauses_double_up_to_the_largest() -> None:
    whole = [backoff.pause(n, 0xFFFF) for n in range(1, 12)]
    assert whole == [1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 300000, 300000]
    assert backoff.pause(10_000, 0xFFFF) == backoff.LARGEST
    assert backoff.pause(0, 0xFFFF) == 1000


@pytest.mark.parametrize("failures", [1, 5, 50])
def test_jitter_spreads_over_the_upper_half(failures: int) -> None:
    least, most = backoff.pause(failures, 0), backoff.pause(failures, 0xFFFF)
    assert least * 2 == most
    values = [backoff.pause(failures, chance) for chance in range(0, 0x10000, 257)]
    assert values == sorted(values) and len(set(values)) > 200


def test_a_stream_is_tried_first() -> None:
    assert PathManager(CARRIERS).choose(0) == "websocket"


def test_after_a_failure_the_next_is_tried_at_once_and_the_first_again_later() -> None:
    manager = PathManager(CARRIERS)
    manager.failed("websocket", 1_000, 0xFFFF)
    assert manager.choose(1_000) == "https"
    manager.succeeded("https")
    assert manager.choose(1_999) == "https"
    assert manager.choose(2_000) == "websocket"


def test_when_all_pause_the_earliest_end_is_told() -> None:
    manager = PathManager(CARRIERS)
    manager.failed("websocket", 0, 0xFFFF)
    manager.failed("websocket", 0, 0xFFFF)
    manager.failed("https", 0, 0xFFFF)
    assert manager.choose(0) == Wait(1_000)
    assert manager.choose(0, fits=lambda p: p.streams) == Wait(2_000)
    assert manager.choose(1_000) == "https"


def test_nothing_that_fits_is_a_long_wait() -> None:
    assert PathManager({}).choose(5) == Wait(5 + backoff.LARGEST)
    assert PathManager(CARRIERS).choose(5, fits=lambda p: p.needs_udp) == Wait(5 + backoff.LARGEST)


def test_a_success_ends_the_count() -> None:
    manager = PathManager(CARRIERS)
    for _ in range(5):
        manager.failed("websocket", 0, HALF)
    manager.succeeded("websocket")
    assert manager.record("websocket") == PathRecord(worked=True)
    manager.failed("websocket", 0, 0xFFFF)
    assert manager.choose(0, fits=lambda p: p.streams) == Wait(1_000)


def test_retry_now_ends_pauses_but_not_the_count() -> None:
    manager = PathManager(CARRIERS)
    for _ in range(4):
        manager.failed("websocket", 0, 0xFFFF)
    manager.retry_now()
    assert manager.choose(0) == "websocket"
    manager.failed("websocket", 0, 0xFFFF)
    assert manager.choose(0, fits=lambda p: p.streams) == Wait(16_000)


def test_the_order_is_a_hook() -> None:
    manager = PathManager(CARRIERS, score=lambda p, record: p.latency)
    assert manager.choose(0) == "https"


def test_what_worked_is_remembered_for_the_next_run() -> None:
    several = {"a": properties(streams=False), "b": properties(streams=False)}
    manager = PathManager(several)
    assert manager.choose(0) == "a"
    manager.failed("a", 0, HALF)
    manager.succeeded("b")
    again = PathManager(several, memory=manager.remember())
    assert again.choose(0) == "b"
    assert again.record("a").retry_at == 0


@pytest.mark.parametrize("memory", [b"", b"\xff", b"\x00", b"\x81\x81\x61x", b"\x81\x83\x63xyz\x01\xf5"])
def test_a_broken_memory_is_no_memory(memory: bytes) -> None:
    assert PathManager(CARRIERS, memory=memory).choose(0) == "websocket"
