"""register, whoami, status, passphrase."""

from __future__ import annotations

import contextlib
import os
from argparse import Namespace

from polynya.cli.context import CURRENT
from polynya.cli.errors import CliError
from polynya.cli.opening import finish, new_passphrase, opened, store_folder
from polynya.cli.output import clean, note, say, say_json
from polynya.client import Client, links
from polynya.client.errors import ClientError
from polynya.client.storage import Storage
from polynya.wire.links import OpenedInviteLink


async def register(arguments: Namespace) -> None:
    folder = store_folder(arguments)
    link = links.home_link(arguments.relay)  # a bad link is told before anything is made
    if Storage.exists(folder):
        async with opened(arguments) as client:
            raise ClientError("registered", f"{clean(client.me.name)} in {folder}")
    wanted = arguments.passphrase or bool(os.environ.get("POLYNYA_PASSPHRASE"))
    async with Client(folder, passphrase=new_passphrase() if wanted else None) as client:
        me = await client.register(arguments.name, arguments.relay)
        try:
            await client.settled(arguments.timeout)
        except ClientError:
            problem = client.link.problem
            note(
                f"the relay cannot be reached now{f' ({problem})' if problem else ''}; "
                "the account is made and will be announced when it can"
            )
        say(f"{clean(me.name)}, this is your account. It lies in {folder}")
        if isinstance(link, OpenedInviteLink):
            say("Ask for contact with: polynya accept INVITE")
        else:
            say("Invite somebody with: polynya invite --qr")


async def whoami(arguments: Namespace) -> None:
    async with opened(arguments) as client:
        me = client.me
        if arguments.json:
            say_json(
                {
                    "identity": me.identity.hex(),
                    "name": me.name,
                    "relay": me.relay.url,
                    "fingerprint": list(me.fingerprint),
                    "store": str(client.folder),
                }
            )
        else:
            say(f"name         {clean(me.name)}")
            say(f"fingerprint  {' '.join(me.fingerprint)}")
            say(f"relay        {me.relay.url}")
            say(f"store        {client.folder}")


async def status(arguments: Namespace) -> None:
    async with opened(arguments) as client:
        with contextlib.suppress(ClientError):
            await client.settled(arguments.timeout)
        link = client.link
        unpaid = client.payment_problem
        waiting = sum(view.pending_operations for view in client.conversations())
        if arguments.json:
            say_json(
                {
                    "relay": client.me.relay.url,
                    "state": link.kind,
                    "problem": link.problem,
                    "payment": unpaid.code if unpaid is not None else None,
                    "waiting": waiting,
                }
            )
        else:
            how = {
                "online": "connected",
                "polling": "connected by single requests; a lasting connection does not get through",
                "connecting": "not connected yet",
                "offline": "cannot be reached",
            }[link.kind]
            say(f"relay   {how}{f' ({link.problem})' if link.problem else ''}")
            if unpaid is not None:
                say(f"room    {unpaid}")
            if waiting:
                say(f"waiting {waiting} changes of groups")
        if link.kind not in ("online", "polling"):
            raise ClientError("offline")


async def passphrase(arguments: Namespace) -> None:
    if CURRENT.get().client is not None:
        raise CliError("not-beside-tail")
    async with opened(arguments) as client:
        # POLYNYA_PASSPHRASE opened the store: the new one must be typed.
        os.environ.pop("POLYNYA_PASSPHRASE", None)
        await client.change_passphrase(None if arguments.remove else new_passphrase())
        say("The store is sealed under a key file now." if arguments.remove else "The passphrase is changed.")
        await finish(client)
