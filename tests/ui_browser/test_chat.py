"""Reading and writing in a chat."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.ui_browser.app import ANNA, TRIP, App

pytestmark = pytest.mark.browser


def test_enter_sends_and_shift_enter_begins_a_line(app: App) -> None:
    app.open()
    app.enter(ANNA)
    expect(app.field).to_be_focused()
    app.field.press("Enter")
    app.field.type("first")
    app.field.press("Shift+Enter")
    app.field.type("second")
    app.field.press("Enter")
    assert app.called("send")[1] == "first\nsecond"
    expect(app.field).to_have_value("")
    expect(app.bubble("first").locator(".status")).to_have_attribute("aria-label", "Sent")
    assert app.at_end()


def test_what_could_not_be_sent_is_not_lost(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    page.evaluate("demo.failures.set('send', 'store-full')")
    app.field.fill("precious words")
    app.field.press("Enter")
    expect(page.locator(".notice.bad")).to_contain_text("out of space")
    expect(app.field).to_have_value("precious words")
    assert page.evaluate("id => demo.draft(id)", app.chat_id(ANNA)) == "precious words"


def test_a_draft_stays_and_shows_in_the_list(app: App) -> None:
    app.open()
    app.enter(ANNA)
    app.field.fill("half a thought")
    app.enter(TRIP)
    expect(app.field).to_have_value("")
    expect(app.row(ANNA)).to_contain_text("Draft: half a thought")
    app.enter(ANNA)
    expect(app.field).to_have_value("half a thought")
    expect(app.row(ANNA)).not_to_contain_text("Draft:")


def test_a_text_over_the_limit_is_refused_before_it_leaves(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    app.field.fill("я" * 8_193)
    app.field.press("Enter")
    expect(page.locator(".notice.bad")).to_contain_text("too long")
    assert app.calls("send") == []
    assert len(app.field.input_value()) == 8_193


def test_arrow_up_edits_the_last_message_and_escape_gives_the_draft_back(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    app.field.press("ArrowUp")
    expect(app.field).to_have_value("And the photos from last year")
    app.field.press("Escape")
    expect(app.field).to_have_value("")
    expect(page.locator(".chat-name")).to_be_visible()
    app.field.press("ArrowUp")
    expect(app.field).to_have_value("And the photos from last year")
    app.field.fill("And all the photos")
    app.field.press("Enter")
    assert app.called("edit")[2] == "And all the photos"
    expect(app.bubble("And all the photos")).to_contain_text("edited")


def test_an_answer_quotes_and_the_quote_leads_back(app: App) -> None:
    page = app.open("scene=long")
    app.enter(ANNA)
    app.menu("2999 A message", "Reply")
    app.field.fill("I mean this one")
    app.field.press("Enter")
    assert app.called("send")[2] is not None
    quote = app.bubble("I mean this one").locator(".quote")
    expect(quote).to_contain_text("2999 A message")
    for number in range(40):
        page.evaluate(
            "([id, text]) => void demo.receive(id, text)", [app.chat_id(f"{ANNA} 0"), f"later {number}"]
        )
    app.scroller.evaluate("it => it.scrollTo(0, it.scrollHeight)")
    expect(app.bubble("later 39")).to_be_in_viewport()
    app.scroller.evaluate("it => { it.scrollTop -= 500 }")
    page.evaluate("document.querySelector('.quote').click()")
    expect(app.bubble("2999 A message").first).to_be_in_viewport()


def test_reactions_are_given_changed_and_taken_back(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    app.bubble("Perfect").locator(".bubble").click(button="right")
    page.locator(".menu-reactions button", has_text="❤️").click()
    assert app.called("react")[2] == "❤️"
    chip = app.bubble("Perfect").locator(".reaction", has_text="❤️")
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.click()
    assert app.called("react", 2)[2] == ""
    expect(chip).to_have_count(0)


def test_a_message_is_deleted_only_after_asking(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    app.menu("I will bring the tea", "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert app.calls("remove") == []
    app.menu("I will bring the tea", "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    app.called("remove")
    expect(app.bubble("Message deleted")).to_have_count(1)


def test_others_messages_cannot_be_edited_or_deleted(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    app.bubble("Perfect").locator(".bubble").click(button="right")
    items = page.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    assert items.all_inner_texts() == ["Reply", "Copy text", "Details"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.evaluate("navigator.clipboard.readText()") == "Perfect"


def test_details_tell_who_has_read(app: App) -> None:
    page = app.open()
    app.enter(TRIP)
    app.menu("Beautiful", "Details")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("li", has_text="Read by")).to_contain_text("Boris")
    expect(dialog.locator("li", has_text="Delivered to")).to_contain_text("Clara Voss")
    expect(dialog.locator("li", has_text="Not yet delivered")).to_contain_text("Dmitri")


def test_unread_messages_begin_at_a_divider_and_count_as_read_when_seen(app: App) -> None:
    page = app.open()
    expect(app.row(TRIP).locator(".badge")).to_have_text("3")
    app.enter(TRIP)
    expect(page.locator(".unread-divider")).to_be_in_viewport()
    following = page.locator(".unread-divider + li")
    expect(following).to_contain_text("Then Saturday at eight")
    app.called("markRead")
    expect(app.row(TRIP).locator(".badge")).to_have_count(0)
    expect(page.locator(".unread-divider")).to_be_visible()


def test_a_hidden_window_marks_nothing_as_read(app: App) -> None:
    page = app.open(script="Document.prototype.hasFocus = () => globalThis.focused ?? false")
    app.enter(ANNA)
    page.evaluate("id => void demo.receive(id, 'are you there?')", app.chat_id(ANNA))
    expect(app.bubble("are you there?")).to_be_visible()
    assert app.calls("markRead") == []
    page.evaluate("globalThis.focused = true; dispatchEvent(new Event('focus'))")
    app.called("markRead")


def test_a_long_chat_opens_at_its_end_and_grows_upwards_in_place(app: App) -> None:
    page = app.open("scene=long")
    app.enter(ANNA)
    expect(app.bubble("2999 A message")).to_be_in_viewport()
    assert page.locator("li.message").count() <= 100
    count = page.locator("li.message").count()
    app.scroller.evaluate("it => { it.scrollTop = 700 }")
    seen, before = page.evaluate(
        """() => {
          const rows = [...document.querySelectorAll('li.message')];
          const row = rows.find((it) => it.getBoundingClientRect().top > 100);
          return [row.textContent, row.getBoundingClientRect().top];
        }"""
    )
    text = str(seen).split(".")[0]
    page.wait_for_function("count => document.querySelectorAll('li.message').length > count", arg=count)
    page.wait_for_timeout(100)
    assert abs(app.top_of(text) - before) < 3


def test_news_do_not_move_what_one_reads(app: App) -> None:
    page = app.open("scene=long")
    app.enter(ANNA)
    chat = app.chat_id(f"{ANNA} 0")
    app.scroller.evaluate("it => { it.scrollTop -= 1500 }")
    page.locator(".to-end").wait_for()
    seen = page.evaluate(
        "[...document.querySelectorAll('li.message')].find((it) => it.getBoundingClientRect().top > 100).textContent"
    )
    text = str(seen).split(".")[0]
    before = app.top_of(text)
    page.evaluate("id => void demo.receive(id, 'something new')", chat)
    expect(page.locator(".to-end .badge")).to_have_text("1")
    assert abs(app.top_of(text) - before) < 3
    page.get_by_role("button", name="To the newest message").click()
    expect(app.bubble("something new")).to_be_in_viewport()
    expect(page.locator(".to-end")).to_have_count(0)


def test_the_place_in_a_chat_is_kept(app: App) -> None:
    page = app.open("scene=long")
    app.enter(f"{ANNA} 0")
    app.scroller.evaluate("it => { it.scrollTop -= 1500 }")
    page.locator(".to-end").wait_for()
    seen = page.evaluate(
        "[...document.querySelectorAll('li.message')].find((it) => it.getBoundingClientRect().top > 100).textContent"
    )
    text = str(seen).split(".")[0]
    before = app.top_of(text)
    app.enter("Boris 1")
    app.enter(f"{ANNA} 0")
    expect(app.bubble(text).first).to_be_in_viewport()
    assert abs(app.top_of(text) - before) < 3


def test_typing_is_told_and_shown(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    app.field.type("Hel")
    told = app.calls("setTyping")
    assert told
    assert all(call == [app.chat_id(ANNA), True] for call in told)
    app.field.fill("")
    assert app.calls("setTyping")[-1][1] is False
    page.evaluate("id => demo.showTyping(id, [demo.contacts()[0].identity])", app.chat_id(ANNA))
    expect(page.locator(".chat-subtitle")).to_have_text("writing…")
    expect(app.row(ANNA)).to_contain_text("writing…")
    expect(page.locator(".typing")).to_be_in_viewport()


def test_a_screen_reader_hears_what_arrives(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    page.evaluate("id => void demo.receive(id, 'good news')", app.chat_id(ANNA))
    expect(page.locator(".messages-place [aria-live=polite]")).to_have_text(f"{ANNA}: good news")


def test_messages_are_walked_by_keyboard(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    app.scroller.focus()
    page.keyboard.press("ArrowUp")
    expect(app.bubble("And the photos")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(app.bubble("Perfect")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".menu")).to_have_count(0)
    expect(app.bubble("Perfect")).to_be_focused()
    page.keyboard.press("Escape")
    expect(app.field).to_be_focused()


def test_the_connection_is_told_in_plain_words(app: App) -> None:
    page = app.open()
    expect(page.locator(".link-note")).to_have_count(0)
    page.evaluate("demo.setLink('offline', 30000)")
    note = page.locator(".link-note")
    expect(note).to_contain_text("No connection. What you write is sent later. Next try in")
    app.enter("Boris")
    app.field.fill("still here")
    app.field.press("Enter")
    expect(app.bubble("still here").locator(".status")).to_have_attribute("aria-label", "Waiting to be sent")
    note.get_by_role("button", name="Try now").click()
    app.called("retryNow")
    page.evaluate("demo.setLink('blocked')")
    expect(note).to_contain_text("does not answer")
    page.evaluate("demo.setLink('online')")
    expect(note).to_have_count(0)


def test_a_message_that_failed_can_be_sent_again(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    page.evaluate(
        """id => {
          demo.add(id, { text: 'lost words', status: 'failed' });
        }""",
        app.chat_id(ANNA),
    )
    app.menu("lost words", "Send again")
    assert app.called("send")[1] == "lost words"
    app.called("remove")


def test_links_lead_only_where_they_say(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    texts = (
        "https://example.org/page see",
        "javascript:alert(1)",
        "https://bank.example@evil.example/",
        "https://example.org/\u202egpj.exe",
    )
    for text in texts:
        page.evaluate("([id, text]) => void demo.receive(id, text)", [app.chat_id(ANNA), text])
    link = app.bubble("page see").locator("a")
    expect(link).to_have_attribute("href", "https://example.org/page")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    for text in texts[1:]:
        expect(app.bubble(text[:12]).last.locator("a")).to_have_count(0)


def test_a_name_cannot_turn_the_text_around_it(app: App) -> None:
    page = app.open()
    page.evaluate(
        """() => {
          const all = demo.world.conversations;
          all[0] = { ...all[0], name: 'Anna\\u202e\\u2066 nimda' };
          demo.emit({ type: 'conversations' });
        }"""
    )
    name = app.row("Anna").locator("bdi").first
    expect(name).to_have_text("Anna nimda")
