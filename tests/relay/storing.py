"""What the suites of a store share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from polynya.relay.store.base import DAY, Problem, Store, StoreError

NOW = 20_000 * DAY + 5_000_000

Opener = Callable[[], Awaitable[Store]]


def raises(problem: Problem) -> pytest.RaisesExc[StoreError]:
    return pytest.RaisesExc(StoreError, check=lambda error: error.problem is problem)


def problem_of(outcome: object) -> Problem | None:
    """Of what `asyncio.gather` gave: None where the store did what it was asked; any other error is raised."""
    if isinstance(outcome, StoreError):
        return outcome.problem
    if isinstance(outcome, BaseException):
        raise outcome
    return None


class OneStore:
    @pytest.fixture
    def open_again(self) -> Opener:
        """Opens the store anew on the same data, after closing it if it is open."""
        raise NotImplementedError

    @pytest.fixture
    async def store(self, open_again: Opener) -> AsyncIterator[Store]:
        yield await open_again()
