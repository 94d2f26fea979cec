"""What somebody at a browser reads when the relay of their chat misbehaves: a real relay, in its owner's hands."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from polynya import Client, ConversationView
from polynya.wire import messages as m
from scripts import webapp
from scripts.screenshots import DESKTOP
from tests.client.people import until
from tests.hostile.crowd import carriers_from, eventually, slot_of, topic_of
from tests.hostile.operator import Operator, hostile_relay
from tests.support.lies import without_commit
from tests.ui_browser.inviter import PATIENCE, Inviter

pytestmark = pytest.mark.browser

MINUTES = 60_000
BROWSER = "boris"
"""Who is at the browser; everybody else on the relay is at the SDK."""


CLOCK = """{
  const Right = Date;
  globalThis.later = 0;
  globalThis.Date = class extends Right {
    constructor(...given) { super(...(given.length ? given : [Right.now() + globalThis.later])); }
    static now() { return Right.now() + globalThis.later; }
  };
}"""
"""A clock that tests can set forward: `later` is in ms."""
ADDRESS = "127.77.0.11"
"""Anna's."""


class Owner(Inviter):
    """Anna at the SDK, and her relay, whose owner reads along and lies."""

    operator: Operator

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.client = Client(folder / "anna", carriers=carriers_from(ADDRESS))

    async def _begin(self) -> None:
        names = {"127.0.0.1": BROWSER, ADDRESS: "anna"}
        self.operator = await self._stack.enter_async_context(hostile_relay(self._folder / "hostile", names))
        await self._stack.enter_async_context(self.client)
        await self.client.register("Anna", self.operator.link)

    async def _group(self) -> bytes:
        (contact,) = self.client.contacts()
        view = await self.client.create_group("Lake trip", [contact.identity])
        while True:
            await until(self.client, lambda: self._is_added(view) or self.client.conversation(view).problem)
            if self._is_added(view):
                return view.id
            # Boris's browser has only begun to offer key packages.
            await asyncio.sleep(0.2)
            await self.client.add(view, contact.identity)

    def _is_added(self, chat: ConversationView) -> bool:
        return len(self.client.conversation(chat).members) == 2

    async def _rename(self, chat: bytes, name: str) -> None:
        await self.client.rename(chat, name)
        await until(self.client, lambda: self.client.conversation(chat).name == name)

    async def _say(self, chat: bytes, text: str) -> None:
        await self.client.sent(await self.client.send(chat, text))

    async def _fraud(self, chat: bytes, slot: bytes) -> None:
        """Another record in the place of the commit of this slot, signed as well."""
        topic = topic_of(self.client, chat).id
        commit = next(entry for entry in await self.operator.entries(topic) if entry.slot == slot)
        receipt = self.operator.receipt(topic, slot, 0, commit.seq, bytes(512))
        entry = m.Entry(commit.seq, commit.time, bytes(512), None, slot, receipt)
        self.operator.push(BROWSER, m.Push(topic, entry))

    async def _set(self, **hooks: object) -> None:
        for name, hook in hooks.items():
            setattr(self.operator, name, hook)

    async def _behave(self) -> None:
        shift = self.operator.shift
        self.operator.behave()
        self.operator.shift = shift
        self.operator.hang_up(BROWSER)

    async def _slot(self, chat: bytes) -> bytes:
        return slot_of(self.client, chat)


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Owner]:
    webapp.build()
    with Owner(tmp_path) as made:
        yield made


@pytest.fixture
def page(browser: Browser, anna: Owner) -> Iterator[Page]:
    """Boris, in a group with Anna, whose chat is open."""
    options: dict[str, Any] = dict(DESKTOP)
    context: BrowserContext = browser.new_context(locale="en-GB", **options)
    context.set_default_timeout(PATIENCE)
    context.add_init_script(CLOCK)
    page = context.new_page()
    page.goto(anna.invite())
    page.get_by_label("Your name").fill("Boris")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Ask to chat").click()
    anna.accept()
    page.locator(".composer textarea").wait_for()
    yield page
    context.close()


@pytest.fixture
def chat(anna: Owner, page: Page) -> bytes:
    made = anna.run(anna._group())
    row = page.locator(".chat-row", has=page.locator(".chat-row-name", has_text="Lake trip"))
    row.click()
    expect(page.locator(".chat-name", has_text="Lake trip")).to_be_visible()
    return made


def says(page: Page, words: str) -> Locator:
    """What stands above the chat's messages as long as it is so."""
    return page.get_by_role("status").get_by_text(words)


def test_a_relay_caught_lying_stops_the_chat_and_says_so(anna: Owner, page: Page, chat: bytes) -> None:
    slot = anna.run(anna._slot(chat))
    anna.run(anna._rename(chat, "Sea trip"))
    expect(page.locator(".chat-name", has_text="Sea trip")).to_be_visible()
    anna.run(anna._fraud(chat, slot))
    expect(
        says(page, "The relay gave different members different histories. This chat is stopped.")
    ).to_be_visible()
    expect(page.locator(".composer textarea")).to_have_count(0)


def test_a_history_that_others_were_shown_is_told_in_the_chat(anna: Owner, page: Page, chat: bytes) -> None:
    anna.run(anna._say(chat, "before"))
    expect(page.locator("li.message", has_text="before")).to_be_visible(timeout=PATIENCE)
    above = topic_of(anna.client, chat).seq

    def hidden(entry: m.Entry) -> m.Entry:
        return entry if entry.seq <= above else without_commit(entry)

    def deliver(who: str, push: m.Push) -> Sequence[m.Push]:
        return (m.Push(push.source, hidden(push.entry)),) if who == BROWSER else (push,)

    def change(who: str, request: m.Request, response: m.Response) -> m.Response:
        if who != BROWSER or not isinstance(response, m.Records):
            return response
        return m.Records(tuple(map(hidden, response.entries)), response.head)

    anna.run(anna._set(deliver=deliver, change=change))
    anna.run(anna._rename(chat, "Hidden from Boris"))
    anna.run(anna._say(chat, "in the next epoch"))
    words = "The relay shows different histories to different people. Compare safety numbers"
    expect(says(page, words)).to_be_visible()
    expect(page.get_by_text("in the next epoch")).to_have_count(0)


def test_what_is_withheld_is_told_after_ten_minutes_and_goes_away_when_it_comes(
    anna: Owner, page: Page, chat: bytes
) -> None:
    anna.run(anna._say(chat, "before"))
    expect(page.locator("li.message", has_text="before")).to_be_visible()
    topic = topic_of(anna.client, chat).id
    withheld: list[int] = []
    asked: list[m.Fetch] = []

    def deliver(who: str, push: m.Push) -> Sequence[m.Push]:
        if who != BROWSER or push.source != topic:
            return (push,)
        if not withheld:
            # By its place it can't be told beforehand: Boris's receipt for what was before takes one whenever it comes.
            withheld.append(push.entry.seq)
        return () if push.entry.seq == withheld[0] else (push,)

    def change(who: str, request: m.Request, response: m.Response) -> m.Response:
        if who != BROWSER or not isinstance(request, m.Fetch) or not isinstance(response, m.Records):
            return response
        if request.topic == topic and withheld and response.head >= withheld[0]:
            asked.append(request)
        return m.Records((), response.head)

    anna.run(anna._set(deliver=deliver, change=change))
    anna.run(anna._say(chat, "withheld"))
    anna.run(anna._say(chat, "what shows that there is more"))
    words = says(page, "The relay withholds part of this chat. If this stays, tell whoever runs it")
    anna.run(eventually(lambda: len(asked) > 1))
    expect(words).to_have_count(0)
    page.evaluate(f"globalThis.later = {11 * MINUTES}")
    expect(words).to_be_visible(timeout=PATIENCE)
    anna.run(anna._behave())
    expect(page.locator("li.message", has_text="withheld")).to_be_visible(timeout=PATIENCE)
    expect(words).to_have_count(0)
