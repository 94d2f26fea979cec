"""What every store must do with payments: each pays once, for one request, and only where something new is made. Part of
the suite of all stores, see store_conformance.py."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable

from polynya.relay.limits import MIB
from polynya.relay.store.base import DAY, Payment, Problem, Store, key_number
from polynya.wire.messages import KEY_PACKAGES_STORED, TOKEN_KEY_LIFETIME, TOKEN_KEY_PERIOD, TokenKind
from tests.relay.storing import NOW, OneStore, Opener, problem_of, raises

KEY = key_number(TokenKind.USE, NOW // TOKEN_KEY_PERIOD * TOKEN_KEY_PERIOD)
PART = 65_536


def pays_for(what: str, nonce: bytes, key: int = KEY) -> Payment:
    return Payment(key, nonce, hashlib.sha256(what.encode()).digest()[:16])


def a_payment() -> Payment:
    return pays_for("something", os.urandom(32))


async def is_spent(store: Store, payment: Payment) -> bool:
    """Asked by making a topic with it: afterwards it is."""
    try:
        await store.create_topic(os.urandom(32), 30, NOW, payment._replace(request=os.urandom(16)))
    except Exception as error:
        assert problem_of(error) is Problem.TOKEN
        return True
    return False


Making = Callable[[Store, Payment | None], Awaitable[object]]


def makings() -> dict[str, Making]:
    """Everything that is paid for, each of something of its own."""
    topic, inbox, owner, data = (os.urandom(32) for _ in range(4))
    blob = hashlib.sha256(data).digest()
    return {
        "a topic": lambda store, payment: store.create_topic(topic, 30, NOW, payment),
        "an inbox": lambda store, payment: store.create_inbox(inbox, NOW, payment),
        "key packages": lambda store, payment: store.put_key_packages(owner, [b"one"], b"last", NOW, payment),
        "an empty stock": lambda store, payment: store.put_key_packages(owner[::-1], [], None, NOW, payment),
        "a blob": lambda store, payment: store.put_blob(blob, 32, 0, data, NOW, payment),
    }


class PaymentConformance(OneStore):
    async def test_without_a_payment_nothing_is_made(self, store: Store) -> None:
        for name, make in makings().items():
            with raises(Problem.TOKEN):
                await make(store, None)
            payment = a_payment()
            await make(store, payment)
            assert await is_spent(store, payment), f"{name} was there without it"

    async def test_a_payment_is_spent_where_something_is_made_and_only_there(self, store: Store) -> None:
        for name, make in makings().items():
            payment, spare = a_payment(), a_payment()
            first = await make(store, payment)
            for other in (payment, None, spare):
                assert await make(store, other) == first, name
            assert not await is_spent(store, spare), name
            for another, make_another in makings().items():
                with raises(Problem.TOKEN):
                    await make_another(store, payment._replace(request=os.urandom(16)))
                assert await is_spent(store, payment), another

    async def test_the_same_request_may_be_made_again_for_what_was_lost(self, store: Store) -> None:
        """A payment pays for a request, not for a moment: what is gone meanwhile is made anew."""
        inbox, payment = os.urandom(32), a_payment()
        await store.create_inbox(inbox, NOW, payment)
        await store.delete_inbox(inbox, NOW)
        with raises(Problem.TOKEN):
            await store.create_inbox(os.urandom(32), NOW, payment._replace(request=os.urandom(16)))
        with raises(Problem.TOKEN):
            await store.create_inbox(inbox, NOW, None)
        await store.create_inbox(inbox, NOW, payment)
        assert await store.heads([], [inbox], NOW) == ([], [0])

    async def test_what_is_refused_for_another_reason_spends_nothing(self, store: Store) -> None:
        topic, data, payment = os.urandom(32), os.urandom(100), a_payment()
        blob = hashlib.sha256(data).digest()
        await store.create_topic(topic, 30, NOW)
        await store.put_blob(blob, 100, 0, data[:50], NOW)
        with raises(Problem.EXISTS):
            await store.create_topic(topic, 31, NOW, payment)
        with raises(Problem.EXISTS):
            await store.create_inbox(topic, NOW, payment)
        with raises(Problem.EXISTS):
            await store.put_blob(blob, 101, 50, data[50:], NOW, payment)
        with raises(Problem.WRONG):
            await store.put_blob(os.urandom(32), 10, 0, data, NOW, payment)
        assert not await is_spent(store, payment)

    async def test_a_payment_that_pays_for_many_at_once_pays_for_one(self, store: Store) -> None:
        """Each topic is asked for twice: the payment is worth one of them, and that one again."""
        nonce = os.urandom(32)
        payments = [Payment(KEY, nonce, number.to_bytes(16, "big")) for number in range(40)]
        outcomes = await asyncio.gather(
            *(
                store.create_topic(payment.request * 2, 30, NOW, payment)
                for payment in (*payments, *payments)
            ),
            return_exceptions=True,
        )
        problems = [problem_of(outcome) for outcome in outcomes]
        made = {number % 40 for number, problem in enumerate(problems) if problem is None}
        assert len(made) == 1
        assert problems.count(None) == 2, "asked again it is the same"
        assert set(problems) == {None, Problem.TOKEN}
        heads, _ = await store.heads([payment.request * 2 for payment in payments], [], NOW)
        assert {number for number, head in enumerate(heads) if head is not None} == made

    async def test_nonces_of_different_keys_are_different(self, store: Store) -> None:
        nonce = os.urandom(32)
        for key in (KEY, KEY + 1, KEY + len(TokenKind)):
            await store.create_topic(os.urandom(32), 30, NOW, pays_for(str(key), nonce, key))
        with raises(Problem.TOKEN):
            await store.create_topic(os.urandom(32), 30, NOW, pays_for("more", nonce))

    async def test_spent_nonces_are_remembered_after_opening_again(
        self, store: Store, open_again: Opener
    ) -> None:
        topic, spent, unspent = os.urandom(32), a_payment(), a_payment()
        await store.create_topic(topic, 30, NOW, spent)
        store = await open_again()
        await store.create_topic(topic, 30, NOW, spent)
        assert await is_spent(store, spent)
        assert not await is_spent(store, unspent)

    async def test_spent_nonces_are_kept_for_a_lifetime_after_the_end_of_their_key(
        self, store: Store
    ) -> None:
        """A clock that was ahead for a while must not make spent tokens good again."""
        kept = pays_for("kept", os.urandom(32))
        gone = [pays_for(f"gone {number}", os.urandom(32)) for number in range(200)]
        for payment in (kept, *gone):
            await store.create_topic(os.urandom(32), 1, NOW, payment)
        begins = NOW // TOKEN_KEY_PERIOD * TOKEN_KEY_PERIOD
        await store.sweep(begins + 2 * TOKEN_KEY_LIFETIME - DAY)
        assert await is_spent(store, kept)
        await store.sweep(begins + 2 * TOKEN_KEY_LIFETIME + 2 * TOKEN_KEY_PERIOD)
        for payment in gone:
            assert not await is_spent(store, payment)

    # ---- key packages

    async def test_packages_are_paid_for_where_one_is_new_and_finds_room(self, store: Store) -> None:
        owner = os.urandom(32)
        stock = [b"package %d" % number for number in range(KEY_PACKAGES_STORED)]
        await store.put_key_packages(owner, stock[:-1], b"last", NOW, a_payment())
        with raises(Problem.TOKEN):
            await store.put_key_packages(owner, stock, None, NOW, None)
        with raises(Problem.TOKEN):
            await store.put_key_packages(owner, [], b"another last", NOW, None)
        assert (await store.take_key_package(owner, False, NOW)).package == b"last"
        paid, full = a_payment(), a_payment()
        assert await store.put_key_packages(owner, stock, None, NOW, paid) == len(stock)
        assert await is_spent(store, paid)
        # More is not kept, so it is not paid for.
        assert await store.put_key_packages(owner, [b"more"], None, NOW, full) == len(stock)
        assert await store.put_key_packages(owner, [b"more"], None, NOW, None) == len(stock)
        # What was handed out does not come back, so there is nothing to pay for; what is new is.
        await store.take_key_package(owner, True, NOW)
        assert await store.put_key_packages(owner, stock, None, NOW, full) == len(stock) - 1
        assert not await is_spent(store, full)
        with raises(Problem.TOKEN):
            await store.put_key_packages(owner, [b"more"], None, NOW, None)
        assert await store.put_key_packages(owner, [b"more"], None, NOW, a_payment()) == len(stock)

    # ---- blobs

    async def test_each_mib_of_a_blob_is_paid_for_before_it_is_written(self, store: Store) -> None:
        data = os.urandom(2 * MIB + 10_000)
        blob, at = hashlib.sha256(data).digest(), 0
        paid: list[Payment] = []
        # Parts that end at no MiB's end: one byte in the next is enough.
        while at < len(data):
            part = data[at : at + PART - 100]
            if -(-at // MIB) * MIB < at + len(part):
                for payment in (None, *(one._replace(request=os.urandom(16)) for one in paid)):
                    with raises(Problem.TOKEN):
                        await store.put_blob(blob, len(data), at, part, NOW, payment)
                assert await store.put_blob(blob, len(data), at, b"", NOW, None) == at
                paid.append(a_payment())
                at = await store.put_blob(blob, len(data), at, part, NOW, paid[-1])
            else:
                at = await store.put_blob(blob, len(data), at, part, NOW, None)
        assert len(paid) == 3
        unspent = a_payment()
        assert await store.put_blob(blob, len(data), 0, data[:PART], NOW, unspent) == len(data)
        assert not await is_spent(store, unspent)
        assert await store.get_blob(blob, 2 * MIB, PART) == (len(data), data[2 * MIB :])

    async def test_asking_how_much_of_a_blob_is_there_makes_and_spends_nothing(self, store: Store) -> None:
        data, payment = os.urandom(100), a_payment()
        blob = hashlib.sha256(data).digest()
        assert await store.put_blob(blob, 100, 0, b"", NOW, payment) == 0
        assert await store.put_blob(blob, 100, 50, data[50:], NOW, payment) == 0, (
            "does not begin at the start"
        )
        assert not await is_spent(store, payment)
        assert await store.put_blob(blob, 99, 0, b"", NOW, None) == 0, "its size was not taken down"

    async def test_a_blob_that_was_forgotten_goes_on_with_the_same_payment(
        self, store: Store, open_again: Opener
    ) -> None:
        data, payment = os.urandom(100), a_payment()
        blob = hashlib.sha256(data).digest()
        await store.put_blob(blob, 100, 0, data[:50], NOW, payment)
        with raises(Problem.WRONG):
            await store.put_blob(blob, 100, 50, bytes(50), NOW, None)
        store = await open_again()
        with raises(Problem.TOKEN):
            await store.put_blob(blob, 100, 0, data[:50], NOW, None)
        assert await store.put_blob(blob, 100, 0, data[:50], NOW, payment) == 50
        assert await store.put_blob(blob, 100, 50, data[50:], NOW, None) == 100
