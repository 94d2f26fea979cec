"""Opens the account that a command works on."""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from pathlib import Path

import platformdirs

from polynya.cli.context import CURRENT
from polynya.cli.errors import CliError
from polynya.cli.output import note
from polynya.client import Client
from polynya.client.errors import ClientError, PassphraseNeeded
from polynya.client.storage import Storage
from polynya.core.views import ConversationView

ENDING = 5.0
"""Seconds at the end of a command in which the relay gets what is still on its way: receipts, fresh key
packages."""


def store_folder(arguments: Namespace) -> Path:
    """--store, else POLYNYA_STORE, else the default among the user's data."""
    given: str | None = getattr(arguments, "store", None) or os.environ.get("POLYNYA_STORE")
    if given:
        return Path(given).expanduser()
    return platformdirs.user_data_path("polynya", appauthor=False) / "default"


def ask_passphrase(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise CliError("no-terminal")
    return getpass.getpass(prompt)


def new_passphrase() -> str:
    """From POLYNYA_PASSPHRASE, or typed twice."""
    given = os.environ.get("POLYNYA_PASSPHRASE")
    if given:
        return given
    first = ask_passphrase("New passphrase: ")
    if ask_passphrase("The same again: ") != first:
        raise CliError("passphrases-differ")
    return first


@contextlib.asynccontextmanager
async def opened(arguments: Namespace) -> AsyncIterator[Client]:
    """The account in the store; it must be there. Asks for its passphrase if it has one. Inside another process it
    is that one's."""
    shared = CURRENT.get().client
    if shared is not None:
        yield shared
        return
    folder = store_folder(arguments)
    if not Storage.exists(folder):
        raise CliError("no-store", str(folder))
    client = Client(folder, passphrase=os.environ.get("POLYNYA_PASSPHRASE") or None)
    try:
        await client.__aenter__()
    except PassphraseNeeded:
        client = Client(folder, passphrase=ask_passphrase(f"Passphrase of {folder}: "))
        await client.__aenter__()
    try:
        if not client.registered:
            raise CliError("no-store", str(folder))
        yield client
    finally:
        await client.close()


async def fetch(client: Client, arguments: Namespace, *, must: bool = False) -> None:
    """Gets what waits at the relay, unless --offline. Without `must` an absent relay is a note only."""
    if getattr(arguments, "offline", False):
        return
    try:
        await client.settled(arguments.timeout)
    except ClientError:
        if must:
            raise
        problem = client.link.problem
        note(f"the relay cannot be reached{f' ({problem})' if problem else ''}; this is what is known here")


async def finish(client: Client) -> None:
    """Lets what is on its way arrive; an absent relay is no error here."""
    with contextlib.suppress(ClientError):
        await client.flush(ENDING)


async def find_chat(client: Client, arguments: Namespace, text: str) -> ConversationView:
    """As Client.find_chat; a chat that is not here yet may wait at the relay: somebody has just made it."""
    try:
        return client.find_chat(text)
    except ClientError as error:
        if error.code != "unknown-chat":
            raise
        await fetch(client, arguments)
        return client.find_chat(text)
