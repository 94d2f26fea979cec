"""What every store must do with members: who may join, and how many tokens each may be issued. Part of the suite of all
stores, see store_conformance.py."""

from __future__ import annotations

import asyncio
import os

from polynya.relay.store.base import DAY, Allowance, Budget, Joins, Payment, Problem, Store, StoreError
from polynya.wire.messages import TokenKind
from tests.relay.store_payment import a_payment, is_spent
from tests.relay.storing import NOW as BEFORE
from tests.relay.storing import OneStore, Opener, problem_of, raises

NOW = BEFORE // DAY * DAY + 5_000
"""early in a day"""
MANY = Joins(1_000, 1_000)
USE = Budget(Allowance(5, 2, 6), Allowance(3, 1, 4))
JOIN = Budget(Allowance(1, 0, 1), Allowance(0, 0, 0))
BUDGETS = {TokenKind.USE: USE, TokenKind.JOIN: JOIN}


async def join(
    store: Store, member: bytes, payment: Payment | None = None, per_day: Joins = MANY, time: int = NOW
) -> bytes:
    await store.join(member, payment, per_day, BUDGETS, time)
    return member


async def invited(store: Store, time: int = NOW) -> bytes:
    return await join(store, os.urandom(32), a_payment(), time=time)


async def draw(
    store: Store,
    member: bytes,
    count: int,
    *,
    kind: TokenKind = TokenKind.USE,
    request: bytes | None = None,
    is_new_allowed: bool = True,
    time: int = NOW,
) -> bool:
    request = request or os.urandom(16)
    return await store.draw(member, kind, count, request, is_new_allowed, BUDGETS[kind], time)


async def wait_for(
    store: Store, member: bytes, count: int, time: int = NOW, kind: TokenKind = TokenKind.USE
) -> int | None:
    """ms that the member is told to wait for so many."""
    try:
        await draw(store, member, count, kind=kind, time=time)
    except StoreError as error:
        assert error.problem is Problem.CROWDED
        return error.wait
    raise AssertionError("it was issued them")


class MemberConformance(OneStore):
    # ---- joining

    async def test_who_is_no_member_draws_nothing(self, store: Store) -> None:
        await invited(store)
        with raises(Problem.UNKNOWN):
            await draw(store, os.urandom(32), 0)

    async def test_joining_again_changes_and_spends_nothing(self, store: Store) -> None:
        member, payment, spare = os.urandom(32), a_payment(), a_payment()
        await join(store, member, payment)
        await draw(store, member, 5)
        for other in (payment, None, spare, payment._replace(request=os.urandom(16))):
            await join(store, member, other, Joins(0, 0))
        assert await is_spent(store, payment)
        assert not await is_spent(store, spare)
        assert await wait_for(store, member, 1) == DAY - 5_000, "it has drawn them"

    async def test_a_payment_makes_one_member(self, store: Store) -> None:
        payment = a_payment()
        payments = [payment._replace(request=number.to_bytes(16, "big")) for number in range(20)]
        outcomes = await asyncio.gather(
            *(join(store, one.request * 2, one) for one in payments), return_exceptions=True
        )
        problems = [problem_of(outcome) for outcome in outcomes]
        assert problems.count(None) == 1
        assert set(problems) == {None, Problem.TOKEN}
        for one, problem in zip(payments, problems, strict=True):
            if problem is not None:
                with raises(Problem.UNKNOWN):
                    await draw(store, one.request * 2, 0)

    async def test_so_many_join_in_a_day(self, store: Store, open_again: Opener) -> None:
        """All of them, as a few who invite one another would else be thousands; and of those without a payment less."""
        per_day = Joins(4, 2)
        first = await join(store, os.urandom(32), None, per_day)
        await join(store, os.urandom(32), None, per_day)
        for time, left in ((NOW, DAY - 5_000), (NOW + DAY - 5_001, 1)):
            with raises(Problem.CROWDED) as refused:
                await join(store, os.urandom(32), None, per_day, time)
            assert refused.value.wait == left
        await join(store, os.urandom(32), a_payment(), per_day)
        store = await open_again()
        with raises(Problem.CROWDED):
            await join(store, os.urandom(32), None, per_day)
        await join(store, os.urandom(32), a_payment(), per_day)
        late = a_payment()
        with raises(Problem.CROWDED) as refused:
            await join(store, os.urandom(32), late, per_day)
        assert refused.value.wait == DAY - 5_000
        await join(store, first, None, per_day)
        assert not await is_spent(store, late)
        for payment in (None, None, a_payment(), a_payment()):
            await join(store, os.urandom(32), payment, per_day, NOW + DAY)
        with raises(Problem.CROWDED):
            await join(store, os.urandom(32), a_payment(), per_day, NOW + DAY)

    async def test_those_who_join_together_are_counted_each(self, store: Store) -> None:
        outcomes = await asyncio.gather(
            *(join(store, os.urandom(32), None, Joins(9, 7)) for _ in range(30)),
            *(join(store, os.urandom(32), a_payment(), Joins(9, 7)) for _ in range(30)),
            return_exceptions=True,
        )
        problems = [problem_of(outcome) for outcome in outcomes]
        assert set(problems) == {None, Problem.CROWDED}
        assert problems.count(None) == 9
        assert problems[:30].count(None) <= 7

    async def test_where_nobody_joins_without_a_payment_that_is_what_is_missing(self, store: Store) -> None:
        await invited(store)
        with raises(Problem.TOKEN):
            await join(store, os.urandom(32), None, Joins(5, 0))
        await join(store, os.urandom(32), a_payment(), Joins(5, 0))

    async def test_the_first_of_all_needs_no_payment_and_is_issued_what_the_invited_are(
        self, store: Store, open_again: Opener
    ) -> None:
        """Who set the relay up can invite the others; nobody else can become the first, not in a year either."""
        first = await join(store, os.urandom(32), None, Joins(5, 0))
        assert await draw(store, first, 5)
        assert await draw(store, first, 1, kind=TokenKind.JOIN)
        store = await open_again()
        for time in (NOW, NOW + 800 * DAY):
            await store.sweep(time)
            with raises(Problem.TOKEN):
                await join(store, os.urandom(32), None, Joins(5, 0), time)
        second = await join(store, os.urandom(32), None, MANY, NOW + 800 * DAY)
        assert await wait_for(store, second, 4, NOW + 800 * DAY) == DAY - 5_000

    # ---- drawing

    async def test_each_kind_is_counted_by_itself_and_by_how_the_member_joined(self, store: Store) -> None:
        guest, stranger = await invited(store), await join(store, os.urandom(32))
        assert await draw(store, guest, 4)
        assert await draw(store, guest, 1, kind=TokenKind.JOIN)
        assert await draw(store, guest, 1)
        assert await draw(store, stranger, 3)
        assert await wait_for(store, stranger, 1) == DAY - 5_000
        with raises(Problem.LARGE):
            await draw(store, stranger, 1, kind=TokenKind.JOIN)
        assert await wait_for(store, guest, 1, kind=TokenKind.JOIN) is None, "never again"
        # How somebody joined is not changed by coming again with a payment.
        await join(store, stranger, a_payment())
        with raises(Problem.LARGE):
            await draw(store, stranger, 5)

    async def test_a_member_draws_what_it_has_saved(self, store: Store, open_again: Opener) -> None:
        member = await invited(store)
        assert await draw(store, member, 3)
        assert await wait_for(store, member, 3) == DAY - 5_000
        assert await wait_for(store, member, 6) == 2 * DAY - 5_000
        with raises(Problem.LARGE):
            await draw(store, member, 7)
        store = await open_again()
        assert await wait_for(store, member, 3, NOW + DAY - 5_001) == 1
        assert await draw(store, member, 4, time=NOW + DAY)
        assert await wait_for(store, member, 1, NOW + DAY) == DAY - 5_000
        assert await draw(store, member, 6, time=NOW + 30 * DAY), "no more is saved"
        assert await wait_for(store, member, 1, NOW + 30 * DAY) == DAY - 5_000

    async def test_what_is_had_at_first_may_be_more_than_can_be_saved(self, store: Store) -> None:
        budget, member = Budget(Allowance(9, 1, 2), Allowance(0, 0, 0)), os.urandom(32)
        await store.join(member, a_payment(), MANY, {TokenKind.USE: budget}, NOW)

        async def drawn(count: int) -> bool:
            return await store.draw(
                member, TokenKind.USE, count, os.urandom(16), True, budget, NOW + 50 * DAY
            )

        with raises(Problem.LARGE):
            await drawn(10)
        assert await drawn(8), "days of nothing take nothing away"
        assert await drawn(1)
        with raises(Problem.LARGE):
            await drawn(3)

    async def test_a_clock_that_was_ahead_holds_nobody_up(self, store: Store) -> None:
        """What was counted under it stays, and from the right day on it is saved up again."""
        member = await invited(store)
        assert await draw(store, member, 6, time=NOW + 200 * DAY)
        assert await wait_for(store, member, 1) == DAY - 5_000
        assert await draw(store, member, 2, time=NOW + DAY)
        assert await wait_for(store, member, 1, NOW + DAY) == DAY - 5_000

    async def test_the_same_request_counts_once(self, store: Store, open_again: Opener) -> None:
        member, request = await invited(store), os.urandom(16)
        assert await draw(store, member, 3, request=request)
        assert await draw(store, member, 3, request=request)
        # One of another kind between does not make it another one.
        assert await draw(store, member, 1, kind=TokenKind.JOIN)
        store = await open_again()
        assert await draw(store, member, 3, request=request)
        assert await draw(store, member, 3, request=request, is_new_allowed=False)
        assert not await draw(store, member, 1, is_new_allowed=False)
        assert await draw(store, member, 2)
        assert await wait_for(store, member, 1) == DAY - 5_000
        # Only the last one is known.
        assert not await draw(store, member, 3, request=request, is_new_allowed=False)

    async def test_what_is_refused_counts_nothing(self, store: Store) -> None:
        member, request = await invited(store), os.urandom(16)
        with raises(Problem.LARGE):
            await draw(store, member, 7, request=request)
        with raises(Problem.CROWDED):
            await draw(store, member, 6, request=request)
        assert not await draw(store, member, 5, request=request, is_new_allowed=False)
        assert await draw(store, member, 5, request=request)

    async def test_requests_that_arrive_together_are_counted_each(self, store: Store) -> None:
        member, other = await invited(store), await invited(store)
        requests = [os.urandom(16) for _ in range(20)]
        outcomes = await asyncio.gather(
            *(draw(store, member, 1, request=request) for request in requests), return_exceptions=True
        )
        problems = [problem_of(outcome) for outcome in outcomes]
        assert problems.count(None) == 5
        assert set(problems) == {None, Problem.CROWDED}
        assert (
            await asyncio.gather(*(draw(store, other, 2, request=requests[0]) for _ in range(10)))
            == [True] * 10
        )
        assert await draw(store, other, 3)

    # ---- retention

    async def test_idle_members_are_forgotten(self, store: Store) -> None:
        idle, busy, joiner = [await invited(store) for _ in range(3)]
        many = [await invited(store) for _ in range(150)]
        await draw(store, idle, 5)
        await draw(store, busy, 1, time=NOW + 300 * DAY)
        await join(store, joiner, time=NOW + 300 * DAY)
        await store.sweep(NOW + 365 * DAY)
        assert await draw(store, many[0], 0, time=NOW + 365 * DAY)
        await store.sweep(NOW + 366 * DAY)
        for member in (idle, *many[1:]):
            with raises(Problem.UNKNOWN):
                await draw(store, member, 0, time=NOW + 366 * DAY)
        for member in (many[0], busy, joiner):
            assert await draw(store, member, 1, time=NOW + 366 * DAY)
        await join(store, idle, a_payment(), time=NOW + 366 * DAY)
        assert await draw(store, idle, 5, time=NOW + 366 * DAY), "it is a new one"
