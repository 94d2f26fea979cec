"""What instrumented code asks while it runs. One site at most is off; with `seen` set, sites that mattered are noted."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")

active: str | None = None
"""The site that is off."""
seen: set[str] | None = None
"""Sites that would have gone another way, were they off."""


def _off(site: str) -> bool:
    if seen is not None:
        seen.add(site)
    return site == active


def raises(site: str) -> bool:
    """Asked where an error is about to be raised: whether to raise it."""
    return not _off(site)


def refuses(site: str, condition: T) -> T | bool:
    """The condition under which something is refused."""
    return False if condition and _off(site) else condition


def part(site: str, value: T, neutral: bool) -> T | bool:
    """One operand of a condition; off, it has no say."""
    return neutral if bool(value) is not neutral and _off(site) else value


def verdict(site: str, value: T) -> T | bool:
    """What a function that answers yes or no returns; off, it always says yes, or always no."""
    word = "no" if value else "yes"
    return not value if _off(f"{site} = {word}") else value
