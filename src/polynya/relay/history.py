"""How busy the relay was: a few figures in coarse steps, for the operator's plots.

A relay may have two users, and then a count per minute says who talks when. So counts are rounded down to 1, 2 or 5
times a power of ten, small ones are nothing at all, sizes are rounded too, and the finer the steps, the sooner they
are forgotten: five minutes for an hour and half an hour for a day, in memory; six hours for a week, on disk. The
records of that week, with their times, are in the database anyway."""

from __future__ import annotations

import json
import logging
import math
import os
import resource
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from itertools import accumulate
from pathlib import Path
from typing import Any

from polynya.relay.files import write_private
from polynya.relay.metrics import BUCKETS, Metrics
from polynya.relay.store.base import Statistics

logger = logging.getLogger("polynya.relay")

MINUTE = 60_000
SAMPLE = 5 * MINUTE
"""ms between two samples, which are taken when the clock shows a multiple of it."""
HISTORY_FILE = "history.json"
FEW = 50
"""Records, requests or refusals of a step that count as none: what a conversation of a few people makes in it."""
FEW_SESSIONS = 10
MIB = 1 << 20
MEMORY_STEP, DATABASE_STEP, FREE_STEP = 16 * MIB, 16 * MIB, 256 * MIB
"""Bytes to which these are rounded down: no single file or conversation shows."""


def coarse(value: float, few: float) -> float:
    """`value` rounded down to 1, 2 or 5 times a power of ten; 0 where it is below `few`."""
    if value < few or value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    # A hair above, as 3 * 10**k / 10**k may come out below 3.
    lead = value / power + 1e-9
    return (5 if lead >= 5 else 2 if lead >= 2 else 1) * power


@dataclass(frozen=True, slots=True)
class Point:
    """One step. Rates are per minute, times in ms, sizes in bytes; None: too little to tell."""

    time: int
    """its end, ms since the epoch"""
    records: float
    """taken and on disk"""
    deliveries: float
    """pushed to sessions"""
    requests: float
    """sealed requests answered, and sessions begun"""
    refusals: float
    """requests refused and connections turned away"""
    sessions: float
    """open at the end"""
    processor: float
    """share of one core, in percent"""
    half: float | None
    """half of the records were on disk within this"""
    most: float | None
    """99 of 100 were"""
    memory: float
    database: float
    free: float


@dataclass(frozen=True, slots=True)
class Counted:
    """Counters at one moment; differences of two make a Point."""

    steady: float
    """seconds of a clock that only goes on"""
    records: int
    deliveries: int
    requests: int
    refusals: int
    processor: float
    """seconds of CPU"""
    latency: tuple[int, ...]


def count(metrics: Metrics, steady: float) -> Counted:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Counted(
        steady,
        metrics.published,
        metrics.delivered,
        metrics.exchanges + metrics.handshakes,
        sum(metrics.refused.values()) + metrics.turned_away,
        used.ru_utime + used.ru_stime,
        tuple(metrics.latency),
    )


def percentile(latency: tuple[int, ...], share: float) -> float | None:
    """ms: the bound below which this share of a histogram of BUCKETS is; None for fewer than FEW."""
    total = sum(latency)
    if total < FEW:
        return None
    reached = list(accumulate(latency))
    return 1000 * (*BUCKETS, 2 * BUCKETS[-1])[bisect_left(reached, share * total)]


def make_point(
    time_: int, before: Counted, after: Counted, metrics: Metrics, statistics: Statistics
) -> Point:
    """The step between two moments, coarse."""
    seconds = max(1.0, after.steady - before.steady)

    def rate(name: str) -> float:
        happened = getattr(after, name) - getattr(before, name)
        return coarse(happened, FEW) * 60 / seconds

    latency = tuple(b - a for a, b in zip(before.latency, after.latency, strict=True))
    return Point(
        time=time_,
        records=rate("records"),
        deliveries=rate("deliveries"),
        requests=rate("requests"),
        refusals=rate("refusals"),
        sessions=coarse(metrics.sessions, FEW_SESSIONS),
        processor=coarse(100 * (after.processor - before.processor) / seconds, 1.0),
        half=percentile(latency, 0.5),
        most=percentile(latency, 0.99),
        memory=_down(memory(), MEMORY_STEP),
        database=_down(statistics.database_bytes, DATABASE_STEP),
        free=_down(statistics.free_bytes, FREE_STEP),
    )


def _down(value: int, step: int) -> float:
    return float(value // step * step)


def memory() -> int:
    """Bytes that this process has in memory; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


class Ring:
    """The last `size` points, one for each `step` ms, whose ends are multiples of the step."""

    def __init__(self, step: int, size: int, now: int, start: Counted) -> None:
        self.step = step
        self.points: deque[Point] = deque(maxlen=size)
        self._before = start
        self._next = (now // step + 1) * step

    def sample(self, now: int, after: Counted, metrics: Metrics, statistics: Statistics) -> bool:
        """Whether a step was over and a point was made. Points go by age too: nobody was there to push them out while
        the machine slept."""
        oldest = now - self.step * (self.points.maxlen or 1)
        while self.points and not oldest <= self.points[0].time <= now:
            self.points.popleft()
        if abs(self._next - now) > self.step:
            # The clock jumped, or the machine slept: the step under way is none.
            self._before, self._next = after, (now // self.step + 1) * self.step
            return False
        if now < self._next:
            return False
        self.points.append(make_point(self._next, self._before, after, metrics, statistics))
        self._before, self._next = after, (now // self.step + 1) * self.step
        return True


class History:
    """`now` in ms since the epoch; `steady` in seconds."""

    def __init__(
        self,
        metrics: Metrics,
        folder: Path,
        now: Callable[[], int],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metrics = metrics
        self._file = folder / HISTORY_FILE
        self._now = now
        self._steady = steady
        self._start = count(metrics, steady())
        begin = (now(), self._start)
        self.rings = {
            "hour": Ring(SAMPLE, 12, *begin),
            "day": Ring(30 * MINUTE, 48, *begin),
            "week": Ring(360 * MINUTE, 28, *begin),
        }
        self.rings["week"].points.extend(_read(self._file, now()))

    def sample(self, statistics: Statistics) -> None:
        """To be called every SAMPLE."""
        now, after = self._now(), count(self._metrics, self._steady())
        for name, ring in self.rings.items():
            if ring.sample(now, after, self._metrics, statistics) and name == "week":
                self._write()

    def recent(self, statistics: Statistics) -> Point:
        """The last five minutes that are over; before the first, all since the start."""
        points = self.rings["hour"].points
        if points:
            return points[-1]
        after = count(self._metrics, self._steady())
        return make_point(self._now(), self._start, after, self._metrics, statistics)

    def _write(self) -> None:
        points = [asdict(point) for point in self.rings["week"].points]
        try:
            write_private(self._file, json.dumps(points).encode())
        except OSError as error:
            logger.error("%s could not be written: %s", HISTORY_FILE, error.strerror)


def _value(value: Any) -> Any:
    """Raises ValueError for what is no figure."""
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise ValueError
    return value


def _read(file: Path, now: int) -> list[Point]:
    """What is on disk of the last week; nothing where it is not what was written."""
    week = 7 * 24 * 60 * MINUTE
    names = {field.name for field in fields(Point)} - {"time"}
    try:
        points = [
            Point(int(row["time"]), **{name: _value(row[name]) for name in names})
            for row in json.loads(file.read_bytes())
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []
    return [point for point in points if now - week <= point.time <= now]
