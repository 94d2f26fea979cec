"""The figures as tables, and whether they keep the targets."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.mls.tables import DASH, Table, milliseconds, size_of
from benchmarks.relay.beside import Beside, Pair
from benchmarks.relay.fanout import Fan
from benchmarks.relay.idle import Idle
from benchmarks.relay.latency import Latency
from benchmarks.relay.stored import Stored

RATIOS = {"publish": 1.2, "delivery": 1.5, "Prosody": 1 / 30, "ejabberd": 1.0}
"""Most of the relay's processor time for each of the peer's."""
IDLE = {False: 16_384, True: 40_960}
"""Bytes."""
HALF_P99 = 20.0
START = 2_000.0
"""ms."""
LEGEND = (
    "Processor time is the relay's, of all its threads and in the kernel, for one record or one delivery. A ratio is the "
    "median over rounds in which the peer and we alternate; below 1: ours takes less."
)


def kept(is_kept: bool) -> str:
    return "yes" if is_kept else "no"


def beside(found: Beside) -> list[Table]:
    table = Table(
        "Beside the peers (us of processor)",
        ("peer", "what", "peer's", "ours", "ratio", "least", "most", "target", "kept"),
        names=2,
    )

    def row(name: str, what: str, pair: Pair | None, target: float) -> None:
        told = f"1 / {1 / target:.0f}" if target < 1 else f"{target:.1f}"
        if pair is None:
            table.rows.append((name, what, *[DASH] * 5, told, DASH))
            return
        figures = (statistics.median(pair.peer), statistics.median(pair.ours))
        ratios = (pair.ratio, *pair.spread)
        cells = [*map(milliseconds, figures), *(f"{value:.3g}" for value in ratios), told]
        table.rows.append((name, what, *cells, kept(pair.ratio <= target)))

    for what in ("publish", "delivery"):
        row("prototype", what, found.bare.get(what), RATIOS[what])
    row("Prosody, archive in SQLite", "message", found.xmpp.get("Prosody"), RATIOS["Prosody"])
    row("ejabberd, no archive", "message", found.xmpp.get("ejabberd"), RATIOS["ejabberd"])
    table.notes += [f"- {name}: {why}." for name, why in found.missing.items()]
    return [table]


def idle(found: Sequence[Idle]) -> list[Table]:
    table = Table("Memory of an idle session", ("connection", "sessions", "each", "target", "kept"))
    for one in found:
        target = IDLE[one.has_tls]
        name = "TLS in the process" if one.has_tls else "plain"
        cells = (f"{one.sessions:,}", f"{one.each / 1024:.1f} KiB", f"{target // 1024} KiB")
        table.rows.append((name, *cells, kept(one.each <= target)))
    return [table]


def latency(found: Sequence[Latency]) -> list[Table]:
    table = Table(
        "From a publisher to a reader, through the disk (ms)",
        ("load", "records/s", "reached", "core busy", "p50", "p99", "p99.9", "target", "kept"),
    )
    for one in found:
        is_half = one.share == 0.5
        table.rows.append(
            (
                f"{one.share:.0%}",
                f"{one.rate:,.0f}",
                f"{one.reached:,.0f}",
                f"{one.busy:.0%}",
                *map(milliseconds, (one.p50, one.p99, one.p999)),
                f"p99 {HALF_P99:.0f}" if is_half else DASH,
                kept(one.p99 <= HALF_P99) if is_half else DASH,
            )
        )
    return [table]


def fanout(found: Sequence[Fan]) -> list[Table]:
    table = Table(
        "Readers of one topic", ("readers", "us for a record", "each further reader", "to 100 readers")
    )
    hundred = next((one.each for one in found if one.readers == 100), None)
    for one in found:
        against = DASH if hundred is None else f"{one.each / hundred:.2f}"
        table.rows.append((f"{one.readers:,}", milliseconds(one.record), milliseconds(one.each), against))
    return [table]


def stored(found: Sequence[Stored]) -> list[Table]:
    table = Table(
        "Records that are stored (ms)",
        ("records", "database", "start", "fetch", "publish", "target of start", "kept"),
    )
    for one in found:
        times = map(milliseconds, (one.start, one.fetch, one.publish))
        cells = (size_of(one.bytes_), *times, f"{START:,.0f}", kept(one.start <= START))
        table.rows.append((f"{one.records:,}", *cells))
    return [table]
