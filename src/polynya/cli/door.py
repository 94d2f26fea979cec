"""A running `tail` lets other commands in: they run inside it, as one process at a time can have a store open.

A Unix socket in the store's folder, for its owner alone. One command per connection, in JSON lines:
`{"version", "words", "folder", "input"}` in, then any number of `{"out"}` and `{"err"}`, and at last `{"code"}`.
Where there are no Unix sockets, or the folder's path is too long for one, other commands are told who has the store.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import contextvars
import json
import logging
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from polynya import __version__
from polynya.cli.context import CURRENT, Context, own_input_so_far
from polynya.cli.errors import CliError
from polynya.cli.output import error_line
from polynya.cli.parser import build_parser
from polynya.cli.registry import command_of
from polynya.client import Client
from polynya.errors import PolynyaError

log = logging.getLogger("polynya.cli")

NAME = "door"
LINE_MOST = 4 << 20
"""Bytes of one command: 1 MiB of input in base64 and some words; texts are 16 KB at most."""
UNREAD_MOST = 1 << 20
"""Bytes of output that a command may be ahead of its reader before it is ended."""


@contextlib.asynccontextmanager
async def open_door(client: Client) -> AsyncIterator[None]:
    """Runs other commands on `client` while the block runs. The caller has the store's lock."""
    if not hasattr(asyncio, "start_unix_server"):
        yield
        return
    path = client.folder / NAME
    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(_Guests(client).serve, path, limit=LINE_MOST)
    except OSError as error:
        log.info("no other command can come in: %s", error)
        server = None
    finally:
        os.umask(before)
    try:
        yield
    finally:
        if server is not None:
            server.close()
            path.unlink(missing_ok=True)


class _Guests:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
            asked = json.loads(await reader.readuntil(b"\n"))
            gone = asyncio.ensure_future(reader.read())
            work = asyncio.ensure_future(self._run(asked, writer))
            await asyncio.wait({gone, work}, return_when=asyncio.FIRST_COMPLETED)
            work.cancel()
            gone.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)
            await writer.drain()
        writer.close()

    async def _run(self, asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        def tell(**what: Any) -> None:
            if writer.transport.get_write_buffer_size() > UNREAD_MOST:
                writer.transport.abort()
            writer.write(json.dumps(what).encode() + b"\n")

        given = None if asked["input"] is None else base64.b64decode(asked["input"])
        context = Context(
            out=lambda text: tell(out=text),
            err=lambda text: tell(err=text),
            read=lambda: given or b"",
            ascii_only=lambda: False,
            folder=Path(asked["folder"]),
            client=self._client,
        )
        try:
            if asked["version"] != __version__:
                raise CliError("other-version", str(asked["version"])[:20])
            parsed = build_parser().parse_args(asked["words"])
            inside = contextvars.copy_context()
            inside.run(CURRENT.set, context)
            await asyncio.create_task(_awaited(command_of(parsed)(parsed)), context=inside)
        except PolynyaError as error:
            tell(err=error_line(error))
            tell(code=1)
        except SystemExit as error:
            tell(code=error.code)
        else:
            tell(code=0)


async def _awaited(work: Any) -> None:
    await work


async def knock(folder: Path, words: Sequence[str]) -> int | None:
    """Has the command done by whoever has the store; None where nobody lets us in."""
    if not hasattr(asyncio, "open_unix_connection"):
        return None
    try:
        reader, writer = await asyncio.open_unix_connection(folder / NAME, limit=LINE_MOST)
    except OSError:
        return None
    given = own_input_so_far()
    asked = {
        "version": __version__,
        "words": list(words),
        "folder": str(await asyncio.to_thread(Path.cwd)),
        "input": None if given is None else base64.b64encode(given).decode(),
    }
    line = json.dumps(asked).encode() + b"\n"
    if len(line) > LINE_MOST:
        raise CliError("too-much-input")
    own = CURRENT.get()
    try:
        writer.write(line)
        await writer.drain()
        async for answer in reader:
            told = json.loads(answer)
            if "code" in told:
                return int(told["code"])
            (own.out if "out" in told else own.err)(told.get("out") or told.get("err") or "")
    finally:
        writer.close()
    raise CliError("door-closed")
