"""What is kept of one relay to seal to it: its verified keys, its clock, and the single sealed exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from polynya.carriers.base import Carrier, CarrierError, CarrierProblem
from polynya.crypto.random import Random
from polynya.wire import cbor
from polynya.wire.errors import WireError
from polynya.wire.exchange import seal_request
from polynya.wire.keys import VerifiedKeyConfigs, verify_key_configs
from polynya.wire.messages import (
    KEY_CONFIG_LIFETIME,
    PROTOCOL_VERSION,
    Answer,
    Exchange,
    KeyConfig,
    RefusalCode,
    Refused,
    Request,
    Response,
)

FRESH = KEY_CONFIG_LIFETIME * 2 // 3
"""ms of a key's life in which it is used without asking for a newer one: the relay makes one then."""

BIAS = 2**50
"""Added to the difference of clocks when it is kept, as the encoding has no negative numbers."""


@dataclass(slots=True)
class Sealing:
    """One relay's keys and clock. `identity` is pinned: what it did not sign is not used."""

    identity: bytes
    random: Random = field(kw_only=True)
    clock: Callable[[], int] = field(kw_only=True)
    difference: int = 0
    """ms: the relay's clock minus ours, from its last authenticated answer."""
    told: int = 0
    """ms: the latest time in an authenticated answer, within the life of the key that it was sealed to."""
    _keys: VerifiedKeyConfigs | None = field(default=None, repr=False)

    def relay_time(self) -> int:
        """ms: the relay's clock as well as we know it."""
        return max(0, self.clock() + self.difference)

    def learn(self, time: int) -> None:
        """Takes the time of an authenticated answer. A key's end bounds what it says of the time: a relay whose clock
        was wrong for a minute would shut us out for ever."""
        self.difference = time - self.clock()
        bound = time if self._keys is None else min(time, self._keys.newest.not_after)
        self.told = max(self.told, bound)

    async def key(self, carrier: Carrier) -> KeyConfig:
        """The relay's key to seal to, fetched over `carrier` if need be. Raises CarrierError, or
        WireError for keys that the pinned identity did not sign or that are outdated."""
        if self._keys is None or self.relay_time() - self._keys.newest.not_before > FRESH:
            self._keys = verify_key_configs(self.identity, await carrier.keys(), self.told)
        return self._keys.newest

    def forget_keys(self) -> None:
        """The relay could not open what we sealed: ask for its keys again."""
        self._keys = None

    async def exchange(self, carrier: Carrier, request: Request) -> tuple[Response, int]:
        """(response, relay's time in ms) of one sealed exchange. Tries once more where the relay's key
        was gone, our clock was wrong, or an encapsulation was repeated on the way. Raises CarrierError
        or WireError."""
        for attempt in range(3):
            try:
                answer = await self._exchange_once(carrier, request)
            except CarrierError as error:
                if error.problem is not CarrierProblem.NOT_OPENED or attempt:
                    raise
                self.forget_keys()
                continue
            response = answer.response
            if isinstance(response, Refused) and response.code in (RefusalCode.CLOCK, RefusalCode.REPEATED):
                continue
            return response, answer.time
        raise CarrierError(CarrierProblem.NOT_A_RELAY, "it refuses our time again and again")

    async def _exchange_once(self, carrier: Carrier, request: Request) -> Answer:
        config = await self.key(carrier)
        exchange = Exchange(PROTOCOL_VERSION, self.relay_time(), request)
        sealed, opener = seal_request(config, exchange, self.random)
        answer = opener.open(await carrier.exchange(sealed))
        self.learn(answer.time)
        return answer

    def remember(self, paths: bytes) -> bytes:
        """For the next run, with what the path manager wants to know."""
        return cbor.encode([max(0, self.difference + BIAS), self.told, paths])

    def recall(self, memory: bytes | None) -> bytes | None:
        """Takes what `remember` made and gives the path manager's part. What cannot be read is left out:
        only `told` guards safety, and an attacker of the store could take it away just as well."""
        try:
            value = cbor.decode(memory) if memory is not None else None
        except WireError:
            return None
        match value:
            case [int(difference), int(told), bytes(paths)]:
                self.difference = difference - BIAS
                self.told = told
                return paths
        return None
