"""What the relay remembers of its load: enough for an operator, nothing about a conversation."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from polynya.relay.history import (
    FEW,
    HISTORY_FILE,
    MIB,
    MINUTE,
    SAMPLE,
    History,
    coarse,
    percentile,
)
from polynya.relay.metrics import BUCKETS, Metrics
from polynya.relay.store.base import Statistics

START = 1_800_000_000_000 // (360 * MINUTE) * (360 * MINUTE)
DISK = Statistics(1, 1, 1, 100 * MIB + 12_345, 10_000 * MIB + 54_321)


class Relay:
    """Counters and a clock that the test moves."""

    def __init__(self, folder: Path, now: int = START) -> None:
        self.metrics = Metrics()
        self.now = now
        self.history = History(self.metrics, folder, lambda: self.now, lambda: self.now / 1000)

    def run(self, minutes: int, busy: Callable[[Metrics], None]) -> None:
        for _ in range(0, minutes, 5):
            busy(self.metrics)
            self.now += SAMPLE
            self.history.sample(DISK)

    def shape(self) -> dict[str, int]:
        return {name: len(ring.points) for name, ring in self.history.rings.items()}


def two_people(metrics: Metrics) -> None:
    """A lively conversation: 40 records in five minutes, both there."""
    metrics.published += 40
    metrics.delivered += 40
    metrics.handshakes += 2
    metrics.sessions = 2
    for _ in range(40):
        metrics.observe(0.004)


def silence(metrics: Metrics) -> None:
    metrics.sessions = 0


def many_people(metrics: Metrics) -> None:
    metrics.published += 1_234
    metrics.delivered += 9_876
    metrics.exchanges += 777
    metrics.turned_away += 321
    metrics.sessions = 87
    for _ in range(1_200):
        metrics.observe(0.004)
    for _ in range(34):
        metrics.observe(0.3)


def test_when_two_people_talk_does_not_show(tmp_path: Path) -> None:
    """Every figure of an hour with their conversation is that of an hour of silence."""
    talking, silent = Relay(tmp_path), Relay(tmp_path)
    talking.run(30, two_people)
    talking.run(30, silence)
    silent.run(60, silence)
    figures = [
        [(point.records, point.deliveries, point.requests, point.sessions, point.most) for point in points]
        for points in (talking.history.rings["hour"].points, silent.history.rings["hour"].points)
    ]
    assert len(figures[0]) == 12
    assert figures[0] == figures[1]


def test_what_many_people_do_shows_roundly(tmp_path: Path) -> None:
    relay = Relay(tmp_path)
    relay.run(5, many_people)
    (point,) = relay.history.rings["hour"].points
    assert point.time == START + SAMPLE
    assert (point.records, point.deliveries, point.requests, point.refusals) == (200, 1_000, 100, 40)
    assert point.sessions == 50
    assert (point.half, point.most) == (5.0, 500.0)
    assert point.database == 96 * MIB
    assert point.free == 9_984 * MIB


def test_fine_steps_are_forgotten_first(tmp_path: Path) -> None:
    relay = Relay(tmp_path)
    relay.run(9 * 24 * 60, silence)
    assert relay.shape() == {"hour": 12, "day": 48, "week": 28}
    times = {name: ring.points[0].time for name, ring in relay.history.rings.items()}
    assert relay.now - times["hour"] == 55 * MINUTE
    assert relay.now - times["day"] == 47 * 30 * MINUTE
    assert relay.now - times["week"] == 27 * 360 * MINUTE


def test_only_six_hours_and_more_are_on_disk(tmp_path: Path) -> None:
    relay = Relay(tmp_path)
    relay.run(355, many_people)
    assert list(tmp_path.iterdir()) == [], "finer steps are in memory only"
    relay.run(5, many_people)
    file = tmp_path / HISTORY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rows = json.loads(file.read_bytes())
    assert len(rows) == 1
    relay.run(8 * 24 * 60, many_people)
    assert len(json.loads(file.read_bytes())) == 28
    again = Relay(tmp_path, relay.now)
    assert again.shape() == {"hour": 0, "day": 0, "week": 28}
    assert [asdict(point) for point in again.history.rings["week"].points] == json.loads(file.read_bytes())
    later = Relay(tmp_path, relay.now + 30 * 24 * 60 * MINUTE)
    assert later.shape()["week"] == 0, "what is older than a week is not taken up"


@pytest.mark.parametrize(
    "content", ["", "garbage", "{}", "[1]", '[{"time": 5}]', "[null]", '[{"time": "x"}]', "NaN"]
)
def test_a_damaged_file_is_left_out(tmp_path: Path, content: str) -> None:
    (tmp_path / HISTORY_FILE).write_text(content)
    assert Relay(tmp_path).shape()["week"] == 0


def test_figures_that_are_none_are_left_out(tmp_path: Path) -> None:
    relay = Relay(tmp_path)
    relay.run(360, many_people)
    file = tmp_path / HISTORY_FILE
    row = json.loads(file.read_bytes())[0]
    for wrong in ("1", float("inf"), float("nan"), -1, [1]):
        file.write_text(json.dumps([{**row, "records": wrong}]))
        assert Relay(tmp_path, relay.now).shape()["week"] == 0, wrong


def test_a_clock_that_jumps_makes_no_point(tmp_path: Path) -> None:
    """A step of a day in which the machine slept would have a rate that is none."""
    relay = Relay(tmp_path)
    for jump in (3 * 60 * MINUTE, -3 * 60 * MINUTE):
        relay.run(10, many_people)
        assert relay.shape()["hour"] > 0
        relay.now += jump
        relay.history.sample(DISK)
        assert relay.shape()["hour"] == 0, "none older than the hour, and none of a time to come"
        relay.run(5, many_people)
        assert relay.shape()["hour"] == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (9, 0),
        (10, 10),
        (19.9, 10),
        (20, 20),
        (49, 20),
        (50, 50),
        (99, 50),
        (100, 100),
        (2_999, 2_000),
    ],
)
def test_rounding(value: float, expected: float) -> None:
    assert coarse(value, 10) == expected


@pytest.mark.parametrize("power", range(-3, 12))
@pytest.mark.parametrize("lead", [1, 2, 5])
def test_round_numbers_stay(lead: int, power: int) -> None:
    """Whatever floating point makes of them."""
    value = lead * 10.0**power
    assert coarse(value, 0) == pytest.approx(value)


def test_percentiles_are_bounds_of_the_histogram() -> None:
    latency = [0] * (len(BUCKETS) + 1)
    latency[0] = FEW - 1
    assert percentile(tuple(latency), 0.5) is None
    latency[0] = 98
    latency[5] = 1
    latency[-1] = 1
    assert percentile(tuple(latency), 0.5) == 1.0
    assert percentile(tuple(latency), 0.98) == 1.0
    assert percentile(tuple(latency), 0.99) == 50.0
    assert percentile(tuple(latency), 1.0) == 10_000.0
