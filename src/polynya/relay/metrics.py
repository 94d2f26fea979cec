"""What the relay counts. Nothing here names a topic, an inbox, an address or a person."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

from polynya.wire.messages import RefusalCode

BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
"""Seconds; upper bounds of the latency histogram."""


class Metrics:
    """Counters since the start, and a few values of now."""

    def __init__(self) -> None:
        self.published = 0
        self.repeated = 0
        self.delivered = 0
        self.exchanges = 0
        self.unopened = 0
        self.handshakes = 0
        self.sessions = 0
        self.connections = 0
        self.turned_away = 0
        self.slow_sessions = 0
        self.refused: Counter[RefusalCode] = Counter()
        self.latency = [0] * (len(BUCKETS) + 1)
        self.latency_sum = 0.0

    def observe(self, seconds: float) -> None:
        """The time from a publish's arrival until it was on disk."""
        self.latency[bisect_left(BUCKETS, seconds)] += 1
        self.latency_sum += seconds

    def render(self, values: dict[str, tuple[str, float]]) -> str:
        """OpenMetrics text; `values` are further gauges: name -> (help, value)."""
        return "\n".join([*self._lines(values), "# EOF", ""])

    def _lines(self, values: dict[str, tuple[str, float]]) -> Iterator[str]:
        counters = {
            "published": ("Records taken and on disk", self.published),
            "repeated": ("Records that were there already", self.repeated),
            "delivered": ("Entries pushed to sessions", self.delivered),
            "exchanges": ("Sealed requests answered", self.exchanges),
            "unopened": ("Sealed requests and hellos that could not be opened", self.unopened),
            "handshakes": ("Sessions begun", self.handshakes),
            "turned_away": ("Connections over a limit", self.turned_away),
            "slow_sessions": ("Sessions closed because they did not read", self.slow_sessions),
        }
        for name, (text, count) in counters.items():
            yield from _head(name, "counter", text)
            yield f"polynya_{name}_total {count}"
        yield from _head("refused", "counter", "Requests refused, by code")
        for code in RefusalCode:
            label = code.name.lower().replace("_", "-")
            yield f'polynya_refused_total{{code="{label}"}} {self.refused[code]}'
        gauges = {
            "sessions": ("Open sessions", float(self.sessions)),
            "connections": ("Open connections", float(self.connections)),
            **values,
        }
        for name, (text, value) in gauges.items():
            yield from _head(name, "gauge", text)
            yield f"polynya_{name} {value:g}"
        yield from _head("publish_seconds", "histogram", "From a record's arrival until it is on disk")
        total = 0
        for bound, count in zip((*BUCKETS, float("inf")), self.latency, strict=True):
            total += count
            label = "+Inf" if bound == float("inf") else f"{bound:g}"
            yield f'polynya_publish_seconds_bucket{{le="{label}"}} {total}'
        yield f"polynya_publish_seconds_count {total}"
        yield f"polynya_publish_seconds_sum {self.latency_sum:.6f}"


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# TYPE polynya_{name} {kind}"
    yield f"# HELP polynya_{name} {text}"
