"""The page on the local address: who may see it, what it shows, and how it looks in a browser."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page, async_playwright

from polynya.relay.admin import FIGURES, RANGES, page
from polynya.relay.history import MIB, MINUTE, History, Point
from polynya.relay.local import is_own_name
from polynya.relay.metrics import Metrics
from polynya.relay.plots import Line, plot, round_up, round_up_size
from polynya.relay.status import Problem, Status
from scripts.screenshots import ARGUMENTS, CHROMIUM
from tests.support.relay import running_relay

NOW = 1_800_000_000_000
SIZES = (160.0 * MIB, 3_000.0 * MIB, 40_000.0 * MIB)


def filled(folder: Path) -> History:
    """A week of figures, with gaps where there was too little to tell."""
    history = History(Metrics(), folder, lambda: NOW)
    for ring in history.rings.values():
        for number in range(ring.points.maxlen or 0):
            time = (NOW // ring.step - number) * ring.step
            point = Point(time, 500.0, 2_000.0, 200.0, 0.0, 100.0, 5.0, 2.0, 20.0, *SIZES)
            few = replace(point, records=0.0, half=None, most=None)
            ring.points.appendleft(point if number % 7 else few)
    return history


def status(history: History, *problems: Problem) -> Status:
    certificate = {
        "names": ["a.example"],
        "seconds_left": 5e6,
        "obtained": True,
        "problem": "",
        "next_try": 60,
    }
    return Status("0.1.0", 90_000.0, history.rings["hour"].points[-1], 256 * MIB, certificate, list(problems))


# ---- who may see it


@pytest.mark.parametrize(
    ("host", "address", "own"),
    [
        ("127.0.0.1:8421", "127.0.0.1:8421", True),
        ("localhost:9000", "127.0.0.1:8421", True),
        ("LOCALHOST", "127.0.0.1:8421", True),
        ("[::1]:8421", "127.0.0.1:8421", True),
        ("10.0.0.5:8421", "10.0.0.5:8421", True),
        ("relay.internal:8421", "relay.internal:8421", True),
        (None, "127.0.0.1:8421", True),
        ("anything", "unix:/run/local.sock", True),
        ("evil.example", "127.0.0.1:8421", False),
        ("evil.example:8421", "127.0.0.1:8421", False),
        ("127.0.0.1.evil.example", "127.0.0.1:8421", False),
        ("localhost.evil.example", "127.0.0.1:8421", False),
        ("localhost@evil.example", "127.0.0.1:8421", False),
        ("[", "127.0.0.1:8421", False),
        ("", "127.0.0.1:8421", False),
    ],
)
def test_names_of_others_lead_nowhere(host: str | None, address: str, own: bool) -> None:
    """DNS rebinding: a page elsewhere has its own name lead to 127.0.0.1, and reads what is there."""
    assert is_own_name(host, address) is own


@pytest.mark.parametrize("path", ["/", "/status", "/health", "/metrics", "/nothing"])
async def test_nothing_is_told_to_other_names_and_nothing_can_be_changed(tmp_path: Path, path: str) -> None:
    async with running_relay(tmp_path) as running, aiohttp.ClientSession() as http:
        async with http.get(f"{running.local}{path}", headers={"Host": "evil.example"}) as response:
            assert response.status == 403
            assert "polynya" not in (await response.text()).lower()
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            async with http.request(method, f"{running.local}{path}") as response:
                assert response.status == 405
                assert not [name for name in response.headers if name.startswith("Access-Control")]


async def test_the_page_has_no_script_and_loads_nothing(tmp_path: Path) -> None:
    async with running_relay(tmp_path) as running, aiohttp.ClientSession() as http:
        async with http.get(f"{running.local}/") as response:
            text = await response.text()
            policy = response.headers["Content-Security-Policy"]
            assert response.headers["X-Frame-Options"] == "DENY"
            assert response.headers["Cache-Control"] == "no-store"
        async with http.get(running.address.rpartition("/")[0] + "/") as response:
            assert "Polynya" not in await response.text(), "the public port has it not"
        secret = running.address.rpartition("/")[2]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert re.search(r"<script|<form|<img|\bsrc=|\bon\w+=|url\(|@import|https?://", text) is None
    assert secret not in text
    assert "127.0.0.1" not in text


# ---- what it shows


@pytest.mark.parametrize("wanted", [*RANGES, "", "<script>"])
def test_every_figure_is_drawn_and_explained(tmp_path: Path, wanted: str) -> None:
    history = filled(tmp_path)
    text = page(status(history), history, wanted, NOW)
    assert text.count("<svg") == len(FIGURES)
    for figure in FIGURES:
        assert figure.title in text
        assert figure.harmless.replace("'", "&#x27;") in text
    assert "<script>" not in text
    assert text.count("aria-current=page") == 1
    assert "Nothing is wrong." in text


def test_problems_come_first_and_are_text(tmp_path: Path) -> None:
    history = filled(tmp_path)
    text = page(status(history, Problem("<b>What</b>", "Do & so")), history, "day", NOW)
    assert "&lt;b&gt;What&lt;/b&gt;" in text
    assert "Do &amp; so" in text
    assert text.index("Do &amp; so") < text.index("<svg")
    assert "Nothing is wrong." not in text


def test_lines_have_gaps_where_there_is_nothing_to_tell() -> None:
    values = [1.0, 2.0, None, 4.0, None, None, 5.0, 6.0]
    times = [MINUTE * number for number in range(len(values))]
    drawn = plot([Line("a", "first", values)], times, 0, 8 * MINUTE, "%H:%M", str)
    assert drawn.count("<polyline") == 2
    assert drawn.count("<circle") == 1
    empty = plot([Line("a", "first", [None])], [0], 0, MINUTE, "%H:%M", str)
    assert "<polyline" not in empty and "<circle" not in empty


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (1.1, 2), (3, 5), (5, 5), (7, 10), (2_100, 5_000)]
)
def test_axes_end_at_round_numbers(value: float, top: float) -> None:
    assert round_up(value) == pytest.approx(top)


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (3, 4), (1 << 20, 1 << 20), ((1 << 20) + 1, 1 << 21)]
)
def test_axes_of_sizes_end_at_powers_of_two(value: float, top: float) -> None:
    assert round_up_size(value) == top


# ---- in a browser


def listen(tab: Page, told: list[str], asked: list[str]) -> None:
    tab.on("console", lambda message: told.append(message.text))
    tab.on("request", lambda request: asked.append(request.url))


@pytest.mark.browser
async def test_it_fits_a_phone_in_both_colours(tmp_path: Path) -> None:
    """Nothing wider than the screen, nothing refused by the policy, nothing asked for but the page."""
    async with running_relay(tmp_path) as running, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        backgrounds = set()
        for scheme in ("light", "dark"):
            context = await browser.new_context(
                viewport={"width": 360, "height": 740},
                color_scheme=scheme,
            )
            tab = await context.new_page()
            told: list[str] = []
            asked: list[str] = []
            listen(tab, told, asked)
            await tab.goto(f"{running.local}/?range=week")
            assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert await tab.locator("h2").count() == len(FIGURES)
            style = "getComputedStyle(document.body).backgroundColor"
            backgrounds.add(await tab.evaluate(style))
            assert told == []
            assert asked == [f"{running.local}/?range=week"]
            await context.close()
        assert len(backgrounds) == 2
        assert "rgba(0, 0, 0, 0)" not in backgrounds, "the style is in force"
        await browser.close()
