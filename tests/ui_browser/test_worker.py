"""The service worker, with the product's own build: opens without its origin, and takes nothing but what was built."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.screenshots import ROOT, QuietHandler
from scripts.webapp import node_program

pytestmark = pytest.mark.browser

PATH = "/k7Qm2xV9hR4tW8yB/"
"""The secret path that the app lives under."""
BLOCK_PAGE = b"<!doctype html><title>Blocked</title><h1>Access to this site is restricted</h1>"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product's build, below its secret path."""
    root: Path = tmp_path_factory.mktemp("product")
    folder = root / PATH.strip("/")
    vite = ROOT / "web" / "node_modules" / "vite" / "bin" / "vite.js"
    command = [str(node_program()), str(vite), "build", "--logLevel", "warn", "--outDir", str(folder)]
    subprocess.run(command, cwd=ROOT / "web", check=True, env=os.environ)
    return root


class Origin:
    """A server that can be told to answer a block page to everything, and whose requests are counted."""

    def __init__(self, folder: Path) -> None:
        self.blocked: str | None = None
        """Answer the block page to requests whose path holds this."""
        self.asked: list[str] = []
        origin = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                origin.asked.append(self.path)
                if origin.blocked is not None and origin.blocked in self.path:
                    self.send_response(200)
                    self.send_header("Content-Type", "text/html")
                    self.send_header("Content-Length", str(len(BLOCK_PAGE)))
                    self.end_headers()
                    self.wfile.write(BLOCK_PAGE)
                else:
                    super().do_GET()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.address = f"http://localhost:{self._server.server_address[1]}{PATH}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def die(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def origin(built: Path) -> Iterator[Origin]:
    made = Origin(built)
    yield made
    with contextlib.suppress(OSError):
        made.die()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


REGISTER = "navigator.serviceWorker.register('./sw.js', { scope: './', updateViaCache: 'none' })"


def install(page: Page) -> str:
    """Registers the worker as the app does; returns the state it ends in."""
    return str(
        page.evaluate(
            f"""async () => {{
              const registration = await {REGISTER};
              const worker = registration.installing ?? registration.waiting ?? registration.active;
              for (;;) {{
                if (worker.state === 'activated' || worker.state === 'redundant') return worker.state;
                await new Promise((resolve) => worker.addEventListener('statechange', resolve, {{ once: true }}));
              }}
            }}"""
        )
    )


def first_screen(page: Page) -> None:
    expect(page.get_by_role("heading", name="Polynya")).to_be_visible()


def test_the_app_opens_with_its_origin_dead(origin: Origin, page: Page) -> None:
    page.goto(origin.address)
    first_screen(page)
    assert install(page) == "activated"
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    origin.die()
    page.reload()
    first_screen(page)
    page.evaluate("import('./assets/' + [...performance.getEntriesByType('resource')].length).catch(() => 0)")
    page.get_by_label("Your name").fill("Mila")


def test_a_block_page_in_place_of_everything_changes_nothing(origin: Origin, page: Page) -> None:
    page.goto(origin.address)
    assert install(page) == "activated"
    origin.blocked = "/"
    page.reload()
    first_screen(page)
    page.evaluate("navigator.serviceWorker.ready.then((it) => it.update()).catch(() => 0)")
    page.reload()
    first_screen(page)


@pytest.mark.parametrize("victim", ["client", "manifest.webmanifest", "icon.svg"])
def test_a_block_page_in_place_of_one_file_is_never_kept(origin: Origin, page: Page, victim: str) -> None:
    page.goto(origin.address)
    first_screen(page)
    page.evaluate("caches.keys().then((names) => Promise.all(names.map((name) => caches.delete(name))))")
    origin.blocked = victim
    page.context.clear_cookies()
    session = page.context.new_cdp_session(page)
    session.send("Network.clearBrowserCache")
    assert install(page) == "redundant"
    assert page.evaluate("navigator.serviceWorker.controller") is None
    kept = page.evaluate(
        """async () => {
          const texts = [];
          for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            for (const request of await cache.keys()) texts.push(await (await cache.match(request)).text());
          }
          return texts.filter((text) => text.includes('restricted')).length;
        }"""
    )
    assert kept == 0
    origin.blocked = None
    assert install(page) == "activated", "what was good is kept, the rest is fetched again"


def test_requests_to_the_relay_are_never_touched(origin: Origin, page: Page) -> None:
    page.goto(origin.address)
    assert install(page) == "activated"
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    origin.asked.clear()
    for name in ("keys", "x", "s"):
        for _ in range(2):
            page.evaluate("name => fetch('./' + name).then((answer) => answer.text())", name)
    assert sorted(origin.asked) == sorted(PATH + name for name in ("keys", "x", "s") for _ in range(2))
    origin.asked.clear()
    page.reload()
    first_screen(page)
    assert [path for path in origin.asked if "keys" not in path and "sw.js" not in path] == []
