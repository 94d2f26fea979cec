"""invite, accept, requests, contacts, safety."""

from __future__ import annotations

import asyncio
import io
from argparse import Namespace
from typing import TypeVar

from polynya.cli.errors import CliError
from polynya.cli.opening import fetch, find_chat, finish, opened
from polynya.cli.output import clean, contact_json, contact_line, request_json, request_line, say, say_json
from polynya.client import Client
from polynya.client.appevents import ContactAccepted
from polynya.client.errors import ClientError
from polynya.core.views import ContactView, ConversationView, RequestView

V = TypeVar("V", bound=ContactView | RequestView)


async def invite(arguments: Namespace) -> None:
    async with opened(arguments) as client:
        link = await client.invite(arguments.timeout)
        if arguments.qr:
            _say_qr(link)
        say(link)
        await finish(client)


def _say_qr(link: str) -> None:
    import segno

    out = io.StringIO()
    segno.make(link, error="l").terminal(out=out, compact=True)
    say(out.getvalue().rstrip("\n"))


async def accept(arguments: Namespace) -> None:
    async with opened(arguments) as client:
        events = client.events()
        invitation = await client.accept_invite(arguments.link, arguments.text, arguments.timeout)
        name = clean(invitation.name)
        if not arguments.wait:
            say(f"{name} gets your request. When it is accepted, {name} appears in `polynya chats`.")
            await finish(client)
            return
        try:
            async with asyncio.timeout(arguments.timeout):
                view = _with(client, invitation.identity)
                while view is None:
                    event = await anext(events)
                    view = event.conversation if isinstance(event, ContactAccepted) else None
        except TimeoutError as error:
            raise ClientError("timeout", f"{name} has not accepted yet; your request stays") from error
        say(f"{name} has accepted. Write with: polynya send {view.id.hex()[:8]} TEXT")
        await finish(client)


def _with(client: Client, identity: bytes) -> ConversationView | None:
    for contact in client.contacts():
        if contact.identity == identity and contact.conversation is not None:
            return client.conversation(contact.conversation)
    return None


async def requests(arguments: Namespace) -> None:
    async with opened(arguments) as client:
        await fetch(client, arguments)
        if arguments.answer is None:
            for view in client.requests():
                if arguments.json:
                    say_json(request_json(view))
                else:
                    say(request_line(view))
            if not client.requests() and not arguments.json:
                say("No requests wait.")
        else:
            await _answer(client, arguments)
        await finish(client)


async def _answer(client: Client, arguments: Namespace) -> None:
    waiting = client.requests()
    if arguments.request is None and len(waiting) != 1:
        raise CliError("unknown-request", "name one, as several or none wait")
    request = waiting[0] if arguments.request is None else pick(waiting, arguments.request, "unknown-request")
    if arguments.answer == "accept":
        view = await client.accept(request)
        say(f"{clean(request.name)} is your contact now. Write with: polynya send {view.id.hex()[:8]} TEXT")
    elif arguments.answer == "decline":
        await client.decline(request)
        say(f"The request of {clean(request.name)} is declined; they are not told.")
    else:
        await client.block(request)
        say(f"{clean(request.name)} is blocked: nothing of theirs reaches you any more.")


def pick(found: tuple[V, ...], text: str, code: str) -> V:
    """The one with this name, or whose id begins so (4 digits or more)."""

    def id_of(view: V) -> str:
        return (view.identity if isinstance(view, ContactView) else view.id).hex()

    hits = [view for view in found if view.name == text]
    hits = hits or [view for view in found if len(text) >= 4 and id_of(view).startswith(text.lower())]
    hits = hits or [view for view in found if view.name.casefold() == text.casefold()]
    if len(hits) == 1:
        return hits[0]
    raise CliError(
        "ambiguous-person" if len(hits) > 1 and code == "unknown-person" else code, clean(text[:80])
    )


async def contacts(arguments: Namespace) -> None:
    async with opened(arguments) as client:
        for view in client.contacts():
            if arguments.json:
                say_json(contact_json(view))
            else:
                say(contact_line(view))
        if not client.contacts() and not arguments.json:
            say("No contacts yet. Invite somebody with: polynya invite --qr")


async def safety(arguments: Namespace) -> None:
    async with opened(arguments) as client:
        await fetch(client, arguments)
        view = await find_chat(client, arguments, arguments.chat)
        number = client.safety(view)
        for start in range(0, len(number.groups), 4):
            say(" ".join(number.groups[start : start + 4]))
        if arguments.verified:
            for member in view.members:
                if not member.me:
                    await client.verify(member.identity)
            say("Remembered as compared.")
        else:
            say(
                "Compare it with what the other device shows, over a call or side by side. All "
                "twelve groups must"
            )
            say("be equal; if only the last four differ, wait until both are connected and look again.")
