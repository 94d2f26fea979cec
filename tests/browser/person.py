"""A person at a browser: does what a person does, by what a person sees (labels and words, English)."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, Playwright, expect

from scripts.screenshots import ARGUMENTS, CHROMIUM
from tests.browser.namespaces import Host

PATIENCE = 30_000
"""ms for something to appear. Nothing waits this long where all is well; it only ends a test that hangs."""

WRONG_CLOCK = """{
  const [Right, shift] = [Date, %d];
  globalThis.Date = class extends Right {
    constructor(...given) { super(...(given.length ? given : [Right.now() + shift])); }
    static now() { return Right.now() + shift; }
  };
}"""


class Person:
    """One browser profile on one host. `close` and `open` again is closing and opening the browser."""

    def __init__(self, playwright: Playwright, host: Host, folder: Path, name: str, shift: int = 0) -> None:
        """`shift`: ms by which this person's clock is wrong."""
        self.name = name
        self._playwright = playwright
        self._folder = folder
        self._shift = shift
        folder.mkdir(parents=True, exist_ok=True)
        script = folder / "chromium"
        script.write_text(f'#!/bin/sh\nexec {shlex.join(host.command([CHROMIUM]))} "$@"\n')
        script.chmod(0o755)
        self._launcher = script
        self._context: BrowserContext | None = None
        self.page: Page

    # ---- the browser ----

    def open(self, address: str) -> None:
        """Starts the browser if need be and opens `address` in a new tab."""
        if self._context is None:
            self._context = self._playwright.chromium.launch_persistent_context(
                str(self._folder / "profile"),
                executable_path=str(self._launcher),
                args=list(ARGUMENTS),
                env={**os.environ, "HOME": str(self._folder)},
                locale="en-GB",
                viewport={"width": 1100, "height": 760},
            )
            self._context.set_default_timeout(PATIENCE)
            if self._shift:
                self._context.add_init_script(WRONG_CLOCK % self._shift)
        self.page = self._context.new_page()
        self.page.goto(address)

    @property
    def context(self) -> BrowserContext:
        assert self._context is not None
        return self._context

    def close(self) -> None:
        if self._context is not None:
            self._context.close()
            self._context = None

    def lose_storage(self) -> None:
        """Everything that the closed browser kept is gone."""
        shutil.rmtree(self._folder / "profile")

    def see(self, text: str | re.Pattern[str]) -> None:
        """Waits until the words are on the screen."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE)

    def press(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).first.click()

    # ---- beginning ----

    def register(self) -> None:
        self.page.get_by_label("Your name").fill(self.name)
        self.press("Start")

    def home(self) -> None:
        """To the list of chats, from wherever one is."""
        expect(self.page.locator(".panes .search")).to_be_attached(timeout=PATIENCE)
        self.page.keyboard.press("Control+k")
        expect(self.page.get_by_role("searchbox")).to_be_focused(timeout=PATIENCE)
        self.page.keyboard.press("Escape")

    def invite(self) -> str:
        """A fresh invite link."""
        self.home()
        self.press("New chat")
        self.page.get_by_role("button", name="Invite a friend").last.click()
        link = self.page.locator(".invite-link")
        expect(link).to_be_visible(timeout=PATIENCE)
        return link.input_value()

    def ask(self, words: str = "") -> None:
        """On the page of an invitation: asks to chat."""
        self.page.get_by_label("Say who you are (optional)").fill(words)
        self.press("Ask to chat")
        self.see("Waiting for")

    def accept(self, name: str) -> None:
        """Accepts the contact request of `name`; the chat is open then."""
        self.home()
        self.page.locator(".chat-row.asks", has_text=name).click()
        self.press("Accept")
        expect(self.title(name)).to_be_visible(timeout=PATIENCE)

    # ---- chats ----

    def title(self, name: str) -> Locator:
        return self.page.locator(".chat-name", has_text=name)

    def row(self, name: str) -> Locator:
        return self.page.locator(".chat-row", has=self.page.locator(".chat-row-name", has_text=name))

    def enter(self, name: str) -> None:
        """Opens the chat called `name`."""
        self.home()
        self.row(name).click()
        expect(self.title(name)).to_be_visible(timeout=PATIENCE)

    def write(self, text: str) -> None:
        """Writes in the open chat."""
        field = self.page.get_by_role("textbox", name="Message", exact=True)
        field.fill(text)
        field.press("Enter")
        expect(self.bubble(text)).to_be_visible(timeout=PATIENCE)

    def bubble(self, text: str) -> Locator:
        return self.page.locator("li.message", has_text=text)

    def reads(self, text: str) -> None:
        """Waits until `text` stands in the open chat, exactly once."""
        expect(self.bubble(text)).to_have_count(1, timeout=PATIENCE)
        expect(self.bubble(text)).to_be_visible(timeout=PATIENCE)

    def status(self, text: str, *wanted: str) -> None:
        """Waits until the own message `text` has one of the statuses (Sent, Delivered, Read, ...)."""
        mark = self.bubble(text).locator(".status")
        expect(mark).to_have_attribute("aria-label", re.compile("|".join(wanted)), timeout=PATIENCE)

    def texts(self) -> list[str]:
        """What the open chat shows, oldest first."""
        return [
            text.strip()
            for text in self.page.locator("li.message .bubble .text").all_inner_texts()
            if text.strip()
        ]

    def create_group(self, name: str, members: list[str]) -> None:
        self.home()
        self.press("New chat")
        self.page.get_by_role("button", name="New group").last.click()
        self.page.get_by_label("Group name").fill(name)
        for member in members:
            self.page.locator("label.item", has_text=member).click()
        self.press("Create group")
        expect(self.title(name)).to_be_visible(timeout=PATIENCE)

    def remove(self, group: str, member: str) -> None:
        self.enter(group)
        self.press("Info")
        self.page.locator("button.item", has_text=member).click()
        self.page.get_by_role("menuitem", name="Remove from group").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
        expect(self.page.locator("button.item", has_text=member)).to_have_count(0, timeout=PATIENCE)

    def move(self, group: str, to: str) -> None:
        """Has the group move to `stronger` or `lighter` encryption; the chat is open then."""
        self.enter(group)
        self.press("Info")
        self.page.get_by_role("button", name=f"Move to {to} encryption").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Move", exact=True).click()
        expect(self.page.get_by_role("dialog")).to_have_count(0, timeout=PATIENCE)
        self.enter(group)
