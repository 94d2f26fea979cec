"""What a first message really costs: an invited person in a fresh browser, a relay as people run it, every byte counted
by the browser itself until there is a field to write in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from scripts import webapp
from scripts.screenshots import DESKTOP, PHONE
from tests.ui_browser.inviter import PATIENCE, Inviter

pytestmark = pytest.mark.browser

NOTE_READY = """
new MutationObserver((_, observer) => {
  if (!document.querySelector('.composer textarea')) return;
  observer.disconnect();
  globalThis.readyAt = performance.timeOrigin + performance.now();
}).observe(document, { childList: true, subtree: true });
"""


class Received:
    """What a page's network received, from the browser's own account. Times are ms since 1970; `base` is where the app
    is."""

    def __init__(self, context: BrowserContext, page: Page, base: str) -> None:
        self._base = base
        self.asked: dict[str, tuple[float, str, str]] = {}
        """By request: when, method, address."""
        self.bytes: dict[str, int] = {}
        """By request that is through: all that was received for it, headers included."""
        self.codings: dict[str, str] = {}
        """By file, how it was packed."""
        self.frames: list[tuple[float, int]] = []
        """When, bytes of payload."""
        self._shift = 0.0
        session = context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._on_request)
        session.on("Network.responseReceived", self._on_response)
        session.on("Network.loadingFinished", self._on_end)
        session.on("Network.webSocketFrameReceived", self._on_frame)
        session.send("Network.enable")

    def _on_request(self, event: dict[str, Any]) -> None:
        self._shift = (event["wallTime"] - event["timestamp"]) * 1_000
        request = event["request"]
        self.asked[event["requestId"]] = (event["wallTime"] * 1_000, request["method"], request["url"])

    def _on_response(self, event: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in event["response"]["headers"].items()}
        self.codings[self._file(event["requestId"])] = headers.get("content-encoding", "")

    def _on_end(self, event: dict[str, Any]) -> None:
        self.bytes[event["requestId"]] = event["encodedDataLength"]

    def _on_frame(self, event: dict[str, Any]) -> None:
        frame = event["response"]
        text = frame["payloadData"]
        size = len(text) if frame["opcode"] == 1 else len(text) * 3 // 4
        self.frames.append((event["timestamp"] * 1_000 + self._shift, size))

    def _file(self, request: str) -> str:
        return self.asked[request][2].removeprefix(self._base) or webapp.PAGE

    def files(self, until: float) -> dict[str, int]:
        """Bytes by file of the app that was asked for before `until`. `keys` is the relay's: sealed traffic."""
        return {
            file: self.bytes[request]
            for request, (when, method, address) in self.asked.items()
            if when < until and method == "GET" and address.startswith(self._base)
            if (file := self._file(request)) != "keys"
        }

    def sealed(self, until: float) -> int:
        exchanged = [
            self.bytes.get(request, 0)
            for request, (when, method, address) in self.asked.items()
            if when < until and (method == "POST" or address.endswith("/keys"))
        ]
        return sum(exchanged) + sum(size for when, size in self.frames if when < until)


@pytest.fixture(scope="module")
def inviter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inviter]:
    webapp.build()
    with Inviter(tmp_path_factory.mktemp("inviter")) as made:
        yield made


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A fresh profile of somebody who reads Russian, whose words are the larger ones."""
    made = browser.new_context(locale="ru-RU", **request.param)
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()


def ask(page: Page, link: str, name: str) -> None:
    """Opens an invite, picks a name and asks to chat."""
    page.goto(link)
    page.get_by_label("Ваше имя").fill(name)
    page.get_by_role("button", name="Начать").click()
    page.get_by_role("button", name="Отправить запрос").click()
    expect(page.locator(".dots")).to_be_visible(timeout=PATIENCE)


def write(page: Page, text: str) -> None:
    field = page.locator(".composer textarea")
    field.fill(text)
    page.locator(".send").click()


def test_a_first_message_costs_what_is_claimed(
    inviter: Inviter, context: BrowserContext, capsys: pytest.CaptureFixture[str]
) -> None:
    workers: list[float] = []
    context.on("serviceworker", lambda worker: workers.append(time.time() * 1_000))
    page = context.new_page()
    page.add_init_script(NOTE_READY)
    received = Received(context, page, f"{inviter.relay.address}/")
    ask(page, inviter.invite(), "Boris")
    inviter.accept()
    expect(page.locator(".composer textarea")).to_be_visible(timeout=PATIENCE)
    write(page, "Hello Anna")
    assert inviter.receive("Hello Anna")
    expect(page.locator("li.message", has_text="Hello Anna")).to_be_visible(timeout=PATIENCE)
    colour = page.locator("li.message .bubble").evaluate("it => getComputedStyle(it).backgroundColor")
    assert colour != "rgba(0, 0, 0, 0)", "styles of later parts pass the relay's policy"

    ready = page.evaluate("globalThis.readyAt")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    assert workers
    assert min(workers) > ready, "the app is kept on the device after a first message could be sent"
    files = received.files(ready)
    assert files.keys() == webapp.size().keys(), "nothing else came before"
    assert {received.codings[file] for file in files} == {"br"}
    total = sum(files.values())
    with capsys.disabled():
        print(f"\n  {total:>7,}  bytes of the app until a first message, headers included")
        print(f"  {received.sealed(ready):>7,}  of sealed traffic")
    assert total <= webapp.FIRST_MESSAGE_TARGET
    assert received.sealed(ready) > 0


def test_a_first_message_needs_nothing_else(inviter: Inviter, context: BrowserContext) -> None:
    needed = webapp.size().keys()
    page = context.new_page()

    def judge(route: Route) -> None:
        file = route.request.url.removeprefix(f"{inviter.relay.address}/")
        if file in needed:
            route.continue_()
        else:
            route.abort()

    page.route("**/assets/*", judge)
    ask(page, inviter.invite(), "Clara")
    inviter.accept()
    write(page, "With nothing else")
    assert inviter.receive("With nothing else")
    expect(page.get_by_text("With nothing else")).to_be_visible(timeout=PATIENCE)
