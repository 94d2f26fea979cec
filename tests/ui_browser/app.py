"""A browser window with the interface in it, and the client in memory behind it (`demo` in the page)."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Locator, Page, Response, expect

from scripts.screenshots import DESKTOP, PHONE

INVITE = "#i=" + "pQEBAlgg" + "Ab3" * 20
ANNA = "Anna Lindqvist"
TRIP = "Lake trip"
PATIENCE = 30_000
"""ms; only ends a test that hangs."""


class App:
    page: Page

    def __init__(self, browser: Browser, base: str, phone: bool = False) -> None:
        self.base = base
        self.problems: list[str] = []
        """Errors of the page, and requests to anybody else; a test takes out what it provoked."""
        self.loaded: list[str] = []
        """Files received, without the hashes in their names."""
        options: dict[str, Any] = dict(PHONE if phone else DESKTOP)
        self.context = browser.new_context(locale="en-GB", timezone_id="Europe/Riga", **options)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=base.rstrip("/"))

    def open(self, query: str = "", fragment: str = "", script: str | None = None) -> Page:
        """Opens the interface in a new tab. `script` runs before it."""
        page = self.page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: self._judge(request.url))
        page.on("response", self._note)
        if script:
            page.add_init_script(script)
        page.goto(f"{self.base}?{query}{fragment}")
        page.locator(".panes, .page-inside").first.wait_for()
        return page

    def _judge(self, address: str) -> None:
        if not address.startswith((self.base, "data:", "blob:")):
            self.problems.append(f"a request to somebody else: {address}")

    def _note(self, response: Response) -> None:
        name = response.url.split("?")[0].split("/")[-1]
        if response.url.startswith(self.base):
            stem, dot, ending = name.rpartition(".")
            self.loaded.append(stem.split("-")[0] + dot + ending)

    def close(self) -> None:
        self.context.close()

    def calls(self, name: str) -> list[list[Any]]:
        """The arguments of every call of this action of the client."""
        found = self.page.evaluate(
            "name => demo.calls.filter((call) => call[0] === name).map((call) => call.slice(1))", name
        )
        assert isinstance(found, list)
        return found

    def called(self, name: str, count: int = 1) -> list[Any]:
        """Waits for the count-th call; returns its arguments."""
        self.page.wait_for_function(
            "([name, count]) => demo.calls.filter((call) => call[0] === name).length >= count",
            arg=[name, count],
        )
        found = self.calls(name)
        assert len(found) == count
        return list(found[-1])

    def chat_id(self, name: str) -> str:
        found = self.page.evaluate(
            "name => demo.conversations().find((each) => each.name === name)?.id ?? ''", name
        )
        assert found
        return str(found)

    # ---- what stands on the screen ----

    def row(self, name: str) -> Locator:
        return self.page.locator(".chat-row", has=self.page.locator(".chat-row-name", has_text=name))

    def enter(self, name: str) -> None:
        self.row(name).first.click()
        expect(self.page.locator(".chat-name", has_text=name)).to_be_visible()
        self.page.locator(".messages li, .greeting").first.wait_for()

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    @property
    def scroller(self) -> Locator:
        return self.page.locator(".scroller")

    def bubble(self, text: str) -> Locator:
        return self.page.locator("li.message", has_text=text)

    def menu(self, text: str, item: str) -> None:
        """Chooses an item of a message's menu."""
        self.bubble(text).last.locator(".bubble").click(button="right")
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def top_of(self, text: str) -> float:
        box = self.bubble(text).first.bounding_box()
        assert box is not None
        return box["y"]

    def at_end(self) -> bool:
        return bool(self.scroller.evaluate("it => it.scrollHeight - it.scrollTop - it.clientHeight < 4"))
