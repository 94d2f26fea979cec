"""Pictures and files: chosen, pasted, dropped; shown and saved."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.ui_browser.app import ANNA, App

pytestmark = pytest.mark.browser

SECRET_PLACE = b"GPS 54.6872N 25.2797E"
NOTES: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"notes"}


def photo(page: Page, width: int, height: int) -> bytes:
    """A JPEG as a camera makes it: with a block that tells where it was taken."""
    plain = base64.b64decode(
        page.evaluate(
            """([width, height]) => {
              const canvas = document.createElement('canvas');
              [canvas.width, canvas.height] = [width, height];
              const context = canvas.getContext('2d');
              for (let x = 0; x < width; x += 16) {
                context.fillStyle = `hsl(${x % 360} 60% 50%)`;
                context.fillRect(x, 0, 16, height);
              }
              return canvas.toDataURL('image/jpeg', 0.8).split(',')[1];
            }""",
            [width, height],
        )
    )
    block = b"Exif\x00\x00" + SECRET_PLACE
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + plain[2:]


def paste(page: Page, name: str, kind: str, data: bytes) -> None:
    page.locator("textarea").evaluate(
        """(field, [name, kind, data]) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([bytes], name, { type: kind }));
          field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
        }""",
        [name, kind, base64.b64encode(data).decode()],
    )


def sent_bytes(page: Page) -> bytes:
    """Of the file sent last."""
    found: Any = page.evaluate(
        """async () => {
          const file = [...demo.world.files.values()].at(-1);
          const reader = new FileReader();
          reader.readAsDataURL(file);
          await new Promise((resolve) => (reader.onload = resolve));
          return reader.result.split(',')[1];
        }"""
    )
    return base64.b64decode(found)


def test_a_pasted_picture_is_made_smaller_and_loses_its_place(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    original = photo(page, 2600, 1300)
    assert SECRET_PLACE in original
    paste(page, "IMG_1.jpg", "image/jpeg", original)
    expect(page.locator(".send-list img")).to_be_visible()
    page.get_by_label("Caption").fill("The wall")
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    _, name, kind, size, caption, width, height, preview = app.called("sendFile")
    assert (name, kind, caption) == ("IMG_1.jpg", "image/jpeg", "The wall")
    assert (width, height) == (2048, 1024)
    assert 0 < preview <= 1536
    page.wait_for_function("() => [...demo.world.files.values()].at(-1).name === 'IMG_1.jpg'")
    sent = sent_bytes(page)
    assert len(sent) == size
    assert sent.startswith(b"\xff\xd8\xff")
    assert b"Exif" not in sent
    assert SECRET_PLACE not in sent
    picture = app.bubble("The wall").locator("img:not(.picture-preview)")
    expect(picture).to_be_visible()


def test_a_picture_goes_as_it_is_when_one_asks_for_that(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    original = photo(page, 300, 200)
    paste(page, "IMG_2.jpg", "image/jpeg", original)
    page.get_by_label("Send as they are").check()
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    app.called("sendFile")
    page.wait_for_function("() => [...demo.world.files.values()].at(-1).name === 'IMG_2.jpg'")
    assert sent_bytes(page) == original


def test_files_are_dropped_into_the_chat(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    transfer = page.evaluate_handle(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(['track'], 'route.gpx', { type: 'application/gpx+xml' }));
          return data;
        }"""
    )
    page.dispatch_event(".chat", "dragenter", {"dataTransfer": transfer})
    expect(page.get_by_text("Drop to send")).to_be_visible()
    page.dispatch_event(".chat", "drop", {"dataTransfer": transfer})
    expect(page.get_by_text("Drop to send")).to_have_count(0)
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    assert app.called("sendFile")[1] == "route.gpx"
    expect(app.bubble("route.gpx")).to_be_visible()


def test_an_upload_that_fails_can_be_tried_again_or_dropped(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    page.evaluate("demo.failures.set('upload', 'relay-full')")
    page.locator("input[type=file]").set_input_files(NOTES)
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    upload = page.locator(".upload")
    expect(upload).to_contain_text("disk is full")
    expect(upload).to_be_in_viewport()
    upload.get_by_role("button", name="Try again").click()
    app.called("retryUpload")
    expect(upload).to_have_count(0)
    expect(app.bubble("notes.txt")).to_be_visible()


def test_a_file_that_was_not_kept_is_named_and_can_only_be_put_away(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    page.evaluate("demo.failures.set('upload', 'file-interrupted')")
    page.locator("input[type=file]").set_input_files(NOTES)
    page.get_by_role("dialog").get_by_label("Caption").fill("What we agreed on")
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    upload = app.bubble("What we agreed on")
    expect(upload).to_contain_text("notes.txt")
    expect(upload).to_contain_text("Choose it again")
    expect(upload.get_by_role("button", name="Try again")).to_have_count(0)
    upload.get_by_role("button", name="Cancel").click()
    expect(upload).to_have_count(0)


def test_an_upload_can_be_stopped(app: App) -> None:
    page = app.open("slow")
    app.enter(ANNA)
    page.locator("input[type=file]").set_input_files(NOTES)
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    page.locator(".upload").get_by_role("button", name="Cancel").click()
    expect(page.locator(".upload")).to_have_count(0)


def receive_file(app: App, name: str, kind: str, body: str) -> None:
    app.page.evaluate(
        """([chat, name, kind, body]) => {
          const file = { name, mediaType: kind, size: body.length };
          const other = demo.conversation(chat).members.find((member) => !member.me);
          const from = { mine: false, status: null, sender: other.identity, senderName: other.name };
          demo.world.files.set(demo.add(chat, { kind: 'file', file, ...from }), new Blob([body], { type: kind }));
        }""",
        [app.chat_id(ANNA), name, kind, body],
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [("page.html", "text/html"), ("drawing.svg", "image/svg+xml"), ("x.xhtml", "application/xhtml+xml")],
)
def test_what_could_run_is_only_ever_saved(app: App, name: str, kind: str) -> None:
    """A page opened from here would stand in this app's origin and could read all that it stores."""
    page = app.open()
    app.enter(ANNA)
    receive_file(app, name, kind, "<svg xmlns='http://www.w3.org/2000/svg' onload='parent.hacked = 1'/>")
    card = app.bubble(name).get_by_role("button", name=f"Save file \u2068{name}\u2069")
    with page.expect_download() as download:
        card.click()
    assert download.value.suggested_filename == name
    assert len(app.context.pages) == 1
    assert app.bubble(name).locator("img").count() == 0


def test_a_file_name_cannot_hide_its_ending(app: App) -> None:
    app.open()
    app.enter(ANNA)
    receive_file(app, "photo\u202egpj.exe", "application/octet-stream", "MZ")
    expect(app.bubble("photo gpj.exe")).to_be_visible()


def test_a_picture_opens_large_and_is_saved(app: App) -> None:
    page = app.open()
    app.enter(ANNA)
    app.scroller.evaluate("it => { it.scrollTop = 0 }")
    page.get_by_role("button", name="Open picture").click()
    expect(page.locator(".viewer img")).to_be_visible()
    with page.expect_download() as download:
        page.locator(".viewer").get_by_role("button", name="Save to this device").click()
    assert download.value.suggested_filename == "IMG_2043.jpg"
    page.keyboard.press("Escape")
    expect(page.locator(".viewer")).to_have_count(0)


def test_a_picture_that_is_gone_says_so(app: App) -> None:
    page = app.open()
    page.evaluate("demo.world.files.clear()")
    app.enter(ANNA)
    app.scroller.evaluate("it => { it.scrollTop = 0 }")
    expect(page.locator(".picture-load")).to_contain_text("no longer has this file")
