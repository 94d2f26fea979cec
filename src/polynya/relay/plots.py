"""Lines over time as SVG, for the admin page. No script, no outside resource; colours are the page's classes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 360, 150
LEFT, RIGHT, TOP, BOTTOM = 56, 8, 10, 22
"""Margins, for the marks."""
MARKS = 4
"""Of the time axis, at most."""
DOT = 2.0


@dataclass(frozen=True, slots=True)
class Line:
    """`values` has None where there is nothing to tell."""

    name: str
    colour: str
    """a class of the page"""
    values: Sequence[float | None]


def round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten, so that marks are round."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(lead * power for lead in (1, 2, 5, 10, 20) if lead * power >= value * (1 - 1e-9))


def round_up_size(value: float) -> float:
    """The same for bytes: the next power of two."""
    return 2.0 ** math.ceil(math.log2(value)) if value > 1 else 1.0


def plot(
    lines: Sequence[Line],
    times: Sequence[int],
    begin: int,
    end: int,
    mark: str,
    show: Callable[[float], str],
    ceiling: Callable[[float], float] = round_up,
) -> str:
    """`times`: ms of each point; `begin` and `end` of the axis. `mark`: strftime's for times, which are UTC; `show`: a
    value with its unit; `ceiling`: the top of the axis for the highest value."""
    top = ceiling(max((value for line in lines for value in line.values if value is not None), default=0.0))

    def x(moment: float) -> float:
        return LEFT + (moment - begin) / (end - begin) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)

    label = ", ".join(line.name for line in lines)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">']
    for share in (0.0, 0.5, 1.0):
        at = y(top * share)
        text = show(top * share)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(
            f'<text class="mark" x="{LEFT - 5}" y="{at + 3.5:.1f}" text-anchor="end">{escape(text)}</text>'
        )
    for moment in _marks(begin, end):
        text = time.strftime(mark, time.gmtime(moment / 1000))
        parts.append(
            f'<text class="mark" x="{x(moment):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{escape(text)}</text>'
        )
    for line in lines:
        parts.append(_line(line, times, x, y))
    return "".join([*parts, "</svg>"])


def _line(line: Line, times: Sequence[int], x: Callable[[float], float], y: Callable[[float], float]) -> str:
    """Pieces between the gaps; a point by itself is a dot."""
    pieces: list[list[str]] = [[]]
    for moment, value in zip(times, line.values, strict=True):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{x(moment):.1f},{y(value):.1f}")
    drawn = []
    for piece in pieces:
        if len(piece) == 1:
            cx, cy = piece[0].split(",")
            drawn.append(f'<circle cx="{cx}" cy="{cy}" r="{DOT}" class="{line.colour}"/>')
        elif piece:
            drawn.append(f'<polyline points="{" ".join(piece)}" class="{line.colour}"/>')
    return "".join(drawn)


def _marks(begin: int, end: int) -> list[int]:
    """Round times inside, ms: every so many minutes, hours or days (UTC)."""
    minute = 60_000
    for step in (15 * minute, 30 * minute, 60 * minute, 360 * minute, 1_440 * minute, 2_880 * minute):
        marks = list(range(-(-begin // step) * step, end, step))
        if len(marks) <= MARKS:
            break
    # One at the very edge would be cut off.
    room = (end - begin) // 20
    return [moment for moment in marks if begin + room <= moment <= end - room]
