"""Several people on one relay, and how tests wait for what they must see."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from polynya import Client, ConversationView, RequestView
from polynya.client.feed import Waiter

WAIT = 60.0
"""Seconds until a test gives up; nothing waits so long when all is well."""


async def until(client: Client, check: Callable[[], Any]) -> Any:
    """The first value of `check` (or of what it awaits) that is true, looked at whenever something
    happens."""

    async def truthy() -> Any:
        found = check()
        return (await found if inspect.isawaitable(found) else found) or None

    async with asyncio.timeout(WAIT):
        return await Waiter(client.loop).until(truthy)


async def texts(client: Client, chat: ConversationView | bytes) -> list[str]:
    """Texts and captions of a conversation in order; without notes."""
    return [m.text for m in await client.history(chat, 1_000) if m.kind in ("text", "file")]


async def sees(client: Client, chat: ConversationView | bytes, *expected: str) -> None:
    """Waits until the conversation's texts are exactly these."""

    async def equal() -> bool:
        return await texts(client, chat) == list(expected)

    try:
        await until(client, equal)
    except TimeoutError:
        assert await texts(client, chat) == list(expected)
        raise


@asynccontextmanager
async def account(folder: Path, name: str, link: str) -> AsyncIterator[Client]:
    async with Client(folder) as client:
        if not client.registered:
            await client.register(name, link)
        yield client


@asynccontextmanager
async def people(folder: Path, link: str, *names: str) -> AsyncIterator[tuple[Client, ...]]:
    async with AsyncExitStack() as stack:
        yield tuple([await stack.enter_async_context(account(folder / name, name, link)) for name in names])


async def meet(inviter: Client, guest: Client) -> tuple[ConversationView, ConversationView]:
    """They become contacts by an invite; gives the conversation as each sees it."""
    await guest.accept_invite(await inviter.invite(), "hello")

    def request() -> RequestView | None:
        return next((r for r in inviter.requests() if r.identity == guest.me.identity), None)

    view = await inviter.accept(await until(inviter, request))
    theirs: ConversationView = await until(guest, lambda: conversation_with(guest, inviter))
    await until(inviter, lambda: inviter.conversation(view).state == "active")
    return inviter.conversation(view), theirs


def conversation_with(client: Client, other: Client) -> ConversationView | None:
    """The direct conversation with `other`, once it is active."""
    for contact in client.contacts():
        if contact.identity == other.me.identity and contact.conversation is not None:
            view = client.conversation(contact.conversation)
            return view if view.state == "active" and len(view.members) == 2 else None
    return None


async def member_of(client: Client, chat: ConversationView | bytes, count: int) -> ConversationView:
    """The conversation as `client` sees it, once it is active and has `count` members."""
    id = chat if isinstance(chat, bytes) else chat.id

    def there() -> ConversationView | None:
        for view in client.conversations():
            if view.id == id and view.state == "active" and len(view.members) == count:
                return view
        return None

    view: ConversationView = await until(client, there)
    return view


async def everybody_sees(clients: Sequence[Client], chat: ConversationView | bytes, *expected: str) -> None:
    await asyncio.gather(*(sees(client, chat, *expected) for client in clients))
