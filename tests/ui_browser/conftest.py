"""The interface in a real browser, with a client in memory: what a person can do and sees, without any relay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from scripts.screenshots import ARGUMENTS, CHROMIUM, build, serve
from tests.ui_browser.app import PATIENCE, App

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package")
def driver() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(driver: Playwright) -> Iterator[Browser]:
    launched = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
    yield launched
    launched.close()


@pytest.fixture(scope="package")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the interface is served."""
    folder: Path = tmp_path_factory.mktemp("interface")
    build(folder)
    with serve(folder) as address:
        yield address


@pytest.fixture
def app(browser: Browser, base: str) -> Iterator[App]:
    """A desktop browser; `app.open()` opens the interface. Any error of the page fails the test."""
    opened = App(browser, base)
    yield opened
    opened.close()
    assert opened.problems == []


@pytest.fixture
def phone(browser: Browser, base: str) -> Iterator[App]:
    """As `app`, on a phone: 360 x 740 pixels, fingers."""
    opened = App(browser, base, phone=True)
    yield opened
    opened.close()
    assert opened.problems == []
