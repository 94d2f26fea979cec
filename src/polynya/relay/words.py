"""Numbers as an operator reads them."""

from __future__ import annotations

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def number(value: float) -> str:
    """Short: 5, 0.2, 2 000, 50k, 2M."""
    for size, unit in ((1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e6 if unit == 'M' else 1e3):g}{unit}"
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}".replace(",", "\u202f")


def amount(size: float) -> str:
    """Bytes."""
    unit = 0
    while size >= 1024 and unit < len(UNITS) - 1:
        size /= 1024
        unit += 1
    return f"{size:.3g} {UNITS[unit]}"


def at_least(count: float, few: int) -> str:
    """A count that is rounded down, and 0 below `few`: 40 or more, under 5."""
    return f"{number(count)} or more" if count else f"under {few}"


def span(seconds: float) -> str:
    """In its largest unit, two where that says more: 3 days, 1 day 4 hours, 12 minutes."""
    parts = []
    left = max(0, int(seconds))
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}" + ("" if count == 1 else "s"))
    if not parts:
        return "0 seconds"
    return " ".join(parts[:2]) if parts[0].startswith("1 ") else parts[0]
