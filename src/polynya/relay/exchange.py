"""One sealed exchange (protocol.md section 2.2)."""

from __future__ import annotations

import asyncio
import time

from polynya.relay.relay import Relay
from polynya.relay.verbs import perform, refuse
from polynya.wire.errors import WireError
from polynya.wire.exchange import open_request
from polynya.wire.messages import PROTOCOL_VERSION, Answer, RefusalCode, Response


class Overloaded(Exception):
    """More requests than Limits.opens_per_second; `wait` is in ms."""

    def __init__(self, wait: int) -> None:
        super().__init__()
        self.wait = wait


async def answer_exchange(relay: Relay, body: bytes) -> bytes | None:
    """The sealed answer; None for a request that cannot be opened, whatever the reason. Raises Overloaded."""
    wait = relay.opens.take(time.monotonic())
    if wait:
        raise Overloaded(wait)
    try:
        exchange, sealer, enc = open_request(relay.private_keys, body)
    except WireError:
        relay.metrics.unopened += 1
        return None
    relay.metrics.exchanges += 1
    code = relay.judge(enc, exchange.time)
    if code is None and not 1 <= exchange.version <= PROTOCOL_VERSION:
        code = RefusalCode.BAD_REQUEST
    if code is not None:
        response: Response = refuse(relay, code)
    else:
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        perform(relay, None, exchange.request, lambda response: _settle(future, response))
        response = await future
    return sealer.seal(Answer(relay.now(), response), relay.random)


def _settle(future: asyncio.Future[Response], response: Response) -> None:
    if not future.done():
        future.set_result(response)
