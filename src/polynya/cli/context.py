"""Where a command reads and writes: this process's own streams, or those of another one that it works for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from polynya.client import Client


def _out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _err(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


@cache
def _own_input() -> bytes:
    """All of standard input; kept, as the command may turn out to be another process's work."""
    return sys.stdin.buffer.read()


def own_input_so_far() -> bytes | None:
    """What was read of standard input; None if nothing was."""
    return _own_input() if _own_input.cache_info().currsize else None


def forget_own_input() -> None:
    _own_input.cache_clear()


@dataclass(frozen=True, slots=True)
class Context:
    out: Callable[[str], None] = _out
    err: Callable[[str], None] = _err
    read: Callable[[], bytes] = _own_input
    ascii_only: Callable[[], bool] = lambda: (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    folder: Path = Path()
    """That relative paths start from."""
    client: Client | None = None
    """An account that is open already, for the store that the command is about."""


CURRENT: ContextVar[Context] = ContextVar("polynya-command", default=Context())  # noqa: B039 - it is frozen


def path_of(text: str) -> Path:
    """A path as the person meant it."""
    return CURRENT.get().folder / Path(text).expanduser()
