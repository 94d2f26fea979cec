"""A device in a large group: the real core with the SDK's real store (SQLite, durable before anything leaves).

Anna has the core and the store. Boris, her contact, has added her to a group of his; everybody else in it is played
by `Crowd`. Only the relay is a model in memory.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.mls.crowd import Crowd, Voice, anybody
from polynya.client.storage import Storage
from polynya.client.system import SystemRandom
from polynya.core import commands as c
from polynya.core import events as e
from polynya.core import mlsgroup
from polynya.core.state import REACH
from polynya.core.transaction import Transaction
from polynya.crypto import signature
from polynya.crypto.random import Random
from polynya.mls.credential import BasicCredential
from polynya.mls.suite import suite_of
from polynya.wire import messages as m
from polynya.wire.credential import make_device_credential
from polynya.wire.keypackages import open_key_package
from polynya.wire.record import seal_record
from tests.support import hostile
from tests.support.relaymodel import RelayModel, Session
from tests.support.world import Party, World

TEXT = "What everybody in the group says, " * 3
BORIS = 0
"""Leaf of the contact who adds anna."""
Change = c.Save | c.AppendMessage | c.AmendMessage | c.ForgetHistory


@dataclass(slots=True)
class Step:
    """What one event took: ms in the core, the part of them that turned what changed into rows, and ms until that
    was durable; rows that were written, and their bytes."""

    core: float = 0.0
    encode: float = 0.0
    commit: float = 0.0
    rows: int = 0
    written: int = 0

    @property
    def save(self) -> float:
        """ms to encode what changed and to make it durable."""
        return self.encode + self.commit


@contextmanager
def _timed_encoding(step: Step) -> Iterator[None]:
    original = Transaction.commands

    def commands(self: Transaction) -> tuple[c.Command, ...]:
        begun = time.perf_counter()
        made = original(self)
        step.encode = (time.perf_counter() - begun) * 1e3
        return made

    Transaction.commands = commands  # type: ignore[method-assign]
    try:
        yield
    finally:
        Transaction.commands = original  # type: ignore[method-assign]


class Stored(Party):
    """A party whose changes go to a store too. `last_step` is its last one."""

    def __init__(self, world: World, name: str, relay: RelayModel, storage: Storage) -> None:
        self._storage = storage
        self.last_step = Step()
        super().__init__(world, name, relay)

    def handle(self, event: e.Event) -> tuple[c.Command, ...]:
        step = self.last_step = Step()
        self.steps += 1
        with _timed_encoding(step):
            begun = time.perf_counter()
            commands = self.core.handle(event, self.now(), self.random)
            step.core = (time.perf_counter() - begun) * 1e3
        self._perform(commands, self.crash_at.get(self.steps))
        return commands

    def _perform(self, commands: tuple[c.Command, ...], crash: str | None) -> None:
        changes = [command for command in commands if isinstance(command, Change)]
        begun = time.perf_counter()
        if changes:
            self._storage.commit(changes, self.now())
        self.last_step.commit = (time.perf_counter() - begun) * 1e3
        saves = [change for change in changes if isinstance(change, c.Save)]
        self.last_step.rows = len(saves)
        self.last_step.written = sum(len(save.value or b"") for save in saves)
        super()._perform(commands, crash)


class Device:
    """Anna in a group of `size` members with this suite; nobody has spoken in its epoch."""

    def __init__(self, storage: Storage, suite: int, size: int) -> None:
        self.size = size
        self._suite = suite
        self._leaf = size // 3 if size > 2 else 1
        self._world = World(suite)
        self._anna = Stored(self._world, "anna", self._world.relay, storage)
        self._world.parties["anna"] = self._anna
        self._anna.do(e.CreateIdentity("anna", self._world.relay.address))
        self._boris = self._world.person("boris")
        self._world.settle()
        self._world.befriend(self._boris, self._anna)
        self._crowd = self._gather()
        self.chat = self._crowd.group.group_id
        self._welcome()

    def _gather(self) -> Crowd:
        boris = hostile.me_of(self._boris)
        info = m.ConversationInfo(
            kind=m.ConversationKind.GROUP,
            name="Large",
            admins=(boris.identity,),
            relays=(self._world.relay.address,),
            retention_days=m.CONTENT_RETENTION_DAYS,
            members_add=False,
        )

        def voice(index: int, random: Random) -> Voice:
            if index == BORIS:
                return Voice(boris.device_secret, BasicCredential(boris.credential))
            made = anybody(index, random)
            device = signature.public_key(made.signature_private)
            credential = make_device_credential(random.bytes(32), device, 1)
            return Voice(made.signature_private, BasicCredential(credential))

        gathered = Crowd.gather(
            suite_of(self._suite),
            self.size,
            now=self._world.now,
            random=SystemRandom(),
            voice=voice,
            capabilities=mlsgroup.CAPABILITIES,
            extensions=(mlsgroup.info_extension(info),),
            group_id=os.urandom(16),
        )
        return gathered.lived_in()

    def _welcome(self) -> None:
        """Anna's key package is taken from the relay, and the Welcome dropped into her inbox. The commit that adds
        her removes somebody, so the conversation's topic is the new epoch's own."""
        relay = self._world.relay
        owner = hostile.owner_of(self._anna, self._suite)
        taken = relay.answer(Session(), m.TakeKeyPackage(owner), self._world.now)
        if not isinstance(taken, m.KeyPackageTaken):
            raise AssertionError("anna has no key package at the relay")
        package_key = hostile.me_of(self._anna).package_key
        key_package = open_key_package(package_key, owner, taken.package)
        added = self._crowd.admit(self._leaf, key_package, BORIS)
        message = m.encode_inbox_message(m.WelcomeMessage(welcome=added.welcome, roster=()))
        body, blobs = hostile.body_of(self._anna, message)
        [reach] = [
            reach for key, reach in self._boris.core._state.rows(REACH).items() if key[16:] == self._anna.id
        ]
        record = seal_record(reach.inbox_key, reach.inbox, body, SystemRandom())
        relay.answer(Session(), m.Drop(reach.inbox, record, blobs), self._world.now)
        self._world.settle()
        members = self._anna.view(self.chat).members
        if len(members) != self.size:
            raise AssertionError(f"anna sees {len(members)} members instead of {self.size}")

    @property
    def others(self) -> list[int]:
        """Leaves of everybody but anna."""
        return [leaf for leaf in range(self.size) if leaf != self._leaf]

    def rows(self) -> int:
        """Bytes of what is kept of MLS groups, as the core hands it to the store."""
        kept = self._anna.rows.items()
        return sum(len(key) + len(value) for (table, key), value in kept if table == "group")

    def hear(self, leaf: int) -> Step:
        """Anna gets a text from the member at `leaf`."""
        self._come_to_rest()
        topic = hostile.topic_of(self._anna, self.chat)
        message = m.Message(
            id=os.urandom(16),
            sent=self._world.now,
            content=m.Text(TEXT),
            topic=topic.id,
            seq=topic.seq,
            head=topic.head,
            device_list=1,
        )
        hostile.publish(self._anna, self.chat, self._crowd.say(leaf, m.encode_message(message)))
        [session] = self._anna.sessions.values()
        [push] = session.pushes
        session.pushes.clear()
        if not isinstance(push, m.Push):
            raise AssertionError("the relay pushed no record")
        before = len(self._anna.appended)
        self._anna.handle(e.Pushed(self._world.relay.identity, push))
        step = self._anna.last_step
        if len(self._anna.appended) != before + 1:
            raise AssertionError("anna did not get the message")
        return step

    def say(self) -> Step:
        """Anna writes a text: up to where the sealed message may leave."""
        self._come_to_rest()
        self._anna.handle(e.SendContent(self.chat, m.Text(TEXT)))
        step = self._anna.last_step
        if not any(isinstance(waiting.call.request, m.Publish) for waiting in self._anna.calls):
            raise AssertionError("anna's message is not on its way")
        return step

    def _come_to_rest(self) -> None:
        while self._world.step():
            pass
