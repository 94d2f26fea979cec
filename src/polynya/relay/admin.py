"""The page on the local address: how the relay is, and how it was, at a glance. Made whole on each request; it has no
script, loads nothing, and nothing on it changes anything."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from polynya.relay.history import FEW, FEW_SESSIONS, History, Point
from polynya.relay.plots import Line, plot, round_up, round_up_size
from polynya.relay.status import Status
from polynya.relay.words import amount, at_least, number, span

STYLE = Path(__file__).with_name("admin.css").read_text("utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
REFRESH = 60
"""Seconds after which a browser loads it again."""
MARKS = {"hour": "%H:%M", "day": "%H:%M", "week": "%d %b"}
RANGES = {"hour": "Last hour", "day": "Last day", "week": "Last week"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One plot: what it shows, and why that tells nothing about a person."""

    title: str
    lines: tuple[tuple[str, str], ...]
    """attributes of Point and their names"""
    show: Callable[[float], str]
    harmless: str


FIGURES = (
    Figure(
        "Load, per minute",
        (("records", "records taken"), ("deliveries", "deliveries")),
        number,
        f"Rounded to 1, 2 or 5 times a power of ten; fewer than {FEW} in a step are none, so a few people's "
        "conversation does not show.",
    ),
    Figure(
        "Time until a record is on disk",
        (("half", "half within"), ("most", "99 of 100 within")),
        lambda value: f"{number(value)} ms",
        f"It depends on the disk. With fewer than {FEW} records in a step it is left out.",
    ),
    Figure(
        "Disk",
        (("free", "free"), ("database", "database")),
        amount,
        "Free space in steps of 256 MiB, the database in steps of 16 MiB: no file and no conversation shows.",
    ),
    Figure(
        "Sessions",
        (("sessions", "open"),),
        number,
        f"Rounded in the same way; fewer than {FEW_SESSIONS} are none, so nobody's coming and going shows.",
    ),
    Figure(
        "Processor",
        (("processor", "of one core"),),
        lambda value: f"{number(value)} %",
        "Rounded in the same way; less than 1 % is none, which is thousands of records.",
    ),
    Figure(
        "Memory",
        (("memory", "in use"),),
        amount,
        "In steps of 16 MiB, a thousand sessions.",
    ),
    Figure(
        "Requests, per minute",
        (("requests", "answered"), ("refusals", "refused or turned away")),
        number,
        f"Rounded as the load is, and fewer than {FEW} in a step are none.",
    ),
)  # fmt: skip


def page(status: Status, history: History, wanted: str, now: int) -> str:
    """The HTML; `wanted` is one of RANGES, else the day is shown. `now` in ms."""
    chosen = wanted if wanted in RANGES else "day"
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Polynya relay</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="refresh" content="{REFRESH}"><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head><body><main>"
    )
    figures = "".join(_figure(figure, history, chosen, now) for figure in FIGURES)
    ranges = "".join(
        f'<a href="/?range={name}"{" aria-current=page" if name == chosen else ""}>{text}</a>'
        for name, text in RANGES.items()
    )
    return (
        f"{head}<h1>Polynya relay</h1>{_about(status)}{_problems(status)}{_numbers(status)}"
        f'<nav aria-label="Time">{ranges}</nav><div class="grid-of">{figures}</div>{_explained()}</main></body></html>'
    )


def _about(status: Status) -> str:
    return f'<p class="soft">version {escape(status.version)}, running for {span(status.uptime)}; times are UTC</p>'


def _problems(status: Status) -> str:
    if not status.problems:
        return '<p class="fine">Nothing is wrong.</p>'
    return "".join(
        f'<div class="card problem" role="alert"><b>{escape(problem.what)}</b><p>{escape(problem.do)}</p></div>'
        for problem in status.problems
    )


def _numbers(status: Status) -> str:
    recent = status.recent
    cards = [
        ("sessions", at_least(recent.sessions, FEW_SESSIONS)),
        ("records a minute", f"{number(recent.records)} or more" if recent.records else "few"),
        ("99 of 100 on disk in", "too few to tell" if recent.most is None else f"{number(recent.most)} ms"),
        ("free on the disk", amount(recent.free)),
    ]
    if status.certificate is not None:
        left = status.certificate["seconds_left"]
        cards.append(("certificate", f"{span(left)} left" if left > 0 else "none"))
    return '<div class="grid-of numbers">' + "".join(
        f'<div class="card"><span class="soft">{escape(name)}</span><b>{escape(value)}</b></div>'
        for name, value in cards
    ) + "</div>"  # fmt: skip


def _figure(figure: Figure, history: History, chosen: str, now: int) -> str:
    ring = history.rings[chosen]
    points: list[Point] = list(ring.points)
    colours = ("first", "second")
    lines = [
        Line(name, colour, [getattr(point, attribute) for point in points])
        for (attribute, name), colour in zip(figure.lines, colours, strict=False)
    ]
    begin = now - ring.step * (ring.points.maxlen or 1)
    times = [point.time for point in points]
    ceiling = round_up_size if figure.show is amount else round_up
    drawn = plot(lines, times, begin, now, MARKS[chosen], figure.show, ceiling)
    legend = "".join(
        f'<span class="{colour}">{escape(line.name)}</span>'
        for line, colour in zip(lines, colours, strict=False)
    )
    if not points:
        drawn = f'<p class="soft">Nothing yet: a point comes every {span(ring.step / 1000)}.</p>'
    return (
        f'<section class="card"><h2>{escape(figure.title)}</h2><p class="legend soft">{legend}</p>{drawn}'
        "</section>"
    )


def _explained() -> str:
    rows = "".join(f"<dt>{escape(figure.title)}</dt><dd>{escape(figure.harmless)}</dd>" for figure in FIGURES)
    return (
        '<details class="soft"><summary>Why these figures tell nothing about people</summary>'
        "<p>Steps are five minutes in the last hour, half an hour in the last day, six hours in the last week; only the "
        f"last are on disk, for a week.</p><dl>{rows}</dl></details>"
    )
