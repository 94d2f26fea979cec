"""The figures as tables, beside the peers and the targets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from benchmarks.mls import figures as f
from benchmarks.mls import growth, storing
from benchmarks.mls.figures import Figures, Place
from benchmarks.mls.members import KINDS, X25519, X_WING, Kind
from benchmarks.mls.storing import Kept
from benchmarks.mls.tables import DASH, Table, milliseconds, ratio, size_of

SUITES = {X25519: "0x0001", X_WING: "X-Wing"}
OPERATIONS = (f.COMMIT, f.PROCESS, f.JOIN, f.ENCRYPT, f.DECRYPT)
MORE = (f.ENCRYPT_FIRST, f.DECRYPT_FIRST, f.DECRYPT_ALL)
FRESH = (f.COMMIT_FRESH, f.PROCESS_FRESH)
GROWING = (f.COMMIT, f.PROCESS, f.ENCRYPT_FIRST, f.DECRYPT_FIRST, f.ENCRYPT, f.DECRYPT)
GROWTH_FROM = 32

TARGET_SIZE = 1000
TARGETS: Mapping[str, Mapping[str, float]] = {
    "python": {f.COMMIT: 10, f.PROCESS: 10, f.JOIN: 500, f.ENCRYPT: 0.5, f.DECRYPT: 0.5},
    "node": {f.COMMIT: 50, f.PROCESS: 50, f.JOIN: 1000, f.ENCRYPT: 1, f.DECRYPT: 1},
    "chromium": {f.COMMIT: 50, f.PROCESS: 50, f.JOIN: 1000, f.ENCRYPT: 1, f.DECRYPT: 1},
}
"""ms at TARGET_SIZE leaves."""
TARGET_SAVE = 2.0
"""ms to save after one message in a group of 1,000."""
PEERS = (("python", "mls-rs"), ("node", "ts-mls"), ("chromium", "ts-mls"))
"""Ours and the one that it is set beside."""
LEGEND = (
    "Python, Node and Chromium are ours. Medians by the clock; a ratio below 1: ours is faster than its peer."
)
TITLES = {kind.key: kind.title for kind in KINDS}


def _kinds(figures: Figures, suite: int) -> list[Kind]:
    present = {place.kind for place in figures.samples if place.suite == suite}
    noted = {kind for of, _, kind in figures.notes if of == suite}
    return [kind for kind in KINDS if kind.key in present | noted]


def _sizes(figures: Figures, suite: int) -> list[int]:
    sizes = {place.size for place in figures.samples if place.suite == suite}
    return sorted(sizes | {size for of, size, _ in figures.notes if of == suite})


def operation_table(
    figures: Figures, suite: int, operation: str, recipients: Mapping[tuple[int, int], int] | None = None
) -> Table:
    """One operation at all sizes; with `recipients`, to how many keys it encrypts."""
    kinds = _kinds(figures, suite)
    peers = [(own, peer) for own, peer in PEERS if {own, peer} <= {kind.key for kind in kinds}]
    columns = [f"{TITLES[own]} / {TITLES[peer]}" for own, peer in peers]
    header = ["leaves", *(kind.title for kind in kinds), *columns]
    table = Table(f"{operation[0].upper()}{operation[1:]}, suite {SUITES[suite]} (ms)", header)
    if recipients is not None:
        header.insert(1, "keys")
    for size in _sizes(figures, suite):
        times = {kind.key: figures.wall(Place(suite, size, kind.key, operation)) for kind in kinds}
        cells = [f"{size:,}", *(milliseconds(times[kind.key]) for kind in kinds)]
        if recipients is not None:
            cells.insert(1, f"{recipients.get((suite, size), 0):,}")
        table.rows.append([*cells, *(ratio(times[own], times[peer]) for own, peer in peers)])
        for kind in kinds:
            note = figures.notes.get((suite, size, kind.key))
            if note is not None and times[kind.key] is None:
                table.notes.append(f"{DASH} {kind.title}, {size:,} leaves: {note}.")
    return table


def target_table(figures: Figures, size: int = TARGET_SIZE) -> Table:
    """Ours beside what is promised, by the clock and by processor time."""
    header = ["member", "operation", "target", "median", "processor", "samples", "kept"]
    table = Table(f"Targets at {size:,} leaves, suite 0x0001 (ms)", header, names=2)
    for key, targets in TARGETS.items():
        for operation, target in targets.items():
            place = Place(X25519, size, key, operation)
            wall = figures.wall(place)
            if wall is None:
                continue
            kept = "yes" if wall <= target else "NO"
            cells = [TITLES[key], operation, f"{target:,}", milliseconds(wall)]
            cells += [milliseconds(figures.cpu(place)), f"{figures.count(place)}", kept]
            table.rows.append(cells)
    table.notes.append(
        f"Processor: time of all threads, which on a busy machine is less than the median by the clock; {DASH} where "
        "a browser does not tell it."
    )
    return table


def verdict(figures: Figures, kept: Sequence[Kept]) -> str:
    """Which of the targets that were measured are missed, in words."""
    if TARGET_SIZE not in _sizes(figures, X25519) and not kept:
        return f"There are targets at {TARGET_SIZE:,} leaves only, which were not measured."
    missed = _missed(figures, kept)
    return "\n  ".join(("Targets missed:", *missed)) if missed else "All targets are kept."


def _missed(figures: Figures, kept: Sequence[Kept]) -> list[str]:
    found = []
    for key, targets in TARGETS.items():
        for operation, target in targets.items():
            wall = figures.wall(Place(X25519, TARGET_SIZE, key, operation))
            if wall is not None and wall > target:
                found.append(f"{TITLES[key]}, {operation}: {milliseconds(wall)} ms instead of {target:g}")
    for each in kept:
        for what, savings in (("received", each.received), ("sent", each.sent)):
            for who, saving in savings.items():
                if saving.save > TARGET_SAVE:
                    where = f"suite {SUITES[each.suite]}, a message {what}, {who} has spoken"
                    found.append(
                        f"saving, {where}: {milliseconds(saving.save)} ms instead of {TARGET_SAVE:g}"
                    )
    return found


def growth_table(figures: Figures, suite: int = X25519) -> Table | None:
    """How times grow from GROWTH_FROM leaves to the most; None with fewer than three sizes."""
    sizes = [size for size in _sizes(figures, suite) if size >= GROWTH_FROM]
    if len(sizes) < 3:
        return None
    first, last = sizes[0], sizes[-1]
    header = [
        "member",
        "operation",
        f"t({first:,})",
        f"t({last:,})",
        "ratio",
        "R^2 log",
        "R^2 linear",
        "linear share",
    ]
    table = Table(f"Growth from {first:,} to {last:,} leaves, suite {SUITES[suite]} (ms)", header, names=2)
    for kind in _kinds(figures, suite):
        for operation in GROWING:
            points = {
                size: wall
                for size in sizes
                if (wall := figures.wall(Place(suite, size, kind.key, operation))) is not None
            }
            if len(points) < 3 or last not in points or first not in points:
                continue
            table.rows.append(
                [
                    kind.title,
                    operation,
                    milliseconds(points[first]),
                    milliseconds(points[last]),
                    ratio(points[last], points[first]),
                    f"{growth.explained(points, math.log2):.2f}",
                    f"{growth.explained(points, float):.2f}",
                    f"{growth.linear_share(points, last):.0%}",
                ]
            )
    logarithmic, linear = math.log2(last) / math.log2(first), last / first
    table.notes.append(
        f"What grows with the logarithm alone has at most the ratio {logarithmic:.1f}, what grows with the number of "
        f"leaves alone {linear:.0f}. Linear share: of the time at {last:,} leaves, in the best fit of a constant, a "
        "logarithmic and a linear part."
    )
    return table


def state_tables(kept: Sequence[Kept]) -> list[Table]:
    size = kept[0].size
    sizes = Table(
        f"What a device keeps of a group of {size:,}",
        ["suite", "has spoken", "group", "whole store"],
        names=2,
    )
    header = [
        "suite",
        "has spoken",
        "message",
        "save, ms",
        "at least, ms",
        "whole step, ms",
        "rows",
        "bytes",
        "kept",
    ]
    steps = Table(
        f"Saving after one message in a group of {size:,} (target {TARGET_SAVE:g} ms)", header, names=3
    )
    for each in kept:
        name = SUITES[each.suite]
        for who in (storing.NOBODY, storing.EVERYBODY):
            sizes.rows.append([name, who, size_of(each.rows[who]), size_of(each.file[who])])
            for what, saving in (("received", each.received[who]), ("sent", each.sent[who])):
                cells = [name, who, what]
                cells += [milliseconds(value) for value in (saving.save, saving.least, saving.whole)]
                cells += [f"{saving.rows:g}", size_of(saving.written)]
                steps.rows.append([*cells, "yes" if saving.save <= TARGET_SAVE else "NO"])
    sizes.notes.append(
        "Group: bytes of its rows, unsealed. Whole store: the files, with the messages themselves and a chat of two."
    )
    steps.notes.append(
        "Save: encoding what changed, sealing it and committing it to SQLite (synchronous = FULL). At least: one small "
        "row alone, right after. Whole step: with all that the core does for the message. Rows and bytes: what is "
        "written."
    )
    return [sizes, steps]


def tables(figures: Figures, recipients: Mapping[tuple[int, int], int], kept: Sequence[Kept]) -> list[Table]:
    """All, in the order of their weight."""
    made = []
    if TARGET_SIZE in _sizes(figures, X25519):
        made.append(target_table(figures))
    suites = [suite for suite in SUITES if _sizes(figures, suite)]
    for suite in suites:
        # Messages are sealed without the KEM: X-Wing's are those of the other suite.
        operations = (*OPERATIONS, *MORE) if suite == X25519 else OPERATIONS
        made += [operation_table(figures, suite, operation) for operation in operations]
        made += [operation_table(figures, suite, operation, recipients) for operation in FRESH]
        grown = growth_table(figures) if suite == X25519 else None
        made += [] if grown is None else [grown]
    return made + state_tables(kept) if kept else made
