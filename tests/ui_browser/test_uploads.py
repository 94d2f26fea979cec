"""Files that wait: a real browser and a real relay, the friend at the SDK. Whatever happens to the page or the network, a
file that was sent arrives once and whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, WebSocketRoute, expect

from polynya.wire import files
from polynya.wire.messages import BLOB_PART
from scripts import webapp
from scripts.screenshots import DESKTOP, PHONE
from tests.ui_browser.inviter import PATIENCE, Inviter

pytestmark = pytest.mark.browser

MARK = b"Meet me at the north pier at nine. "
CONTENT = MARK * 175_000
PARTS = -(-files.blob_size(len(CONTENT)) // BLOB_PART)
"""96"""
HALF = 45
"""Parts after which a held connection goes silent."""

DUMP = """async (name) => {
  const open = indexedDB.open(name);
  await new Promise((done) => (open.onsuccess = done));
  const store = open.result.transaction('file').objectStore('file');
  const [keys, values] = [store.getAllKeys(), store.getAll()];
  await new Promise((done) => (values.onsuccess = done));
  open.result.close();
  const text = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  const marked = values.result.filter((value) => text(value).includes('north pier') || text(value).includes('route.bin'));
  return { keys: keys.result.map((key) => key.length), marked: marked.length };
}"""


class Boris:
    """In a browser profile of his own, invited by Anna."""

    page: Page

    def __init__(self, context: BrowserContext, anna: Inviter) -> None:
        self._context = context
        self._anna = anna
        self.parts = 0
        """Of files, that the page that is open now has sent to the relay."""
        context.set_default_timeout(PATIENCE)

    def meet(self) -> None:
        page = self.page = self._context.new_page()
        page.goto(self._anna.invite())
        page.get_by_label("Your name").fill("Boris")
        page.get_by_role("button", name="Start").click()
        page.get_by_role("button", name="Ask to chat").click()
        expect(page.locator(".dots")).to_be_visible(timeout=PATIENCE)
        self._anna.accept()
        expect(page.locator(".composer textarea")).to_be_visible(timeout=PATIENCE)
        # The worker keeps the app, so that it opens without the relay.
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    def open(self, held: bool = False) -> None:
        """The app in a new tab, and in it the chat. `held`: its connection goes silent half way through the file."""
        page = self.page = self._context.new_page()
        self.parts = 0
        if held:
            page.route_web_socket(re.compile("."), self._hold)
        else:
            page.on("websocket", lambda socket: socket.on("framesent", self._count))
        page.goto(f"{self._anna.relay.address}/")
        self.enter()

    def take_over(self) -> None:
        """Beside the tab that is open."""
        self.page = self._context.new_page()
        self.page.goto(f"{self._anna.relay.address}/")
        self.page.get_by_role("button", name="Use it here").click()
        self.enter()

    def enter(self) -> None:
        row = self.page.locator(".chat-row", has_text="Anna")
        row.click()
        expect(self.page.locator(".composer textarea")).to_be_visible(timeout=PATIENCE)

    def _count(self, payload: str | bytes) -> None:
        self.parts += len(payload) > BLOB_PART

    def _hold(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(payload: str | bytes) -> None:
            if self.parts < HALF:
                self._count(payload)
                server.send(payload)

        socket.on_message(pass_on)

    def pick(self, path: Path, caption: str = "") -> None:
        self.page.locator(".composer input[type=file]").set_input_files(path)
        dialog = self.page.get_by_role("dialog")
        if caption:
            dialog.get_by_label("Caption").fill(caption)
        dialog.get_by_role("button", name="Send").click()

    def write(self, text: str) -> None:
        self.page.locator(".composer textarea").fill(text)
        self.page.locator(".send").click()
        # It stands in the chat when it is kept.
        expect(self.page.locator("li.message", has_text=text)).to_be_visible(timeout=PATIENCE)

    @property
    def upload(self) -> Locator:
        return self.page.locator(".upload")

    def is_half_way(self) -> None:
        """Waits until the relay has half of the file, and the connection is silent."""
        ring = self.upload.locator("[role=progressbar]")
        expect(ring).to_have_attribute("aria-valuenow", re.compile(r"^4\d$"), timeout=PATIENCE)

    def is_sent(self, name: str) -> None:
        expect(self.upload).to_have_count(0, timeout=PATIENCE)
        status = self.page.locator("li.message", has_text=name).locator(".status")
        expect(status).to_have_count(1, timeout=PATIENCE)
        expect(status).to_have_attribute("aria-label", re.compile("Sent|Delivered|Read"), timeout=PATIENCE)

    def kept(self) -> dict[str, Any]:
        """Lengths of the keys of what waits in this browser's store (1 for a row, 2 for a part), and how many of them tell
        what they are."""
        found = self.page.evaluate(DUMP, f"polynya {self._anna.relay.address}")
        assert isinstance(found, dict)
        return found

    def hears_of_network(self) -> None:
        """What the browser tells when a network came: the app waits out no pause."""
        self.page.evaluate("dispatchEvent(new Event('online'))")

    def crash(self) -> None:
        """The page's process dies, as it does when the memory runs out."""
        with self.page.expect_event("crash"), suppress(Error):
            self.page.goto("chrome://crash")


@pytest.fixture(scope="module")
def anna(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inviter]:
    webapp.build()
    with Inviter(tmp_path_factory.mktemp("anna")) as made:
        yield made


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def boris(browser: Browser, anna: Inviter, request: pytest.FixtureRequest) -> Iterator[Boris]:
    context = browser.new_context(locale="en-GB", **request.param)
    made = Boris(context, anna)
    made.meet()
    made.page.close()
    yield made
    context.close()


desktop = pytest.mark.parametrize("boris", [DESKTOP], indirect=True, ids=["desktop"])


@pytest.fixture
def route(tmp_path: Path) -> Path:
    """The file that is sent: its name is this test's own."""
    path = tmp_path / f"{tmp_path.name}.route.bin"
    path.write_bytes(CONTENT)
    return path


def arrived_once(anna: Inviter, path: Path) -> None:
    folder = path.parent / "received"
    folder.mkdir()
    assert anna.fetch(path.name, folder) == CONTENT
    assert anna.count_files(path.name) == 1


def test_an_upload_goes_on_in_the_next_tab_from_where_it_was(
    boris: Boris, anna: Inviter, route: Path
) -> None:
    boris.open(held=True)
    boris.pick(route, "The way there")
    expect(boris.upload).to_contain_text("Sending")
    expect(boris.page.locator("li.message", has_text="The way there")).to_be_visible()
    boris.is_half_way()
    assert sorted(boris.kept()["keys"]) == [1] + [2] * PARTS
    assert boris.kept()["marked"] == 0, "neither the file nor its name stands on the disk"
    boris.page.close()

    boris.open()
    boris.is_sent("The way there")
    # Frames of key packages are as large, and parts that were on their way are sent again; all of them would be PARTS.
    assert boris.parts < PARTS - HALF // 2, "what the relay had was not sent again"
    arrived_once(anna, route)
    assert boris.kept()["keys"] == []
    boris.page.reload()
    boris.enter()
    boris.is_sent("The way there")
    assert anna.count_files(route.name) == 1


@desktop
def test_a_crash_in_the_middle_loses_nothing(boris: Boris, anna: Inviter, route: Path) -> None:
    boris.open(held=True)
    boris.pick(route)
    boris.is_half_way()
    boris.crash()
    boris.open()
    boris.is_sent(route.name)
    arrived_once(anna, route)


def test_what_was_picked_without_a_network_waits_through_a_restart(
    boris: Boris, anna: Inviter, route: Path
) -> None:
    boris.open()
    anna.kill_relay()
    try:
        boris.pick(route)
        expect(boris.upload).to_contain_text("Waiting to be sent")
        boris.write(f"Written after {route.stem}")
        boris.page.close()
        boris.open()
        expect(boris.upload).to_contain_text("Waiting to be sent", timeout=PATIENCE)
    finally:
        anna.start_relay()
    boris.hears_of_network()
    boris.is_sent(route.name)
    assert anna.receive(f"Written after {route.stem}")
    arrived_once(anna, route)


@desktop
def test_cancelling_removes_all_of_it(boris: Boris, anna: Inviter, route: Path) -> None:
    boris.open(held=True)
    boris.pick(route)
    boris.is_half_way()
    boris.upload.get_by_role("button", name="Cancel").click()
    expect(boris.upload).to_have_count(0)
    assert boris.kept()["keys"] == []
    boris.page.close()
    boris.open()
    boris.write(f"Instead of {route.stem}")
    boris.is_sent(f"Instead of {route.stem}")
    expect(boris.upload).to_have_count(0)
    assert anna.receive(f"Instead of {route.stem}")
    assert anna.count_files(route.name) == 0


@desktop
def test_another_tab_takes_over_and_sends_it_once(boris: Boris, anna: Inviter, route: Path) -> None:
    boris.open(held=True)
    boris.pick(route)
    boris.is_half_way()
    first = boris.page
    boris.take_over()
    boris.is_sent(route.name)
    expect(first.get_by_text("Polynya is open in another tab")).to_be_visible()
    arrived_once(anna, route)


@desktop
def test_files_wait_their_turn_and_texts_go_before(boris: Boris, anna: Inviter, route: Path) -> None:
    boris.open()
    others = [route.with_name(f"{route.stem}-{number}.bin") for number in range(3)]
    for path in others:
        path.write_bytes(CONTENT[: len(path.name)])
    anna.kill_relay()
    try:
        for path in (route, *others):
            boris.pick(path)
        expect(boris.upload).to_have_count(4)
        boris.write(f"After {route.stem}")
    finally:
        anna.start_relay()
    boris.hears_of_network()
    for path in (route, *others):
        boris.is_sent(path.name)
    assert anna.receive(f"After {route.stem}")
    assert anna.receive_names(route.stem, 4) == [route.name, *(path.name for path in others)]
