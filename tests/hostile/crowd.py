"""People at the SDK, each on a network address of their own, on a relay whose owner misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp

from polynya import Client
from polynya.carriers._http import HEADERS
from polynya.carriers.base import Carrier
from polynya.carriers.https import HttpsCarrier
from polynya.carriers.websocket import WebSocketCarrier
from polynya.client.loop import LoopEvent
from polynya.client.system import now
from polynya.core._state import Topic
from polynya.core.commands import ProblemRaised
from polynya.core.state import CONVERSATION, ME, TOPIC
from polynya.wire.labels import owner_id, owner_secret
from polynya.wire.messages import SUITE_X25519, SUITE_XWING, Ping, RelayAddress
from tests.client.people import WAIT, meet, member_of, until
from tests.hostile.operator import Operator, hostile_relay

NAMES = ("anna", "boris", "clara", "dina")
ADDRESSES = {f"127.77.0.{11 + place}": name for place, name in enumerate(NAMES)}
"""Of the loopback network, where a host may use any."""


class Crowd:
    """Who is on the relay. Clocks of their devices follow the relay's, as they do."""

    def __init__(self, operator: Operator, folder: Path, stack: AsyncExitStack) -> None:
        self.operator = operator
        self.clients: dict[str, Client] = {}
        self._carriers: dict[str, list[Carriers]] = {}
        self._folder = folder
        self._stack = stack

    async def join(self, name: str) -> Client:
        """Somebody new, registered."""
        address = next(address for address, each in ADDRESSES.items() if each == name)

        made = self._carriers.setdefault(name, [])
        client = Client(self._folder / name, carriers=carriers_from(address, made), clock=now)
        await self._stack.enter_async_context(client)
        await client.register(name.capitalize(), self.operator.link)
        self.clients[name] = client
        return client

    async def lead(self, name: str, operator: Operator, former: Operator) -> None:
        """The owner leads somebody to another of his machines from now on."""
        for carrier in self._carriers[name]:
            carrier.lead_to(operator.running.address)
        former.hang_up(name)
        await self._connected(name, operator)

    async def again(self, *names: str) -> None:
        """Ends somebody's session (or everybody's), and waits for the next."""
        for name in names or tuple(self.clients):
            self.operator.hang_up(name)
            await self._connected(name, self.operator)

    async def _connected(self, name: str, operator: Operator) -> None:
        client = self.clients[name]

        def is_there() -> bool:
            client.retry_now()
            return bool(operator.sessions(name))

        await eventually(is_there)
        await client.settled()

    async def pass_time(self, ms: int, *names: str) -> None:
        """The relay's clock goes on, and everybody (or who is named) hears of it."""
        self.operator.shift += ms
        for name in names or tuple(self.clients):
            client = self.clients[name]
            home = client.me.relay.identity
            await client.loop.links[home].ask(Ping())
            client.loop._adopt_time(home)

    async def friends(self, *names: str) -> list[Client]:
        """The first is everybody's contact."""
        found = [await self.join(name) for name in names]
        for other in found[1:]:
            await meet(found[0], other)
        return found

    async def group(self, *names: str) -> tuple[bytes, list[Client]]:
        """A group of new people, everybody in it and at rest; the first is its admin."""
        members = await self.friends(*names)
        view = await members[0].create_group("Lake trip", [other.me.identity for other in members[1:]])
        for member in members:
            await member_of(member, view.id, len(members))
        await rest(*members)
        return view.id, members


async def rest(*clients: Client) -> None:
    """Until nothing more goes out by itself: receipts of what one says are gathered by the others."""
    for client in clients:
        await client.flush()
    for client in clients:
        await client.settled()


class Carriers(WebSocketCarrier):
    """The direct carriers from one address of this machine, in one: people do not change to single requests, which the
    owner could not tell apart."""

    properties = replace(WebSocketCarrier.properties, exchanges=True)

    def __init__(self, address: str, relay: RelayAddress) -> None:
        super().__init__(relay.url)
        self._https = HttpsCarrier(relay.url)
        for carrier in (self, self._https):
            carrier._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(local_addr=(address, 0)),
                headers=HEADERS,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )

    def lead_to(self, url: str) -> None:
        self._url = self._https._url = url

    async def keys(self) -> bytes:
        return await self._https.keys()

    async def exchange(self, body: bytes) -> bytes:
        return await self._https.exchange(body)

    async def close(self) -> None:
        await self._https.close()
        await super().close()


def carriers_from(
    address: str, made: list[Carriers] | None = None
) -> Callable[[RelayAddress], Mapping[str, Carrier]]:
    """For a client on this address; whatever it makes is added to `made`."""

    def carriers(relay: RelayAddress) -> Mapping[str, Carrier]:
        carrier = Carriers(address, relay)
        if made is not None:
            made.append(carrier)
        return {"websocket": carrier}

    return carriers


async def eventually(check: Callable[[], object]) -> None:
    """Waits until `check` is true, where no event tells of it."""
    async with asyncio.timeout(WAIT):
        while not check():
            await asyncio.sleep(0.02)


def topic_of(client: Client, chat: bytes) -> Topic:
    """The topic that the conversation writes to, as the client has read it."""
    conversation = client.loop.core._state.get(CONVERSATION, chat)
    assert conversation is not None
    topic = client.loop.core._state.get(TOPIC, conversation.topic)
    assert topic is not None
    return topic


def slot_of(client: Client, chat: bytes) -> bytes:
    """The slot of the present epoch."""
    conversation = client.loop.core._state.get(CONVERSATION, chat)
    assert conversation is not None
    return conversation.slot


def owners_of(client: Client) -> set[bytes]:
    """Under which ids the relay keeps the client's key packages."""
    me = client.loop.core._state.get(ME, b"")
    assert me is not None
    return {owner_id(owner_secret(me.owner_secret, suite)) for suite in (SUITE_XWING, SUITE_X25519)}


async def shows(client: Client, chat: bytes, problem: str | None) -> None:
    """Waits until the conversation has this problem, or none."""
    await until(client, lambda: client.conversation(chat).problem == problem)


def raised(client: Client) -> list[str]:
    """Codes of the problems that the client is told of from now on."""
    found: list[str] = []

    def note(event: LoopEvent) -> None:
        if isinstance(event, ProblemRaised):
            found.append(event.code)

    client.loop.listen(note)
    return found


@asynccontextmanager
async def crowd(folder: Path) -> AsyncIterator[Crowd]:
    async with hostile_relay(folder / "relay", ADDRESSES) as operator, AsyncExitStack() as stack:
        yield Crowd(operator, folder, stack)
