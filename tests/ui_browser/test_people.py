"""Invites, requests, groups, contacts, settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.ui_browser.app import ANNA, TRIP, App

pytestmark = pytest.mark.browser


def test_an_invite_is_made_copied_and_withdrawn(app: App) -> None:
    page = app.open("scene=fresh")
    page.get_by_role("button", name="Invite a friend").click()
    link = page.locator(".invite-link")
    expect(page.locator("svg.qr path")).to_be_visible()
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".notice")).to_contain_text("Send it to one person")
    assert page.evaluate("navigator.clipboard.readText()") == link.input_value()
    assert "#i=" in link.input_value()
    page.get_by_role("button", name="Another invitation").click()
    app.called("createInvite", 2)
    expect(page.locator(".item-line")).to_have_count(2)
    page.get_by_role("button", name="Withdraw").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    app.called("revokeInvite")
    expect(page.locator(".item-line")).to_have_count(1)


def test_while_the_relay_gives_no_room_it_is_said_why_an_invite_waits(app: App) -> None:
    page = app.open()
    page.evaluate("for (const { id } of demo.invites()) demo.revokeInvite(id)")
    page.evaluate("demo.setShortage({ code: 'no-tokens', hours: 5 })")
    expect(page.locator(".strip", has_text="Next try in 5 h").first).to_be_visible()
    page.get_by_role("button", name="New chat").click()
    page.get_by_role("button", name="Invite a friend").click()
    waits = page.get_by_text("It will be made as soon as the relay gives room.")
    expect(waits).to_be_visible()
    expect(page.locator(".spinner")).to_have_count(0)
    page.evaluate("demo.setShortage(null)")
    expect(page.get_by_text("Next try in 5 h")).to_have_count(0)
    expect(waits).to_have_count(0)
    page.evaluate("demo.setShortage({ code: 'token-keys-differ', hours: 24 })")
    expect(page.locator(".strip.bad").first).to_contain_text("marks people by their tokens")


def test_a_request_is_accepted(app: App) -> None:
    page = app.open()
    page.locator(".chat-row.asks").click()
    expect(page.get_by_text("it is Elena from the choir")).to_be_visible()
    page.get_by_text("Is it really").click()
    assert len(page.locator(".digits span").all_inner_texts()) == 8
    page.get_by_role("button", name="Accept").click()
    app.called("accept")
    expect(page.locator(".chat-name")).to_have_text("Elena Petrova")
    expect(page.locator(".chat-row.asks")).to_have_count(0)


def test_a_request_is_declined_or_blocked(app: App) -> None:
    page = app.open()
    page.locator(".chat-row.asks").click()
    page.get_by_role("button", name="Block", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert app.calls("block") == []
    page.get_by_role("button", name="Decline").click()
    app.called("decline")
    expect(page.locator(".chat-row.asks")).to_have_count(0)
    expect(page.get_by_text("Choose a chat")).to_be_visible()


@pytest.mark.parametrize(
    ("chat", "line", "note"),
    [
        (ANNA, "Protected against quantum computers too", "cannot open it with the computers of tomorrow"),
        (TRIP, "Standard end-to-end encryption", "smaller groups are protected"),
    ],
)
def test_the_info_of_a_chat_says_how_it_is_encrypted(app: App, chat: str, line: str, note: str) -> None:
    page = app.open()
    app.enter(chat)
    page.locator(".chat-title").click()
    info = page.locator("[data-screen=info]")
    expect(info.get_by_text(line, exact=True)).to_be_visible()
    expect(info.get_by_text(note)).to_be_visible()
    expect(info.locator(".icon-lock")).to_have_count(1)


def test_a_group_is_made_and_changed(app: App) -> None:
    page = app.open()
    page.get_by_role("button", name="New chat").click()
    page.get_by_role("button", name="New group").click()
    create = page.get_by_role("button", name="Create group")
    expect(create).to_be_disabled()
    page.get_by_label("Group name").fill("Choir")
    page.locator("label.item", has_text="Boris").click()
    page.locator("label.item", has_text=ANNA).click()
    expect(page.get_by_text("2 people chosen")).to_be_visible()
    create.click()
    assert len(app.called("createGroup")[1]) == 2
    expect(page.locator(".chat-name")).to_have_text("Choir")

    page.get_by_role("button", name="Info").click()
    page.get_by_role("button", name="Add members").click()
    page.locator("label.item", has_text="Clara").click()
    page.get_by_role("button", name="Add 1 person").click()
    app.called("addMembers")
    expect(page.locator("button.item", has_text="Clara")).to_be_visible()

    page.locator("button.item", has_text="Boris").click()
    page.get_by_role("menuitem", name="Make admin").click()
    assert app.called("setAdmin")[2] is True
    expect(page.locator("button.item", has_text="Boris").locator(".tag")).to_have_text("admin")

    page.locator("button.item", has_text="Clara").click()
    page.get_by_role("menuitem", name="Remove from group").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    app.called("removeMember")
    expect(page.locator("button.item", has_text="Clara")).to_have_count(0)

    page.get_by_role("button", name="Rename group").click()
    page.get_by_role("dialog").get_by_label("Group name").fill("Large choir")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    assert app.called("rename")[1] == "Large choir"
    page.keyboard.press("Escape")
    expect(page.locator(".chat-name")).to_have_text("Large choir")
    expect(page.get_by_text("You named the group “\u2068Large choir\u2069”")).to_be_visible()

    page.get_by_role("button", name="Info").click()
    page.get_by_role("button", name="Leave group").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave", exact=True).click()
    app.called("leave")
    page.get_by_role("button", name="Delete chat").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    app.called("deleteConversation")
    expect(app.row("Large choir")).to_have_count(0)


def test_who_is_no_admin_is_offered_nothing_that_is_refused(app: App) -> None:
    page = app.open()
    app.enter("Family")
    page.get_by_role("button", name="Info").click()
    expect(page.get_by_text("Only admins add and remove members")).to_be_visible()
    expect(page.get_by_role("button", name="Add members")).to_have_count(0)
    expect(page.get_by_role("button", name="Rename group")).to_have_count(0)
    page.locator("button.item", has_text="Grandma").click()
    assert page.get_by_role("menuitem").all_inner_texts() == ["Write a message", "Safety number"]


def test_a_group_moves_to_other_encryption_and_back(app: App) -> None:
    page = app.open()
    app.enter(TRIP)
    chat = app.chat_id(TRIP)

    def moves(offer: str, post_quantum: bool) -> None:
        page.get_by_role("button", name="Info").click()
        page.get_by_role("button", name=offer).click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("Nothing is lost")).to_be_visible()
        dialog.get_by_role("button", name="Move", exact=True).click()
        expect(page.get_by_role("button", name=offer)).to_have_count(0)
        page.keyboard.press("Escape")
        expect(page.get_by_text("This group is moving to other encryption")).to_be_visible()
        expect(page.get_by_label("Message", exact=True)).to_be_enabled()
        page.evaluate("([chat, stronger]) => demo.hasMoved(chat, stronger)", [chat, post_quantum])
        expect(page.get_by_text("This group is moving to other encryption")).to_have_count(0)

    moves("Move to stronger encryption", True)
    assert app.called("move") == [chat, True]
    expect(page.get_by_text("From here on this chat is protected against quantum computers")).to_be_visible()
    page.evaluate("(chat) => demo.changed(chat, { problem: 'outgrown' })", chat)
    expect(page.get_by_role("alert")).to_contain_text("Move it to lighter encryption")
    expect(app.row(TRIP).locator(".badge.bad")).to_have_count(0)
    page.get_by_role("alert").get_by_role("button", name="Info").click()
    expect(page.get_by_role("button", name="Move to lighter encryption")).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate("(chat) => demo.changed(chat, { problem: null })", chat)
    moves("Move to lighter encryption", False)
    assert app.called("move", 2) == [chat, False]
    expect(page.get_by_text("From here on this chat has standard encryption")).to_be_visible()


def test_messages_are_there_when_a_change_is_done_as_joining_ends(app: App) -> None:
    page = app.open()
    app.enter(TRIP)
    chat = app.chat_id(TRIP)
    for _ in range(3):
        page.evaluate("(chat) => demo.changed(chat, { state: 'joining', pending: true })", chat)
        expect(page.get_by_text("A change of the group is on its way")).to_be_visible()
        page.evaluate("(chat) => demo.changed(chat, { state: 'active', pending: false })", chat)
        expect(page.get_by_text("A change of the group is on its way")).to_have_count(0)
        expect(page.locator(".scroller .message", has_text="Of course!")).to_be_visible()


def test_who_is_no_admin_is_not_offered_a_move(app: App) -> None:
    page = app.open()
    app.enter("Family")
    page.get_by_role("button", name="Info").click()
    expect(page.get_by_text("Protected against quantum computers too")).to_be_visible()
    expect(page.get_by_role("button", name="Move to")).to_have_count(0)


def test_a_safety_number_is_compared_and_marked(app: App) -> None:
    page = app.open()
    app.enter("Boris")
    page.get_by_role("button", name="Info").click()
    page.get_by_role("button", name="Safety number").click()
    digits = page.locator("[data-screen=safety] .digits span")
    expect(digits).to_have_count(12)
    groups = digits.all_inner_texts()
    assert all(len(group) == 5 and group.isdigit() for group in groups)
    expect(page.locator("svg.qr path")).to_be_visible()
    page.get_by_role("button", name="They are the same").click()
    assert app.called("verify")[1] is True
    expect(page.get_by_text("You have verified Boris.")).to_be_visible()
    expect(app.row("Boris").locator(".avatar-badge")).to_be_visible()


def test_somebody_is_blocked_and_unblocked(app: App) -> None:
    page = app.open()
    app.enter("Boris")
    page.get_by_role("button", name="Info").click()
    page.get_by_role("button", name="Block", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Block").click()
    app.called("blockContact")
    page.get_by_role("button", name="Settings").click()
    blocked = page.locator("[data-screen=settings] .item", has_text="Boris")
    blocked.get_by_role("button", name="Unblock").click()
    app.called("unblockContact")
    expect(blocked).to_have_count(0)


def test_settings_take_effect_and_the_look_is_there_at_the_next_start(app: App) -> None:
    page = app.open()
    page.get_by_role("button", name="Settings").click()
    page.get_by_text("Dark", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("switch").click()
    assert app.called("setSettings", 2) == [{"readReceipts": False}]
    page.get_by_text("Русский").click()
    expect(page.get_by_role("heading", name="Настройки")).to_be_visible()
    expect(page.get_by_text("Отчёты")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    app.loaded.clear()
    other = app.open("scene=failed")
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
    expect(other.get_by_role("heading", name="Polynya не запустилась")).to_be_visible()
    assert "en.js" not in app.loaded


def test_ones_name_is_changed(app: App) -> None:
    page = app.open()
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Your name").fill("Mila K.")
    page.get_by_role("button", name="Save").click()
    assert app.called("setName") == ["Mila K."]
    expect(page.locator(".notice")).to_contain_text("Name saved")


def test_everything_is_erased_only_after_asking(app: App) -> None:
    page = app.open()
    page.get_by_role("button", name="Settings").click()
    page.get_by_text("Dark", exact=True).click()
    app.called("setSettings")
    page.get_by_role("button", name="Erase everything").click()
    assert app.calls("eraseEverything") == []
    page.get_by_role("dialog").get_by_role("button", name="Erase").click()
    page.wait_for_function("() => localStorage.length === 0")


def test_what_the_relay_sees_is_said_with_its_limits(app: App) -> None:
    page = app.open()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="What the relay can see").click()
    for words in ("Your internet address", "could send you a changed app", "No outside expert has audited"):
        expect(page.get_by_text(words)).to_be_attached()


def test_a_chat_in_which_one_may_write_again_leaves_the_focus_where_it_is(app: App) -> None:
    """As when a group has moved: who searches meanwhile would write into the chat."""
    page = app.open()
    app.enter(TRIP)
    chat = app.chat_id(TRIP)
    message, search = page.get_by_label("Message", exact=True), page.get_by_role("searchbox")
    page.evaluate("(chat) => demo.changed(chat, { canSend: false })", chat)
    expect(message).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.type("gr")
    page.evaluate("(chat) => demo.changed(chat, { canSend: true })", chat)
    expect(message).to_be_visible()
    page.keyboard.type("an")
    expect(search).to_have_value("gran")
    expect(search).to_be_focused()
    page.keyboard.press("Enter")
    expect(message).to_be_focused()


def test_search_and_keys_find_chats(app: App) -> None:
    page = app.open()
    app.enter(TRIP)
    page.keyboard.press("Control+k")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("anna")
    expect(page.locator(".chat-row")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".chat-name")).to_have_text(ANNA)
    expect(search).to_have_value("")
    page.keyboard.press("Control+k")
    expect(search).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(app.row("Boris")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Choose a chat")).to_be_visible()


def test_every_button_and_field_says_what_it_is(app: App) -> None:
    """On every screen that a few steps reach."""
    page = app.open()
    nameless = """() => [...document.querySelectorAll('button, input:not([hidden]), textarea, [role=img]')]
        .filter((it) => it.checkVisibility() && !(it.getAttribute('aria-label') || it.title || it.textContent.trim()
            || it.labels?.length || it.getAttribute('aria-labelledby')))
        .map((it) => it.outerHTML.slice(0, 200))"""
    steps: tuple[Callable[[], object], ...] = (
        lambda: page.locator(".chat-row.asks").click(),
        lambda: app.enter(TRIP),
        lambda: page.get_by_role("button", name="Info").click(),
        lambda: page.get_by_role("button", name="Add members").click(),
        lambda: page.get_by_role("button", name="Settings").click(),
    )
    for step in steps:
        step()
        page.wait_for_load_state("networkidle")
        assert page.evaluate(nameless) == []


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_nothing_sticks_out_of_a_small_window(phone: App, direction: str) -> None:
    page = phone.open()
    page.evaluate("direction => { document.documentElement.dir = direction }", direction)
    overflow = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0
    phone.enter(TRIP)
    assert page.evaluate(overflow) <= 0
    widest = "() => Math.max(...[...document.querySelectorAll('.bubble')].map((it) => it.getBoundingClientRect().right))"
    assert page.evaluate(widest) <= 360
