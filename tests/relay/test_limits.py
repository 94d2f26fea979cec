"""Bounds on what one session may cost: slow readers, floods of calls, subscriptions; and what is
remembered."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp

from polynya.relay.limits import Limits
from polynya.relay.rates import TRACKED, Rate, Rates
from polynya.relay.seen import KEPT, Seen
from polynya.wire.labels import topic_id
from polynya.wire.messages import (
    Call,
    CreateTopic,
    Done,
    Heads,
    Ping,
    Publish,
    Published,
    SendEphemeral,
    Subscribe,
)
from polynya.wire.session import start_session
from tests.relay.client import RANDOM, Client, expect, refused
from tests.support.relay import running_relay

WIDE = replace(
    Limits(),
    disk_reserve=0,
    publishes_per_second=1e6,
    publishes_burst=10**7,
    calls_per_second=1e6,
    calls_burst=10**7,
)


def test_a_rate_lets_a_burst_through_and_then_its_pace() -> None:
    rate = Rate(2.0, 3)
    assert [rate.take(100.0) for _ in range(3)] == [0, 0, 0]
    wait = rate.take(100.0)
    assert 400 < wait <= 501
    assert rate.take(100.0 + wait / 1000) == 0
    assert rate.take(100.0 + wait / 1000) > 0
    assert [rate.take(200.0) for _ in range(4)].count(0) == 3
    assert Rate(1.0, 10).take(5.0, 11) > 0


def test_rates_are_apart_and_bounded() -> None:
    rates = Rates(1.0, 1)
    assert rates.take(b"a", 1.0) == 0
    assert rates.take(b"a", 1.0) > 0
    assert rates.take(b"b", 1.0) == 0
    for number in range(TRACKED + 10):
        rates.take(b"%d" % number, 2.0)
    assert len(rates._due) <= TRACKED
    assert rates.take(b"%d" % (TRACKED + 9), 2.0) > 0


def test_encapsulations_are_remembered_long_enough_and_not_for_ever() -> None:
    seen = Seen()
    assert not seen.is_repeated(b"first", 1_000.0)
    assert seen.is_repeated(b"first", 1_000.0)
    assert seen.is_repeated(b"first", 1_000.0 + KEPT - 1)
    assert not seen.is_repeated(b"second", 1_000.0 + KEPT + 1)
    assert seen.is_repeated(b"first", 1_000.0 + KEPT + 2)
    assert not seen.is_repeated(b"third", 1_000.0 + 3 * KEPT)
    assert not seen.is_repeated(b"fourth", 1_000.0 + 6 * KEPT)
    assert len(seen) == 1


async def test_a_session_that_does_not_read_is_closed_and_the_others_go_on(tmp_path: Path) -> None:
    limits = replace(WIDE, kernel_buffer=16_384, buffer_pause=65_536, buffer_drop=524_288)
    async with running_relay(tmp_path, limits=limits) as running:
        client = Client(running.address, running.identity)
        async with client.session() as writer, client.session() as reader:
            secret = os.urandom(32)
            await writer.call(CreateTopic(secret, 30))
            await reader.call(Subscribe((topic_id(secret),), ()))
            hello, handshake = start_session(await client.keys(), client.clock(), RANDOM)
            soon = aiohttp.ClientWSTimeout(ws_close=0.1)
            async with (
                aiohttp.ClientSession() as http,
                http.ws_connect(running.address + "/s", timeout=soon) as slow,
            ):
                await slow.send_bytes(hello)
                sealed = handshake.finish(await slow.receive_bytes())
                await slow.send_bytes(sealed.seal(Call(1, Subscribe((topic_id(secret),), ()))))
                await slow.receive_bytes()
                # What the kernel would hold for a reader is megabytes, and would have to be filled first.
                slow.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                slow._response.connection.transport.pause_reading()  # type: ignore[union-attr]
                count = 0
                while not running.relay.metrics.slow_sessions:
                    answers = [await writer.send(Publish(secret, os.urandom(4_000))) for _ in range(50)]
                    for answer in answers:
                        expect(Published, await answer)
                        count += 1
                        assert (await reader.push()).entry.seq == count
                    assert count < 20_000, "the slow session was never closed"
                assert running.relay.metrics.sessions == 2
                assert not running.relay.slow
        await client.close()


async def test_what_all_slow_sessions_leave_is_bounded(tmp_path: Path) -> None:
    """Of those that read nothing only so many stay as may leave that much unread."""
    limits = replace(WIDE, kernel_buffer=16_384, buffer_pause=65_536, buffers_total=3 * 65_536)
    async with running_relay(tmp_path, limits=limits) as running, AsyncExitStack() as stack:
        client = Client(running.address, running.identity)
        stack.push_async_callback(client.close)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        soon = aiohttp.ClientWSTimeout(ws_close=0.1)
        for _ in range(6):
            hello, handshake = start_session(await client.keys(), client.clock(), RANDOM)
            slow = await stack.enter_async_context(http.ws_connect(running.address + "/s", timeout=soon))
            await slow.send_bytes(hello)
            handshake.finish(await slow.receive_bytes())
            slow.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            slow._response.connection.transport.pause_reading()  # type: ignore[union-attr]
            for _ in range(4_000):
                await slow.ping(bytes(125))
        async with asyncio.timeout(60):
            while running.relay.metrics.slow_sessions < 3:
                await asyncio.sleep(0.01)
        assert len(running.relay.slow) <= 3


async def test_calls_subscriptions_and_hints_are_bounded(tmp_path: Path) -> None:
    limits = replace(
        Limits(),
        disk_reserve=0,
        calls_per_second=0.01,
        calls_burst=9,
        subscriptions=3,
        ephemerals_per_second=0.01,
        ephemerals_burst=2,
    )
    async with running_relay(tmp_path, limits=limits) as running:
        client = Client(running.address, running.identity)
        async with client.session() as session:
            secret = os.urandom(32)
            topic = topic_id(secret)
            expect(Done, await session.call(CreateTopic(secret, 30)))
            expect(Heads, await session.call(Subscribe((topic, topic), ())))
            assert (
                refused(await session.call(Subscribe(tuple(os.urandom(32) for _ in range(3)), ())))
                == "TOO_MANY"
            )
            # Unknown topics are not kept, so they do not count.
            expect(Heads, await session.call(Subscribe((os.urandom(32), os.urandom(32)), ())))
            expect(Heads, await session.call(Subscribe((os.urandom(32), os.urandom(32)), ())))
            for _ in range(2):
                expect(Done, await session.call(SendEphemeral(secret, b"typing")))
            assert refused(await session.call(SendEphemeral(secret, b"typing"))) == "TOO_MANY"
            expect(Done, await session.call(Ping()))
            assert refused(await session.call(Ping())) == "TOO_MANY"
        async with client.session() as session:
            expect(Done, await session.call(Ping()))
        await client.close()


async def test_a_subscription_misses_and_repeats_nothing(tmp_path: Path) -> None:
    """Subscribing in the middle of a stream: what is at or below the head is fetched, the rest is pushed."""
    async with running_relay(tmp_path, limits=WIDE) as running:
        client = Client(running.address, running.identity)
        async with client.session() as writer:
            secret = os.urandom(32)
            await writer.call(CreateTopic(secret, 30))
            stop = asyncio.Event()

            async def publish() -> int:
                count = 0
                while not stop.is_set():
                    answers = [await writer.send(Publish(secret, os.urandom(64))) for _ in range(8)]
                    await asyncio.gather(*answers)
                    count += 8
                return count

            publishing = asyncio.create_task(publish())
            heads = []
            sessions = []
            for _ in range(10):
                context = client.session()
                session = await context.__aenter__()
                answer = expect(Heads, await session.call(Subscribe((topic_id(secret),), ())))
                heads.append(answer.topics[0].seq)
                sessions.append((context, session))
            stop.set()
            count = await publishing
            assert heads[-1] > 0
            for head, (context, session) in zip(heads, sessions, strict=True):
                assert [(await session.push()).entry.seq for _ in range(count - head)] == list(
                    range(head + 1, count + 1)
                )
                assert session.pushes.empty()
                await context.__aexit__(None, None, None)
        await client.close()
