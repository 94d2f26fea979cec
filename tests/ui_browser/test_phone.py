"""On a phone: one screen at a time, fingers, the system's Back."""

from __future__ import annotations

import pytest
from playwright.sync_api import CDPSession, expect

from tests.ui_browser.app import ANNA, App

pytestmark = pytest.mark.browser


def touch(session: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    session.send(
        "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
    )


def middle(app: App, text: str) -> tuple[float, float]:
    box = app.bubble(text).first.locator(".bubble").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_one_screen_at_a_time_and_back_by_the_system(phone: App) -> None:
    page = phone.open()
    phone.enter(ANNA)
    expect(page.locator(".pane-first")).to_be_hidden()
    page.locator(".chat-title").click()
    expect(page.get_by_role("heading", name="Contact")).to_be_visible()
    page.go_back()
    expect(page.locator(".chat-name")).to_be_visible()
    page.go_back()
    expect(page.locator(".pane-first")).to_be_visible()
    page.go_forward()
    expect(page.locator(".chat-name")).to_have_text(ANNA)
    page.get_by_role("button", name="Back").click()
    expect(page.locator(".pane-first")).to_be_visible()


def test_a_swipe_answers(phone: App) -> None:
    page = phone.open()
    phone.enter(ANNA)
    session = page.context.new_cdp_session(page)
    page.wait_for_timeout(400)
    x, y = middle(phone, "Perfect")
    page.wait_for_load_state("networkidle")
    touch(session, "touchStart", (x, y))
    for step in range(1, 9):
        touch(session, "touchMove", (x - 10 * step, y))
    touch(session, "touchEnd")
    expect(page.locator(".composer-mode")).to_contain_text("Perfect")


def test_a_long_press_opens_the_menu_and_a_scroll_does_not(phone: App) -> None:
    page = phone.open()
    phone.enter(ANNA)
    session = page.context.new_cdp_session(page)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)
    x, y = middle(phone, "Perfect")
    touch(session, "touchStart", (x, y))
    touch(session, "touchMove", (x, y - 60))
    page.wait_for_timeout(600)
    touch(session, "touchEnd")
    expect(page.locator(".menu")).to_have_count(0)
    phone.scroller.evaluate("it => it.scrollTo(0, it.scrollHeight)")
    page.wait_for_timeout(200)
    x, y = middle(phone, "Perfect")
    touch(session, "touchStart", (x, y))
    page.locator(".menu").wait_for()
    touch(session, "touchEnd")
    expect(page.get_by_role("menuitem", name="Reply")).to_be_visible()


def test_enter_begins_a_line_where_the_keyboard_is_on_the_screen(phone: App) -> None:
    page = phone.open()
    phone.enter(ANNA)
    expect(phone.field).not_to_be_focused()
    phone.field.fill("one")
    phone.field.press("Enter")
    phone.field.type("two")
    assert phone.calls("send") == []
    page.get_by_role("button", name="Send").click()
    assert phone.called("send")[1] == "one\ntwo"
