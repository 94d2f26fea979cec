"""What a program under test says, line by line."""

from __future__ import annotations

import asyncio


async def said_until(stream: asyncio.StreamReader, words: str) -> str:
    """Everything that the program says up to and with the first line that holds `words`. Fails with what it said where
    it ends before: a stream that is over gives empty lines without end, and no timeout could stop who waits for more."""
    said = ""
    while line := (await stream.readline()).decode():
        said += line
        if words in line:
            return said
    raise AssertionError(f"the program ended without saying {words!r}; it said: {said}")
