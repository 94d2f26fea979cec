"""From opening a link to the first message, and the pages that say why it does not work here."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from scripts.screenshots import TELEGRAM
from tests.ui_browser.app import ANNA, INVITE, App

pytestmark = pytest.mark.browser

FIRST = {
    "",  # index.html by the folder's address
    "index.js",
    "first.js",
    "first.css",
    "en.js",
    "demo_client.js",
}
"""All that is received until a first message can be sent; in the product the real client is in demo_client's place."""


def test_an_invited_person_comes_to_a_chat_with_few_steps_and_few_bytes(app: App) -> None:
    page = app.open("scene=new", INVITE)
    assert "#" not in page.url
    assert page.evaluate("history.length") == 2, "about:blank and one entry: the link is not in the history"
    expect(page.get_by_role("heading", name="You are invited")).to_be_visible()
    name = page.get_by_label("Your name")
    expect(name).to_be_focused()
    name.press_sequentially("Mila")
    name.press("Enter")
    assert app.called("register") == ["Mila", INVITE[1:]]
    assert app.called("openInvite") == [INVITE[1:]]
    expect(page.get_by_role("heading", name=f"{ANNA} invites you to chat")).to_be_visible()
    page.get_by_label("Say who you are (optional)").fill("Hi, it is Mila")
    page.get_by_role("button", name="Ask to chat").click()
    assert app.called("requestContact")[1] == "Hi, it is Mila"
    expect(page.get_by_role("heading", name=f"Waiting for {ANNA}")).to_be_visible()
    expect(page.locator(".pane")).to_have_count(2)
    expect(page.locator(".pane:visible")).to_have_count(1)
    assert set(app.loaded) <= FIRST
    page.evaluate("demo.acceptOpened(demo.openedInvites()[0].id)")
    expect(page.locator(".chat-name")).to_have_text(ANNA)
    expect(app.row(ANNA)).to_be_visible()
    expect(page.locator(".messages-place")).to_contain_text("Only the two of you")
    app.field.fill("Hello!")
    app.field.press("Enter")
    assert app.called("send")[1] == "Hello!"
    expect(app.bubble("Hello!")).to_be_visible()


@pytest.mark.parametrize("by", ["the person", "the network"])
def test_a_first_message_leaves_and_shows_though_nothing_more_can_be_loaded(app: App, by: str) -> None:
    page = app.open("scene=fresh", INVITE)
    page.get_by_role("button", name="Ask to chat").click()
    expect(page.get_by_role("heading", name=f"Waiting for {ANNA}")).to_be_visible()
    page.route("**/assets/*", lambda route: route.abort())
    page.evaluate("demo.acceptOpened(demo.openedInvites()[0].id)")
    expect(page.locator(".greeting")).to_contain_text("Only the two of you")
    app.field.fill("Hello!")
    app.field.press("Enter")
    assert app.called("send")[1] == "Hello!"
    expect(page.locator(".plain-message.mine")).to_have_text("Hello!")
    strip = page.locator(".chat .strip", has_text="could not be loaded")
    expect(strip).to_be_visible()
    page.unroute("**/assets/*")
    if by == "the person":
        strip.get_by_role("button", name="Try again").click()
    else:
        with page.expect_response("**/screens-*.js"):
            page.evaluate("dispatchEvent(new Event('online'))")
    expect(app.bubble("Hello!")).to_be_visible()
    expect(strip).to_have_count(0)
    assert {problem.partition(":")[0] for problem in app.problems} == {"Failed to load resource"}
    app.problems.clear()


def test_a_relays_first_link_registers_and_leads_to_inviting(app: App) -> None:
    link = "#r=" + "A" * 48
    page = app.open("scene=new", link)
    page.get_by_label("Your name").fill("Mila")
    page.get_by_role("button", name="Start").click()
    assert app.called("register") == ["Mila", link[1:]]
    page.get_by_role("button", name="Invite a friend").click()
    expect(page.locator(".invite-link")).to_be_visible()


def test_without_a_link_one_can_be_pasted(app: App) -> None:
    page = app.open("scene=new")
    start = page.get_by_role("button", name="Start")
    page.get_by_label("Your name").fill("Mila")
    expect(start).to_be_disabled()
    page.get_by_label("Invite link").fill("https://example.org/")
    expect(page.get_by_text("This is not a whole invite link")).to_be_visible()
    expect(start).to_be_disabled()
    link = f"https://relay.example/secret/{INVITE}"
    page.get_by_label("Invite link").fill(link)
    start.click()
    assert app.called("register") == ["Mila", link]
    assert app.called("openInvite") == [link]


@pytest.mark.parametrize("name", ["   ", "\u200b\u202e", ""])
def test_a_name_needs_something_to_see(app: App, name: str) -> None:
    page = app.open("scene=new", INVITE)
    page.get_by_label("Your name").fill(name)
    expect(page.get_by_role("button", name="Start")).to_be_disabled()


def test_an_invite_that_fails_says_why(app: App) -> None:
    page = app.open("scene=fresh", INVITE)
    expect(page.get_by_role("heading", name=f"{ANNA} invites you to chat")).to_be_visible()
    page.evaluate(
        "demo.changeOpened(demo.openedInvites()[0].id, { state: 'failed', problem: 'card-expired' })"
    )
    expect(page.get_by_text("This invitation has expired. Ask for a new one.")).to_be_visible()
    page.get_by_role("button", name="To my chats").click()
    expect(page.get_by_text("Nobody here yet")).to_be_visible()


def test_another_tab_gives_way(app: App) -> None:
    page = app.open("scene=elsewhere")
    expect(page.get_by_text("Polynya is open in another tab")).to_be_visible()
    page.get_by_role("button", name="Use it here").click()
    expect(page.get_by_text("Nobody here yet")).to_be_visible()
    page.evaluate("demo.emit({ type: 'taken-over' })")
    expect(page.get_by_text("Polynya is open in another tab")).to_be_visible()


def test_a_failed_start_says_what_to_do(app: App) -> None:
    page = app.open("scene=failed")
    expect(
        page.get_by_text("Your data was written by a newer version. Reload this page to update.")
    ).to_be_visible()


def test_plain_http_gets_a_page_that_needs_nothing_else(app: App) -> None:
    page = app.open(script="Object.defineProperty(window, 'isSecureContext', { value: false })")
    expect(page.get_by_role("heading", name="This address is not protected")).to_be_visible()
    expect(page.get_by_text("begins with https")).to_be_visible()
    assert not {"demo_client.js", "chats.js", "screens.js"} & set(app.loaded)


@pytest.mark.parametrize(
    ("script", "heading"),
    [
        ("Object.defineProperty(window, 'indexedDB', { value: undefined })", "This browser keeps nothing"),
        ("delete Navigator.prototype.locks", "This browser is too old"),
    ],
)
def test_what_a_browser_lacks_is_named(app: App, script: str, heading: str) -> None:
    page = app.open(script=script)
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    assert "demo_client.js" not in app.loaded


def test_inside_telegram_the_link_is_kept_for_a_real_browser(app: App) -> None:
    script = f"Object.defineProperty(navigator, 'userAgent', {{ value: {TELEGRAM!r} }})"
    page = app.open("scene=new", INVITE, script)
    expect(page.get_by_text("You are inside \u2068Telegram\u2069.")).to_be_visible()
    assert page.url.endswith(INVITE), "the other app's menu hands on the address as it is"
    expect(page.get_by_label("Link", exact=True)).to_have_value(f"{app.base}{INVITE}")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{app.base}{INVITE}"
    assert "demo_client.js" not in app.loaded
    page.get_by_role("button", name="Go on here").click()
    expect(page.get_by_role("heading", name=f"{ANNA} invites you to chat")).to_be_visible()
    assert app.called("openInvite") == [INVITE[1:]]
    assert "#" not in page.url


def test_a_part_that_cannot_be_loaded_can_be_asked_for_again(app: App) -> None:
    page = app.open()
    page.route("**/screens-*.js", lambda route: route.abort())
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_text("This part of the app could not be loaded")).to_be_visible()
    app.problems.clear()
    page.unroute("**/screens-*.js")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("could not be loaded")).to_have_count(0)


LONG_WAIT = """
const right = setTimeout;
globalThis.setTimeout = (run, time) => {
  if (time !== 120_000) return right(run, time);
  globalThis.waited = run;
  return 0;
};
"""
"""Two minutes pass when the test says so."""


def test_while_one_waits_nothing_more_is_loaded_until_it_takes_long(app: App) -> None:
    page = app.open("scene=fresh", INVITE, LONG_WAIT)
    page.get_by_role("button", name="Ask to chat").click()
    expect(page.get_by_role("heading", name=f"Waiting for {ANNA}")).to_be_visible()
    page.wait_for_function("() => globalThis.waited")
    assert set(app.loaded) <= FIRST
    with page.expect_response("**/screens-*.js"):
        page.evaluate("waited()")
