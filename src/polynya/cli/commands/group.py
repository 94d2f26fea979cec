"""group create, add, remove, leave, rename, admin, move."""

from __future__ import annotations

from argparse import Namespace

from polynya.cli.commands.contacts import pick
from polynya.cli.errors import CliError
from polynya.cli.opening import fetch, find_chat, finish, opened
from polynya.cli.output import clean, say
from polynya.client import Client
from polynya.core.views import ConversationView


async def group(arguments: Namespace) -> None:
    async with opened(arguments) as client:
        await fetch(client, arguments)
        await _VERBS[arguments.verb](client, arguments)
        await finish(client)


def _people(client: Client, words: list[str]) -> list[bytes]:
    return [pick(client.contacts(), word, "unknown-person").identity for word in words]


def _member(chat: ConversationView, word: str) -> bytes:
    hits = [
        m
        for m in chat.members
        if m.name == word or (len(word) >= 4 and m.identity.hex().startswith(word.lower()))
    ]
    if len(hits) != 1:
        raise CliError("ambiguous-person" if hits else "unknown-person", clean(word[:80]))
    return hits[0].identity


async def _create(client: Client, arguments: Namespace) -> None:
    view = await client.create_group(arguments.name, _people(client, arguments.people))
    say(f"{clean(view.name)} is made. Write with: polynya send {view.id.hex()[:8]} TEXT")


async def _add(client: Client, arguments: Namespace) -> None:
    await client.add(await find_chat(client, arguments, arguments.chat), *_people(client, arguments.people))


async def _remove(client: Client, arguments: Namespace) -> None:
    chat = await find_chat(client, arguments, arguments.chat)
    for identity in [_member(chat, word) for word in arguments.people]:
        await client.remove(chat, identity)


async def _leave(client: Client, arguments: Namespace) -> None:
    await client.leave(await find_chat(client, arguments, arguments.chat))


async def _rename(client: Client, arguments: Namespace) -> None:
    await client.rename(await find_chat(client, arguments, arguments.chat), arguments.name)


async def _admin(client: Client, arguments: Namespace) -> None:
    chat = await find_chat(client, arguments, arguments.chat)
    await client.set_admin(chat, _member(chat, arguments.person), not arguments.remove)


async def _move(client: Client, arguments: Namespace) -> None:
    chat = await find_chat(client, arguments, arguments.chat)
    await client.move(chat, arguments.encryption == "post-quantum")


_VERBS = {
    "create": _create,
    "add": _add,
    "remove": _remove,
    "leave": _leave,
    "rename": _rename,
    "admin": _admin,
    "move": _move,
}
