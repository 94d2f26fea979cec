"""The SDK: one person's or bot's account, open while the `async with` block runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import TypeAlias, TypeVar

import polynya.client.files as files
import polynya.client.links as links
import polynya.client.system as system
from polynya.client.appevents import ClientEvent
from polynya.client.errors import ClientError
from polynya.client.feed import Feed, Waiter
from polynya.client.link import Link, LinkState
from polynya.client.loop import CarrierFactory, Loop
from polynya.client.purse import KEYS_DIFFER
from polynya.client.storage import OWN, Storage
from polynya.client.values import File, Invitation, Message, to_message
from polynya.core import commands
from polynya.core import events as actions
from polynya.core.commands import Save
from polynya.core.core import Core
from polynya.core.views import (
    ContactView,
    ConversationView,
    InviteView,
    MeView,
    OpenedInviteView,
    RequestView,
    SafetyView,
)
from polynya.crypto.random import Random
from polynya.errors import PolynyaError
from polynya.wire.links import OpenedInviteLink
from polynya.wire.messages import (
    SUITE_X25519,
    SUITE_XWING,
    Content,
    Delete,
    Edit,
    FileReference,
    Reaction,
    Text,
)

T = TypeVar("T")

WAIT = 60.0
"""Seconds that calls which need the relay wait for it, unless told otherwise."""
GATHERING = 1.5
"""Seconds: the core gathers receipts for one."""
SENDING = OWN + "sending"
"""Files on their way up, so that a stopped program goes on where it was."""

Chat: TypeAlias = ConversationView | bytes
"""A conversation, or its id (16 bytes)."""
Person: TypeAlias = ContactView | bytes
"""A contact, or an identity key (32 bytes)."""


def _id(chat: Chat) -> bytes:
    return chat if isinstance(chat, bytes) else chat.id


def _identity(person: Person) -> bytes:
    return person if isinstance(person, bytes) else person.identity


class Client:
    """Opens the store in folder `store`, or makes one there, when entered with `async with`.

    Without `passphrase` the store is sealed under a key file inside it. Methods raise CoreError where an
    action is not possible, ClientError where something outside stands against it, StoreError for the
    store; all are PolynyaError with a stable `code`. What is sent while the relay is away goes out by
    itself later.
    """

    def __init__(
        self,
        store: str | Path,
        *,
        passphrase: str | None = None,
        carriers: CarrierFactory = links.direct_carriers,
        random: Random | None = None,
        clock: Callable[[], int] = system.now,
    ) -> None:
        self.folder = Path(store).expanduser()
        self._passphrase = passphrase
        self._carriers = carriers
        self._random = random or system.SystemRandom()
        self._clock = clock
        self._loop: Loop | None = None
        self._creating = asyncio.Lock()

    # ---- opening and closing ----

    async def __aenter__(self) -> Client:
        storage = await asyncio.to_thread(
            Storage.open, self.folder, passphrase=self._passphrase, random=self._random
        )
        loop = Loop(storage, self._carriers, random=self._random, clock=self._clock)
        try:
            await loop.start()
        except BaseException:
            await loop.close()
            raise
        self._loop = loop
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends connections and releases the store. What was not sent yet stays and goes out next time."""
        if self._loop is not None:
            loop, self._loop = self._loop, None
            await loop.close()

    @property
    def loop(self) -> Loop:
        """For bots and tools that need more than this class; raises ClientError when closed."""
        if self._loop is None:
            raise ClientError("closed")
        return self._loop

    @property
    def _core(self) -> Core:
        return self.loop.core

    # ---- identity ----

    @property
    def registered(self) -> bool:
        return self._core.me() is not None

    @property
    def me(self) -> MeView:
        """Own identity, name, relay and settings; raises ClientError before `register`."""
        me = self._core.me()
        if me is None:
            raise ClientError("not-registered")
        return me

    async def register(self, name: str, link: str) -> MeView:
        """Makes the identity of this store, at home on the relay of `link`: the relay's own link, or an invite of
        somebody who uses the relay. An invite brings tokens to begin with; `accept_invite` then asks for contact."""
        if self.registered:
            raise ClientError("registered")
        opened = links.home_link(link)
        await self.loop.ask_time(opened.address)
        create = actions.CreateIdentity(name, opened.address)
        if isinstance(opened, OpenedInviteLink):
            await self.loop.do(actions.Batch((create, actions.UseInvite(opened.link, opened.address))))
        else:
            await self.loop.do(create)
        return self.me

    async def set_name(self, name: str) -> None:
        await self.loop.do(actions.SetName(name))

    async def set_read_receipts(self, on: bool) -> None:
        """Whether others see when we have read."""
        await self.loop.do(actions.SetSettings(read_receipts=on))

    async def change_passphrase(self, new: str | None) -> None:
        """Seals the store under another passphrase; None: under a key file."""
        old = self._passphrase
        await self.loop.in_store(lambda store: store.change_passphrase(old, new, self._random))
        self._passphrase = new

    # ---- connection ----

    @property
    def link(self) -> LinkState:
        """How the home relay is reached."""
        link = self.loop.links.get(self.me.relay.identity)
        return link.state if link is not None else LinkState("connecting", self._clock())

    def retry_now(self) -> None:
        """Ends the pauses between attempts: the network has changed."""
        self.loop.retry_now()

    async def settled(self, timeout: float = WAIT) -> None:
        """Returns when everything that waited at the relays is here and everything of ours is there.
        Raises ClientError `offline` after `timeout` seconds."""
        async with _deadline(timeout, "offline"):
            await self.loop.settled()

    async def flush(self, timeout: float = WAIT) -> None:
        """As `settled`, and what is gathered for a moment (receipts) has gone out too: for programs that end now."""
        async with _deadline(timeout, "offline"):
            await self.loop.settled()
            while 0 <= (left := self.loop.timer_in()) <= GATHERING:
                await asyncio.sleep(left + 0.01)
                await self.loop.settled()

    # ---- invites and contacts ----

    async def invite(self, timeout: float = WAIT) -> str:
        """A new link for one person, valid for 14 days. Needs the relay."""
        await self._until(
            lambda: True if self.link.kind in ("online", "polling") else None, timeout, "offline"
        )
        async with self._creating:
            before = {view.id for view in self._core.invites()}
            await self._create_invite()
            (new,) = [view.id for view in self._core.invites() if view.id not in before]

        def ready() -> str | None:
            view = next((v for v in self._core.invites() if v.id == new), None)
            if view is None or view.state in ("failed", "expired"):
                raise ClientError("invite-failed")
            self._check_paid()
            return self.link_of(view)

        return await self._until(ready, timeout, "offline")

    async def _create_invite(self) -> None:
        """Its card carries tokens, where the relay wants some: out of the purse before anybody else can have them."""
        paying = self.loop.purses.of(self.me.relay.identity)
        gift = None if paying is None else await paying.gift(self.loop.now())
        if paying is None or gift is None:
            await self.loop.do(actions.CreateInvite())
            return
        try:
            await self.loop.do(actions.CreateInvite(gift.tokens, gift.join, gift.token_keys))
        except PolynyaError:
            paying.purse.take_back(gift)
            raise

    def _check_paid(self) -> None:
        """Raises ClientError where the home relay cannot be paid."""
        problem = self.payment_problem
        if problem is None or (
            problem.code == KEYS_DIFFER and self.loop.purses.is_left(self.me.relay.identity)
        ):
            return
        raise problem

    @property
    def payment_problem(self) -> ClientError | None:
        """What stands against paying the home relay for room: it gives no more tokens now, or marks people by them."""
        refusal = self.loop.purses.refusal(self.me.relay.identity)
        return None if refusal is None else ClientError(refusal.code, refusal.when(self._clock()))

    def invites(self) -> tuple[InviteView, ...]:
        return self._core.invites()

    def link_of(self, invite: InviteView) -> str | None:
        """The text to hand on; None while the relay does not have the invite yet."""
        return None if invite.link is None else links.invite_text(self.me.relay.url, invite.link)

    async def revoke_invite(self, invite: InviteView) -> None:
        await self.loop.do(actions.RevokeInvite(invite.id))

    async def open_invite(self, link: str, timeout: float = WAIT) -> Invitation:
        """Fetches and verifies whose invite it is. Raises LinkError for what is no invite, CoreError or
        ClientError where it is used up, expired or forged."""
        opened = links.invite_link(link)
        async with self._creating:
            known = {view.id for view in self._core.opened_invites()}
            told = await self.loop.do(actions.UseInvite(opened.link, opened.address))
            new = [v.id for v in self._core.opened_invites() if v.id not in known]
            ids = new or [e.id for e in told if isinstance(e, (commands.InviteOpened, commands.InviteFailed))]
        id = ids[0] if ids else opened.link.card[:16]

        def done() -> Invitation | None:
            view = self._opened(id)
            if view.state == "failed":
                raise links.invite_problem(view.problem)
            if view.name is None or view.identity is None:
                return None
            return Invitation(view.id, view.name, view.identity)

        return await self._until(done, timeout, "offline")

    def opened_invites(self) -> tuple[OpenedInviteView, ...]:
        """Invites of others that we use."""
        return self._core.opened_invites()

    def _opened(self, id: bytes) -> OpenedInviteView:
        for view in self._core.opened_invites():
            if view.id == id:
                return view
        raise links.invite_problem("invite-gone")

    async def request_contact(
        self, invitation: Invitation, text: str | None = None, timeout: float = WAIT
    ) -> None:
        """Asks for contact; returns when the relay has the request. `ContactAccepted` follows if the
        person agrees."""
        await self.loop.do(actions.SendContactRequest(invitation.id, text))

        def done() -> bool | None:
            view = self._opened(invitation.id)
            if view.state == "failed":
                raise links.invite_problem(view.problem)
            return True if view.state in ("requested", "accepted") else None

        await self._until(done, timeout, "offline")

    async def accept_invite(self, link: str, text: str | None = None, timeout: float = WAIT) -> Invitation:
        """`open_invite` and `request_contact` in one."""
        invitation = await self.open_invite(link, timeout)
        await self.request_contact(invitation, text, timeout)
        return invitation

    def requests(self) -> tuple[RequestView, ...]:
        """Contact requests that wait for an answer."""
        return self._core.requests()

    async def accept(self, request: RequestView | bytes) -> ConversationView:
        """Founds the conversation with who asked."""
        id = request if isinstance(request, bytes) else request.id
        return await self._founded(actions.AcceptRequest(id))

    async def decline(self, request: RequestView | bytes) -> None:
        """Drops the request; nothing is sent."""
        await self.loop.do(actions.DeclineRequest(request if isinstance(request, bytes) else request.id))

    async def block(self, request: RequestView | bytes) -> None:
        """Drops the request and everything that this identity sends from now on."""
        await self.loop.do(actions.BlockRequest(request if isinstance(request, bytes) else request.id))

    def contacts(self) -> tuple[ContactView, ...]:
        return self._core.contacts()

    async def block_contact(self, person: Person) -> None:
        await self.loop.do(actions.BlockContact(_identity(person)))

    async def unblock_contact(self, person: Person) -> None:
        await self.loop.do(actions.UnblockContact(_identity(person)))

    # ---- conversations ----

    def conversations(self) -> tuple[ConversationView, ...]:
        """Newest activity first."""
        return self._core.conversations()

    def conversation(self, chat: Chat) -> ConversationView:
        """The conversation as it is now; raises ClientError."""
        view = self._core.conversation(_id(chat))
        if view is None:
            raise ClientError("unknown-chat")
        return view

    def find_chat(self, text: str) -> ConversationView:
        """The conversation with this name, or whose id in hex begins so (4 digits or more); raises
        ClientError."""
        everything = self.conversations()
        found = [view for view in everything if view.name == text]
        if not found and len(text) >= 4:
            found = [view for view in everything if view.id.hex().startswith(text.lower())]
        if not found:
            found = [view for view in everything if view.name.casefold() == text.casefold()]
        if len(found) != 1:
            raise ClientError("ambiguous-chat" if found else "unknown-chat", text[:80])
        return found[0]

    async def create_group(self, name: str, members: Sequence[Person] = ()) -> ConversationView:
        return await self._founded(actions.CreateGroup(name, tuple(_identity(member) for member in members)))

    async def _founded(self, action: actions.Action) -> ConversationView:
        """Does what founds a conversation, and gives that."""
        async with self._creating:
            before = {view.id for view in self._core.conversations()}
            told = await self.loop.do(action)
        changed = [e.conversation for e in told if isinstance(e, commands.ConversationChanged)]
        new = [id for id in changed if id not in before] or changed
        if not new:
            raise ClientError("unknown-chat")
        return self.conversation(new[0])

    async def add(self, chat: Chat, *people: Person) -> None:
        await self.loop.do(actions.AddMembers(_id(chat), tuple(_identity(person) for person in people)))

    async def remove(self, chat: Chat, person: Person) -> None:
        await self.loop.do(actions.RemoveMember(_id(chat), _identity(person)))

    async def leave(self, chat: Chat) -> None:
        await self.loop.do(actions.Leave(_id(chat)))

    async def rename(self, chat: Chat, name: str) -> None:
        await self.loop.do(actions.Rename(_id(chat), name))

    async def set_admin(self, chat: Chat, person: Person, admin: bool = True) -> None:
        await self.loop.do(actions.SetAdmin(_id(chat), _identity(person), admin))

    async def move(self, chat: Chat, post_quantum: bool) -> None:
        """Has a group go on with post-quantum encryption (up to 64 members), or with the lighter one. Only admins may;
        nothing is lost, and what is written meanwhile waits: the conversation's state is `moving` until it is done."""
        suite = SUITE_XWING if post_quantum else SUITE_X25519
        await self.loop.do(actions.MoveSuite(_id(chat), suite))

    async def delete_conversation(self, chat: Chat) -> None:
        """Forgets it on this device, history included."""
        await self.loop.do(actions.DeleteConversation(_id(chat)))

    def safety(self, chat: Chat) -> SafetyView:
        """The number that both people of a direct conversation compare; raises ClientError where there
        is none."""
        number = self._core.safety_number(_id(chat))
        if number is None:
            raise ClientError("no-safety-number")
        return number

    async def verify(self, person: Person, verified: bool = True) -> None:
        """Notes that the safety number was compared."""
        await self.loop.do(actions.MarkVerified(_identity(person), verified))

    # ---- messages ----

    async def send(self, chat: Chat, text: str, *, reply_to: Message | bytes | None = None) -> Message:
        """Puts a text into the conversation. It is kept when this returns, and goes out by itself;
        `sent` waits."""
        target = reply_to.id if isinstance(reply_to, Message) else reply_to
        return await self._send(_id(chat), Text(text=text, reply_to=target))

    async def _send(self, conversation: bytes, content: Content) -> Message:
        id = self._random.bytes(16)
        await self.loop.do(actions.SendContent(conversation, content, id))
        return await self.message(conversation, id)

    async def react(self, message: Message, emoji: str) -> None:
        """Our reaction to the message; an empty one takes it back."""
        await self.loop.do(actions.SendContent(message.conversation, Reaction(message.id, emoji)))

    async def edit(self, message: Message, text: str) -> None:
        await self.loop.do(actions.SendContent(message.conversation, Edit(message.id, text)))

    async def delete(self, message: Message) -> None:
        """Deletes one of our own for everybody."""
        await self.loop.do(actions.SendContent(message.conversation, Delete(message.id)))

    async def sent(self, message: Message, timeout: float = WAIT) -> Message:
        """Returns when the relay has the message. Raises ClientError `offline` after `timeout` seconds
        (it still goes out later), `message-failed` where the relay refused it for good."""

        async def arrived() -> Message | None:
            current = await self.message(message.conversation, message.id)
            if current.status == "failed":
                raise ClientError("message-failed")
            return None if current.status == "waiting" else current

        return await self._until(arrived, timeout, "offline")

    async def mark_read(self, message: Message) -> None:
        """Everything in the conversation up to this message has been read."""
        await self.loop.do(actions.MarkRead(message.conversation, message.id))

    async def set_typing(self, chat: Chat, active: bool) -> None:
        await self.loop.do(actions.SetTyping(_id(chat), active))

    async def message(self, chat: Chat, id: bytes) -> Message:
        """Raises ClientError."""
        stored = await self.loop.in_store(lambda store: store.message(_id(chat), id))
        if stored is None:
            raise ClientError("unknown-message")
        return to_message(stored, self._core.name_of)

    async def history(
        self, chat: Chat, limit: int = 50, before: Message | bytes | None = None
    ) -> tuple[Message, ...]:
        """The newest `limit` messages (at most 1,000), or those right before one; oldest first."""
        mark = before.id if isinstance(before, Message) else before
        found = await self.loop.in_store(lambda s: s.history(_id(chat), limit=limit, before=mark))
        return tuple(to_message(each.message, self._core.name_of) for each in found)

    async def arrived(
        self, after: int, *, limit: int = 100, chat: Chat | None = None
    ) -> tuple[tuple[int, Message], ...]:
        """Messages in the order in which this store took them, each with its number; only those with a
        number above `after`, of one conversation or of all. For programs that handle each message once."""
        only = None if chat is None else _id(chat)
        found = await self.loop.in_store(lambda s: s.arrived(after, limit=limit, conversation=only))
        return tuple((each.arrival, to_message(each.message, self._core.name_of)) for each in found)

    # ---- files ----

    async def send_file(
        self,
        chat: Chat,
        path: str | Path,
        *,
        caption: str | None = None,
        reply_to: Message | bytes | None = None,
        progress: files.Progress | None = None,
    ) -> Message:
        """Uploads a file of at most 100 MiB and puts it into the conversation. Goes on by itself after a
        broken connection; called again after the program was stopped, goes on where it was."""
        view = self.conversation(chat)
        whole = await asyncio.to_thread(Path(path).expanduser().absolute)
        key = view.id + str(whole).encode()
        kept = await self.loop.in_store(lambda s: s.own(SENDING, key))
        sealed = files.SealedFile.decode(kept) if kept is not None else None
        if sealed is None or not await asyncio.to_thread(sealed.is_current):
            sealed = await asyncio.to_thread(files.seal, whole, self._random.bytes(32))
            await self.keep(Save(SENDING, key, sealed.encode()))
        await files.Transfers(lambda: self._relay_of(view.id)).upload(sealed, progress)
        message = await self._send(
            view.id,
            FileReference(
                blob=sealed.blob,
                key=sealed.key,
                size=sealed.size,
                name=files.short_name(whole.name),
                media_type=files.media_type_of(whole),
                caption=caption or None,
                reply_to=reply_to.id if isinstance(reply_to, Message) else reply_to,
            ),
        )
        await self.keep(Save(SENDING, key, None))
        return message

    async def download(
        self, message: Message, target: str | Path, *, progress: files.Progress | None = None
    ) -> Path:
        """Fetches a message's file into folder `target`, under its own name made safe, or to the file
        `target`. Never writes over anything. Goes on where a broken or stopped download was."""
        file = _file_of(message)
        place = Path(target).expanduser()
        folder = place if await asyncio.to_thread(place.is_dir) else place.parent
        temporary = files.temporary_for(folder / "any", file.reference)
        await files.Transfers(lambda: self._relay_of(message.conversation)).download(
            file.reference, temporary, progress
        )
        return await asyncio.to_thread(files.finish, temporary, place, files.safe_name(file.name))

    # ---- events ----

    def events(self) -> AsyncIterator[ClientEvent]:
        """What happens from now on. Each call is a feed of its own; a slow reader loses events (and is
        told), never messages: those are in the history."""
        return Feed(self.loop).iterate()

    # ---- helpers ----

    async def _until(
        self, check: Callable[[], T | None] | Callable[[], Awaitable[T | None]], timeout: float, code: str
    ) -> T:
        async with _deadline(timeout, code):
            return await Waiter(self.loop).until(check)

    async def keep(self, *saves: Save) -> None:
        now = self._clock()
        await self.loop.in_store(lambda store: store.commit(saves, now))

    def _relay_of(self, conversation: bytes) -> Link:
        link = self.loop.links.get(self.conversation(conversation).relay)
        if link is None:
            raise ClientError("offline")
        return link


@asynccontextmanager
async def _deadline(seconds: float, code: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise ClientError(code) from error


def _file_of(message: Message) -> File:
    if message.file is None:
        raise ClientError("no-file")
    return message.file
