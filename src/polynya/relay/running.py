"""The program around a relay: its loop, signals, log, and the service manager that started it."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from polynya.relay.banner import banner
from polynya.relay.config import RelayConfig
from polynya.relay.errors import RelayError
from polynya.relay.garbage import Garbage
from polynya.relay.memory import keep_large_apart
from polynya.relay.notify import ServiceManager
from polynya.relay.server import RunningRelay, serving

logger = logging.getLogger("polynya.relay")

SWITCH = 0.0002
"""Seconds that a thread waits at most for the interpreter's lock while the loop is busy: a commit takes it six times, which
at Python's own 5 ms would be 30 ms."""


def run_relay(load: Callable[[], RelayConfig], *, only_link: bool) -> int:
    """Runs until SIGINT or SIGTERM; SIGHUP loads the configuration anew, or, where a terminal was closed, is the end as
    well. Gives the exit code. Raises RelayError where it cannot start."""
    config = load()
    os.umask(0o077)
    _set_up_logging()
    keep_large_apart()
    _allow_many_files()
    sys.setswitchinterval(SWITCH)
    factory = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_up(config, load, only_link))


async def _up(config: RelayConfig, load: Callable[[], RelayConfig], only_link: bool) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    # Until the relay runs there is nothing to reload, and by default the signal would end it.
    loop.add_signal_handler(signal.SIGHUP, _nothing)
    loop.set_exception_handler(_log_exception)
    manager = ServiceManager.of(os.environ, os.getpid())
    async with serving(config) as running:
        if manager.is_there or not sys.stdin.isatty():
            loop.add_signal_handler(signal.SIGHUP, _reload, load, running, manager)
        else:
            # Its terminal was closed: nobody would see what goes on.
            loop.add_signal_handler(signal.SIGHUP, stop.set)
        watching = asyncio.create_task(manager.watch())
        manager.ready(_status(running))
        if running.tls.renewals is not None:
            running.tls.renewals.on_change = lambda: manager.status(_status(running))
            await _first_of(stop.wait(), running.tls.renewals.tried.wait())
            manager.status(_status(running))
        if not stop.is_set():
            print(_greeting(config, running, manager, only_link), flush=True)
        garbage = Garbage()
        await stop.wait()
        garbage.close()
        watching.cancel()
        manager.stopping()
        if not only_link:
            print("Stopping.", flush=True)
    return 0


def _greeting(config: RelayConfig, running: RunningRelay, manager: ServiceManager, only_link: bool) -> str:
    """A service's output is kept in a log, which must not hold the link."""
    if only_link:
        return running.link
    if manager.is_there:
        return f"The relay is running. Its link is shown by: polynya relay link --data {config.data}"
    return banner(config, running, sys.stdout)


async def _first_of(*waits: Coroutine[Any, Any, Any]) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def _nothing() -> None: ...


def _reload(load: Callable[[], RelayConfig], running: RunningRelay, manager: ServiceManager) -> None:
    """Connections stay; a configuration that is wrong changes nothing."""
    manager.reloading()
    try:
        later = running.reload(load())
    except RelayError as error:
        logger.error("The new configuration was not taken, the old one stays in force: %s", error)
        manager.ready(f"The new configuration was not taken: {error}")
        return
    logger.info("The configuration was read anew.")
    if later:
        logger.warning("These take a restart: %s.", ", ".join(later))
    manager.ready(_status(running))


def _status(running: RunningRelay) -> str:
    """For the service manager's list; without the secret path."""
    where = running.address.rpartition("/")[0]
    problem = "" if running.tls.renewals is None else running.tls.renewals.problem
    return problem or f"Serving {where}"


def _set_up_logging() -> None:
    """Only the relay's own messages, which hold no ids, addresses or payloads; libraries' may."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    own = logging.getLogger("polynya")
    own.handlers = [handler]
    own.setLevel(logging.INFO)
    own.propagate = False
    logging.getLogger().handlers = [logging.NullHandler()]


def _log_exception(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The loop's own handler would print addresses."""
    kind = type(context.get("exception")).__name__
    if kind not in (
        "ConnectionResetError",
        "BrokenPipeError",
        "SSLError",
        "TimeoutError",
        "ConnectionAbortedError",
    ):
        logging.getLogger("polynya.relay").error("the event loop met %s", kind)


def _allow_many_files() -> None:
    """Each connection is an open file; the soft limit is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
