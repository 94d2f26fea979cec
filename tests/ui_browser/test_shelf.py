"""Files that wait, in the browser's own database: what is written, what survives, and who may write."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from scripts.screenshots import ARGUMENTS, CHROMIUM, ROOT, serve
from scripts.webapp import node_program

pytestmark = pytest.mark.browser

FIRST = [1, True, "name of 1", "c9c9"]
SECOND = [2, True, "name of 2", "caca"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("shelf")
    vite = ROOT / "web" / "node_modules" / "vite" / "bin" / "vite.js"
    command = [str(node_program()), str(vite), "build", "--logLevel", "warn"]
    command += ["--config", "tests/client/shelf/vite.config.ts"]
    subprocess.run(command, cwd=ROOT / "web", check=True, env={**os.environ, "PAGE_OUT": str(folder)})
    with serve(folder) as base:
        yield f"{base}page.html"


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context()
    yield made
    made.close()


class Tab:
    """A tab with the store open in it."""

    def __init__(self, context: BrowserContext, address: str, first: str = "open") -> None:
        self.page: Page = context.new_page()
        self.page.goto(address)
        self.page.wait_for_function("() => 'shelf' in window")
        self.do(first)

    def do(self, name: str, *given: Any) -> Any:
        return self.page.evaluate("([name, given]) => shelf[name](...given)", [name, list(given)])


def test_what_was_kept_is_there_after_a_restart_in_its_order(context: BrowserContext, address: str) -> None:
    tab = Tab(context, address)
    assert [tab.do("put", 2), tab.do("put", 1)] == [None, None]
    tab.page.close()
    tab = Tab(context, address)
    assert tab.do("rows") == [FIRST, SECOND]
    assert tab.do("part", 1, 0) == [65_536, 10, 10]
    assert tab.do("part", 2, 2)[1:] == [22, 22]
    assert tab.do("remove", 1) is None
    assert tab.do("rows") == [SECOND]
    assert sorted(tab.do("keys")) == [1, 2, 2, 2]


def test_neither_names_nor_keys_stand_in_the_store_as_they_are(context: BrowserContext, address: str) -> None:
    tab = Tab(context, address)
    tab.do("put", 1)
    assert tab.do("tells") is False


def test_parts_without_a_row_are_removed(context: BrowserContext, address: str) -> None:
    tab = Tab(context, address)
    tab.do("put", 1)
    tab.do("loseRow")
    assert tab.do("keys") == [2, 2, 2]
    assert tab.do("rows") == []
    assert tab.do("keys") == []


@pytest.mark.parametrize("what", ["a part is missing", "it was never whole"])
def test_a_file_that_is_not_whole_is_told_and_takes_no_room(
    context: BrowserContext, address: str, what: str
) -> None:
    tab = Tab(context, address)
    if what == "a part is missing":
        tab.do("put", 1)
        tab.do("losePart")
    else:
        tab.do("put", 1, {"whole": False})
    assert tab.do("rows") == [[1, False, *FIRST[2:]]]
    assert tab.do("keys") == [1]


def test_a_row_in_another_place_is_refused(context: BrowserContext, address: str) -> None:
    tab = Tab(context, address)
    tab.do("put", 1)
    tab.do("put", 2)
    tab.do("exchangeRows")
    assert tab.do("damaged") == "store-damaged"


def test_only_the_newest_opening_writes(context: BrowserContext, address: str) -> None:
    old = Tab(context, address)
    old.do("put", 1)
    new = Tab(context, address)
    assert old.do("put", 2) == "taken-over"
    assert old.do("remove", 1) == "taken-over"
    assert new.do("rows") == [FIRST]
    assert new.do("put", 2) is None


@pytest.mark.parametrize("ms", [0, 1, 2, 4, 8, 16])
def test_what_was_called_off_leaves_nothing(context: BrowserContext, address: str, ms: int) -> None:
    tab = Tab(context, address)
    tab.do("callOff", ms)
    assert tab.do("keys") == []


def test_a_full_disk_is_told_and_nothing_is_half_written(
    driver: Playwright, address: str, tmp_path: Path
) -> None:
    # Only a profile on the disk heeds what is set as its quota.
    context = driver.chromium.launch_persistent_context(
        str(tmp_path / "profile"), executable_path=CHROMIUM, args=list(ARGUMENTS)
    )
    setter = context.new_page()
    setter.goto(address)
    quota = {"origin": setter.evaluate("location.origin"), "quotaSize": 1_000_000}
    session = context.new_cdp_session(setter)
    session.send("Storage.overrideQuotaForOrigin", quota)
    tab = Tab(context, address)
    codes = [tab.do("put", number) for number in range(1, 20)]
    # Each takes 200 KB.
    assert codes[0] is None and set(codes) == {None, "store-full"}
    kept = codes.count(None)
    assert len(tab.do("rows")) == kept
    assert sorted(tab.do("keys")) == [1] * kept + [2] * (3 * kept)
    session.detach()
    context.close()


def test_a_store_of_the_first_version_is_taken_up(context: BrowserContext, address: str) -> None:
    tab = Tab(context, address, "makeFirstVersion")
    tab.do("open")
    assert tab.do("rows") == []
    assert tab.do("put", 1) is None
    assert tab.do("commit") is None
    assert tab.do("rows") == [FIRST]
