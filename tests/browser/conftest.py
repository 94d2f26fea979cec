"""Fixtures of tests in real browsers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect, sync_playwright

from tests.browser.person import PATIENCE
from tests.browser.world import World, world

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package")
def playwright_driver() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture
def here(playwright_driver: Playwright, tmp_path: Path) -> Iterator[World]:
    """A relay over HTTPS on a network of its own."""
    with world(playwright_driver, tmp_path) as made:
        yield made
