"""Paying one relay: gives requests their tokens and fills the purse in the background, by exchanges of their own rather
than over the session that reads topics.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from polynya.client.errors import StoreError
from polynya.client.purse import NO_TOKENS, Gift, Purse, Verdict
from polynya.client.refill import HOUR, Refill, Refusal
from polynya.crypto.random import Random
from polynya.errors import PolynyaError
from polynya.wire.messages import Request, Response

log = logging.getLogger("polynya.client")

LOOK = 60.0
"""Seconds after which a moment to fill is looked at again: the device's clock may have been set meanwhile."""
CARD_WAIT = 30.0
"""Seconds for which a newcomer waits for the tokens of an invite that is being opened, before it asks as anybody."""
GIFT_WAIT = 5.0
"""Seconds that an invite waits for tokens to give."""


class PaidLink(Protocol):
    """The connection to the relay, as paying needs it."""

    def relay_time(self) -> int: ...
    def has_unpaid(self) -> bool: ...
    def pay(self) -> None:
        """Requests that wait for tokens are tried again."""
        ...

    def refuse(self, refusal: Refusal, now: int) -> None:
        """Requests that wait for tokens wait no longer."""
        ...

    async def exchange(self, request: Request) -> Response:
        """One sealed exchange; raises CarrierError or WireError."""
        ...

    async def wait_up(self) -> None: ...


class Paying:
    """One relay's. `save` makes the purse durable (raises StoreError), `told` is called when something stands against
    paying or that is over (None), `is_card_coming` says whether an invite's card is being fetched from this relay."""

    def __init__(
        self,
        purse: Purse,
        *,
        random: Random,
        clock: Callable[[], int],
        save: Callable[[Purse], Awaitable[None]],
        told: Callable[[bytes, Refusal | None], None],
        is_card_coming: Callable[[bytes], bool],
    ) -> None:
        self.purse = purse
        self._random = random
        self._clock = clock
        self._save = save
        self._told = told
        self._is_card_coming = is_card_coming
        self._refill = Refill(purse)
        self._link: PaidLink | None = None
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._round_over = asyncio.Event()
        self._wishes = 0
        self._held_since: float | None = None

    def start(self, link: PaidLink) -> None:
        self._link = link
        self._task = asyncio.create_task(self._run(link), name="polynya-paying")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def wake(self) -> None:
        """Something has changed that the next round hangs on."""
        self._woken.set()

    def retry_now(self) -> None:
        self._refill.try_now()
        self.wake()

    # ---- requests ----

    def dress(self, request: Request, time: int) -> Request | None:
        """See Purse.dress."""
        dressed = self.purse.dress(request, time)
        if dressed is not request:
            self.wake()
        return dressed

    def judge(self, sent: Request, response: Response) -> Verdict:
        """See Purse.judge."""
        verdict = self.purse.judge(sent, response)
        if verdict is Verdict.NONE_IS_TAKEN:
            self._told(self.purse.relay, Refusal(NO_TOKENS, self._clock() + HOUR))
        if verdict is not Verdict.HAND_ON:
            self.wake()
        return verdict

    async def save(self) -> None:
        """The purse is on disk when this returns; raises StoreError."""
        await self._save(self.purse)

    def refusal(self) -> Refusal | None:
        """What stands against paying now, where anything does."""
        return self._refill.refusal(self._clock())

    def tokens_came(self) -> None:
        """From a card, and they are on disk."""
        if self._link is not None:
            self._link.pay()
        self._tell()
        self.wake()

    # ---- invites ----

    async def gift(self, time: int) -> Gift | None:
        """Takes out what an invite carries, durably; None where the relay wants no tokens. Raises StoreError."""
        purse = self.purse
        if not purse.is_wanted:
            return None
        if not purse.is_enough_to_give():
            self._wishes += 1
            self._round_over.clear()
            self.wake()
            try:
                async with asyncio.timeout(GIFT_WAIT):
                    await self._round_over.wait()
            except TimeoutError:
                pass  # as much as there is
            finally:
                self._wishes -= 1
        given = purse.give(time)
        try:
            await self.save()
        except StoreError:
            purse.take_back(given)
            raise
        return given

    # ---- filling ----

    async def _run(self, link: PaidLink) -> None:
        while True:
            await self._until_begin(link)
            try:
                await self._round(link)
            except PolynyaError as error:
                log.info("tokens were not asked for: %s", error.code)
                self._refill.failed(self._clock(), self._random)
            except Exception:
                log.exception("asking for tokens failed in a way that it should not")
                self._refill.failed(self._clock(), self._random)
            self._round_over.set()

    async def _until_begin(self, link: PaidLink) -> None:
        while True:
            self._woken.clear()
            self._refuse(link)
            now = self._clock()
            at = self._refill.begins_at(now, link.has_unpaid() or self._wishes > 0, self._random)
            if at is not None and at <= now:
                if not self._is_held():
                    await link.wait_up()
                    return
                wait: float | None = 1.0
            else:
                if self._wishes:
                    self._round_over.set()
                wait = None if at is None else min(LOOK, (at - now) / 1_000)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._woken.wait()

    def _is_held(self) -> bool:
        """Whether tokens are about to come by a card."""
        if not self._is_card_coming(self.purse.relay):
            self._held_since = None
            return False
        time = asyncio.get_running_loop().time()
        if self._held_since is None:
            self._held_since = time
        return time - self._held_since < CARD_WAIT

    def _refuse(self, link: PaidLink) -> None:
        refusal = self.refusal()
        if refusal is not None and link.has_unpaid():
            link.refuse(refusal, self._clock())
            self._told(self.purse.relay, refusal)

    async def _round(self, link: PaidLink) -> None:
        refill = self._refill
        refill.begin()
        if self._wishes:
            refill.fill()
        while (request := refill.step(self._clock(), self._random)) is not None:
            # What is asked for is on disk before the relay has it: it is asked for unchanged after a crash.
            await self.save()
            response = await link.exchange(request)
            refill.answered(request, response, self._clock(), link.relay_time(), self._random)
            await self.save()
            link.pay()
            self._tell()
        if self.purse.keys_differ:
            self._told(self.purse.relay, self.refusal())

    def _tell(self) -> None:
        if self.refusal() is None and self.purse.free():
            self._told(self.purse.relay, None)
