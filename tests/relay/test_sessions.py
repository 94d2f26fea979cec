"""Sealed sessions over a real WebSocket."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from polynya.carriers.base import CarrierError
from polynya.relay.live.local import LocalLive
from polynya.relay.server import RunningRelay
from polynya.wire.labels import inbox_id, record_hash, topic_id, verify_receipt
from polynya.wire.messages import (
    CreateInbox,
    CreateTopic,
    Done,
    Drop,
    Fetch,
    Heads,
    Ping,
    Publish,
    Published,
    ReceiptBody,
    Records,
    Response,
    SendEphemeral,
    Subscribe,
    Unsubscribe,
)
from polynya.wire.session import start_session
from tests.relay.client import RANDOM, Client, Session, expect, refused
from tests.support.relay import running_relay


async def make_topic(session: Session) -> bytes:
    """Its write secret."""
    secret = os.urandom(32)
    expect(Done, await session.call(CreateTopic(secret, 30)))
    return secret


async def test_records_are_published_pushed_and_fetched(client: Client) -> None:
    async with client.session() as writer, client.session() as reader:
        secret = await make_topic(writer)
        topic = topic_id(secret)
        first = os.urandom(512)
        await writer.call(Publish(secret, first))
        heads = expect(Heads, await reader.call(Subscribe((topic, os.urandom(32)), ())))
        assert [(head.known, head.seq) for head in heads.topics] == [(True, 1), (False, 0)]
        second = os.urandom(1024)
        published = expect(Published, await writer.call(Publish(secret, second)))
        push = await reader.push()
        assert (push.source, push.entry.seq, push.entry.record) == (topic, 2, second)
        assert push.entry.time == published.time
        records = expect(Records, await reader.call(Fetch(topic, 0, 64)))
        assert [entry.record for entry in records.entries] == [first, second]
        assert records.entries[1] == push.entry


class BrokenBus(LocalLive):
    """The way to other processes is broken."""

    is_broken = True

    async def ready(self) -> None:
        if self.is_broken:
            raise ConnectionError


async def test_where_subscriptions_cannot_be_in_force_a_subscribe_is_refused(
    running: RunningRelay, client: Client
) -> None:
    """A device that believed to be told of what comes would not ask for it."""
    bus = running.relay.live = BrokenBus()
    async with client.session() as writer, client.session() as reader:
        secret = await make_topic(writer)
        subscribe = Subscribe((topic_id(secret),), ())
        assert refused(await reader.call(subscribe)) == "INTERNAL"
        await writer.call(Publish(secret, b"not told" * 10))
        bus.is_broken = False
        heads = expect(Heads, await reader.call(subscribe))
        assert heads.topics[0].seq == 1
        await writer.call(Publish(secret, b"told" * 10))
        assert (await reader.push()).entry.seq == 2


async def test_the_publisher_gets_a_reply_and_no_push(client: Client) -> None:
    async with client.session() as one, client.session() as two:
        secret = await make_topic(one)
        for session in (one, two):
            await session.call(Subscribe((topic_id(secret),), ()))
        await one.call(Publish(secret, b"a" * 100))
        await two.call(Publish(secret, b"b" * 100))
        assert (await two.push()).entry.record == b"a" * 100
        assert (await one.push()).entry.record == b"b" * 100
        await one.call(Ping())
        assert one.pushes.empty()
        assert two.pushes.empty()


async def test_a_repeated_record_is_pushed_once(client: Client) -> None:
    async with client.session() as writer, client.session() as reader:
        secret = await make_topic(writer)
        await reader.call(Subscribe((topic_id(secret),), ()))
        answers = [await writer.call(Publish(secret, b"same" * 30)) for _ in range(3)]
        assert answers == [answers[0]] * 3
        await writer.call(Publish(secret, b"last" * 30))
        assert [(await reader.push()).entry.seq for _ in range(2)] == [1, 2]


async def test_receipts_verify(client: Client) -> None:
    async with client.session() as session:
        secret, slot = await make_topic(session), os.urandom(16)
        for position in range(3):
            record = os.urandom(300)
            published = expect(Published, await session.call(Publish(secret, record, slot)))
            assert published.receipt is not None
            body = ReceiptBody(topic_id(secret), slot, position, published.seq, record_hash(record))
            assert verify_receipt(client.identity, body, published.receipt)
        plain = expect(Published, await session.call(Publish(secret, os.urandom(300))))
        assert plain.receipt is None


async def test_calls_are_answered_in_order(client: Client) -> None:
    async with client.session() as session:
        secret = await make_topic(session)
        topic = topic_id(secret)
        futures: list[asyncio.Future[Response]] = []
        for index in range(60):
            futures.append(await session.send(Publish(secret, b"%04d" % index * 20)))
            if index % 3 == 0:
                futures.append(await session.send(Fetch(topic, index, 64)))
            if index % 7 == 0:
                futures.append(await session.send(Ping()))
        responses = await asyncio.gather(*futures)
        assert session.order == sorted(session.order)
        fetched = [response for response in responses if isinstance(response, Records)]
        assert [records.head for records in fetched] == list(range(1, 61, 3))


async def test_many_calls_at_once_are_all_answered(client: Client) -> None:
    """More than the relay holds: it stops reading, and goes on."""
    async with client.session() as session:
        secret = await make_topic(session)
        futures = [await session.send(Fetch(topic_id(secret), 0, 64)) for _ in range(700)]
        assert all(isinstance(response, Records) for response in await asyncio.gather(*futures))


async def test_inboxes_are_pushed_too_and_left_again(client: Client) -> None:
    async with client.session() as writer, client.session() as reader:
        secret = os.urandom(32)
        inbox = inbox_id(secret)
        await reader.call(CreateInbox(secret))
        heads = expect(Heads, await reader.call(Subscribe((), (secret,))))
        assert heads.inboxes[0].known
        await writer.call(Drop(inbox, b"one" * 30))
        assert (await reader.push()).source == inbox
        await reader.call(Unsubscribe((), (inbox,)))
        await writer.call(Drop(inbox, b"two" * 30))
        await reader.call(Ping())
        assert reader.pushes.empty()
        assert refused(await writer.call(Drop(os.urandom(32), b"two" * 30))) == "UNKNOWN_INBOX"


async def test_an_inbox_id_does_not_read(client: Client) -> None:
    """Who may write to an inbox knows its id, and must not be able to read with it."""
    async with client.session() as session:
        secret = os.urandom(32)
        inbox = inbox_id(secret)
        await session.call(CreateInbox(secret))
        await session.call(Drop(inbox, b"for the owner" * 5))
        assert refused(await session.call(Fetch(inbox, 0, 64))) == "UNKNOWN_TOPIC"
        heads = expect(Heads, await session.call(Subscribe((inbox,), (inbox,))))
        assert not heads.topics[0].known
        assert not heads.inboxes[0].known


async def test_ephemeral_messages_reach_the_others_and_no_disk(client: Client) -> None:
    async with client.session() as one, client.session() as two:
        secret = await make_topic(one)
        for session in (one, two):
            await session.call(Subscribe((topic_id(secret),), ()))
        expect(Done, await one.call(SendEphemeral(secret, b"typing")))
        assert (await two.ephemeral.get()).body == b"typing"
        assert one.ephemeral.empty()
        records = expect(Records, await two.call(Fetch(topic_id(secret), 0, 64)))
        assert records == Records((), 0)


async def test_a_wrong_clock_closes_without_a_reason(client: Client) -> None:
    stream = await client.websocket.stream()
    hello, _ = start_session(await client.keys(), client.clock() - 700_000, RANDOM)
    await stream.send(hello)
    with pytest.raises(CarrierError) as caught:
        await stream.receive()
    assert caught.value.close_code == 1008


async def test_a_recorded_hello_is_refused(client: Client) -> None:
    hello, handshake = start_session(await client.keys(), client.clock(), RANDOM)
    first = await client.websocket.stream()
    await first.send(hello)
    handshake.finish(await first.receive())
    second = await client.websocket.stream()
    await second.send(hello)
    with pytest.raises(CarrierError) as caught:
        await second.receive()
    assert caught.value.close_code == 1008


async def test_a_damaged_frame_ends_the_session(client: Client) -> None:
    async with client.session() as session:
        await session.call(Ping())
        await session.stream.send(os.urandom(272))
        assert await session.close_code() == 1008


async def test_a_relay_that_restarts_says_so_and_keeps_everything(tmp_path: Path) -> None:
    secret, slot = os.urandom(32), os.urandom(16)
    async with AsyncExitStack() as open_session:
        async with running_relay(tmp_path) as running:
            client = Client(running.address, running.identity)
            session = await open_session.enter_async_context(client.session())
            await session.call(CreateTopic(secret, 30))
            published = await session.call(Publish(secret, b"before" * 20, slot))
            keys = await client.keys()
        assert await session.close_code() == 1012
    await client.close()
    async with running_relay(tmp_path) as running:
        client = Client(running.address, running.identity)
        assert await client.keys() == keys
        async with client.session() as session:
            assert await session.call(Publish(secret, b"before" * 20, slot)) == published
            after = expect(Published, await session.call(Publish(secret, b"after" * 20, slot)))
            assert after.seq == 2
            assert after.receipt is not None
            assert after.receipt.position == 1
        await client.close()
