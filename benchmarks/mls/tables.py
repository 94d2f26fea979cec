"""Tables as text for a terminal and as Markdown for a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

DASH = "-"


@dataclass(slots=True)
class Table:
    """The first `names` columns are words, the others numbers; `notes` stand below."""

    title: str
    header: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    names: int = 1

    def text(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        out = [self.title, ""]
        for place, line in enumerate(lines):
            cells = [
                cell.ljust(width) if column < self.names else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            out.append("  " + "  ".join(cells).rstrip())
            if place == 0:
                out.append("  " + "  ".join("-" * width for width in widths))
        return "\n".join((*out, *(f"  {note}" for note in self.notes)))

    def markdown(self) -> str:
        def line(cells: Sequence[str]) -> str:
            return f"| {' | '.join(cells)} |"

        numbers = len(self.header) - self.names
        rule = line([":--"] * self.names + ["--:"] * numbers)
        table = "\n".join((line(self.header), rule, *map(line, self.rows)))
        return "\n\n".join((f"**{self.title}**", table, *self.notes))


def milliseconds(value: float | None) -> str:
    """Two digits that count, more where they are whole."""
    if value is None:
        return DASH
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(value: float | None, to: float | None) -> str:
    if value is None or not to:
        return DASH
    found = value / to
    return f"{found:.1f}" if found >= 1 else f"{found:.2f}"


def size_of(count: float) -> str:
    """Bytes in a unit that reads well."""
    if count >= 1e6:
        return f"{count / 1e6:.2f} MB"
    return f"{count / 1e3:.1f} KB" if count >= 1e3 else f"{count:.0f} B"
