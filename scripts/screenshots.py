"""Takes pictures of every screen of the web app, with invented people, into `build/screenshots`.

`python -m scripts.screenshots [PART-OF-A-NAME ...]` takes only those whose name holds one of the parts.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, FilePayload, Page, sync_playwright

from scripts.webapp import node_program

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "build" / "demo"
SHOTS = ROOT / "build" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
DESKTOP = {"viewport": {"width": 1180, "height": 760}, "device_scale_factor": 1}
INVITE = "#i=" + "pQEBAlgg" + "Ab3" * 20
TELEGRAM = (
    "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0 "
    "Mobile Safari/537.36 Telegram-Android/11.4.2"
)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def build(folder: Path) -> None:
    """The interface with the demonstration client in place of the real one."""
    vite = ROOT / "web" / "node_modules" / "vite" / "bin" / "vite.js"
    options = ["build", "--logLevel", "warn", "--config", "tests/ui/vite.config.ts"]
    command = [str(node_program()), str(vite), *options]
    environment = {**os.environ, "DEMO_OUT": str(folder)}
    subprocess.run(command, cwd=ROOT / "web", check=True, env=environment)


def row(page: Page, name: str) -> None:
    page.locator(".chat-row", has_text=name).first.click()
    page.locator(".message").last.wait_for()
    page.wait_for_timeout(250)


class Words:
    """What the steps below look for, by language."""

    def __init__(self, language: str) -> None:
        english = language == "en"
        self.anna = "Anna Lindqvist" if english else "Анна Линд"
        self.boris = "Boris" if english else "Борис"
        self.trip = "Lake trip" if english else "Поездка на озеро"
        self.old = "Old group" if english else "Старая группа"
        self.elena = "Elena" if english else "Елена"
        self.name = "Mila" if english else "Мила"


Step = Callable[[Page, Words], None]


def nothing(page: Page, words: Words) -> None:
    pass


def anna(page: Page, words: Words) -> None:
    row(page, words.anna)
    page.wait_for_timeout(200)


def anna_up(page: Page, words: Words) -> None:
    anna(page, words)
    page.evaluate("document.querySelector('.scroller').scrollTop = 0")
    page.wait_for_timeout(300)


def group(page: Page, words: Words) -> None:
    row(page, words.trip)


def typing(page: Page, words: Words) -> None:
    anna(page, words)
    page.evaluate("demo.showTyping(demo.conversations()[1].id, [demo.contacts()[0].identity])")
    page.locator("textarea").fill("Half a sentence that is long enough to need a second line in the field")
    page.wait_for_timeout(100)


def offline(page: Page, words: Words) -> None:
    row(page, words.boris)
    page.evaluate("demo.setLink('offline', 12000)")
    page.wait_for_timeout(100)


def shortage(page: Page, words: Words) -> None:
    page.evaluate("demo.setShortage({ code: 'no-tokens', hours: 5 })")
    page.locator(".strip").first.wait_for()


def shortage_invite(page: Page, words: Words) -> None:
    page.evaluate("for (const { id } of demo.invites()) demo.revokeInvite(id)")
    shortage(page, words)
    new_chat(page, words)
    page.locator(".pane:not(.covered) .item").first.click()
    page.locator(".preparing").wait_for()
    page.wait_for_timeout(300)


def blocked(page: Page, words: Words) -> None:
    page.evaluate("demo.setLink('blocked', 48000)")
    page.wait_for_timeout(100)


def menu(page: Page, words: Words) -> None:
    anna(page, words)
    page.locator(".message.mine .bubble").last.click(button="right")
    page.locator(".menu").wait_for()
    page.wait_for_timeout(250)


def reply(page: Page, words: Words) -> None:
    anna(page, words)
    page.locator(".message.theirs .bubble").last.click(button="right")
    page.locator(".menu [role=menuitem]").first.click()
    page.locator(".composer-mode").wait_for()
    page.locator("textarea").fill("On my way")
    page.wait_for_timeout(200)


def details(page: Page, words: Words) -> None:
    row(page, words.trip)
    page.locator(".message.mine .bubble").last.click(button="right")
    page.locator(".menu [role=menuitem]").nth(3).click()
    page.locator(".dialog").wait_for()
    page.wait_for_timeout(250)


def delete(page: Page, words: Words) -> None:
    anna(page, words)
    page.locator(".message.mine .bubble").last.click(button="right")
    page.locator(".menu .danger").click()
    page.locator(".dialog").wait_for()
    page.wait_for_timeout(250)


def picker(page: Page, words: Words) -> None:
    anna(page, words)
    page.locator(".composer-emoji").click()
    page.locator(".picker").wait_for()
    page.wait_for_timeout(250)


def hover(page: Page, words: Words) -> None:
    anna(page, words)
    page.locator(".message.theirs .bubble").last.hover()
    page.wait_for_timeout(150)


def viewer(page: Page, words: Words) -> None:
    anna_up(page, words)
    page.locator(".picture img:not(.picture-preview)").first.click()
    page.locator(".viewer").wait_for()
    page.wait_for_timeout(250)


def send_file(page: Page, words: Words) -> None:
    anna(page, words)
    picture = page.locator(".bubble").first.screenshot()
    files: list[FilePayload] = [
        {"name": "map.png", "mimeType": "image/png", "buffer": picture},
        {"name": "route.gpx", "mimeType": "application/gpx+xml", "buffer": b"<gpx/>" * 4000},
    ]
    page.locator("input[type=file]").set_input_files(files)
    page.locator(".send-list img").wait_for()
    page.wait_for_timeout(250)


def uploading(page: Page, words: Words) -> None:
    send_file(page, words)
    page.locator(".send-files [type=submit]").click()
    page.locator(".upload").first.wait_for()
    page.wait_for_timeout(250)


def removed(page: Page, words: Words) -> None:
    row(page, words.old)


def request(page: Page, words: Words) -> None:
    page.locator(".chat-row.asks").click()
    page.wait_for_timeout(300)


def request_digits(page: Page, words: Words) -> None:
    request(page, words)
    page.locator("summary").click()
    page.locator(".digits").scroll_into_view_if_needed()


def new_chat(page: Page, words: Words) -> None:
    page.locator(".chats .icon-edit").click()
    page.locator(".item").first.wait_for()
    page.wait_for_timeout(300)


def invite(page: Page, words: Words) -> None:
    new_chat(page, words)
    page.locator(".pane:not(.covered) .item").first.click()
    page.locator(".qr").wait_for()
    page.wait_for_timeout(300)


def new_group(page: Page, words: Words) -> None:
    new_chat(page, words)
    page.locator(".pane:not(.covered) .item").nth(1).click()
    page.locator("label.item").first.wait_for()
    page.locator(".labelled .field").fill(words.trip)
    page.locator("label.item").nth(0).click()
    page.locator("label.item").nth(2).click()
    page.wait_for_timeout(300)


def paste(page: Page, words: Words) -> None:
    new_chat(page, words)
    page.locator(".pane:not(.covered) .item").nth(2).click()
    page.locator(".labelled .field").fill("https://example.org/nothing")
    page.wait_for_timeout(300)


def group_info(page: Page, words: Words) -> None:
    row(page, words.trip)
    page.locator(".chat-title").click()
    page.locator(".info-head").wait_for()
    page.wait_for_timeout(300)


def member_menu(page: Page, words: Words) -> None:
    group_info(page, words)
    page.locator("button.item[aria-haspopup]").nth(1).click()
    page.locator(".menu").wait_for()
    page.wait_for_timeout(250)


def add_members(page: Page, words: Words) -> None:
    group_info(page, words)
    page.locator("ul.items .item").first.click()
    page.locator("label.item").first.click()
    page.wait_for_timeout(300)


def contact(page: Page, words: Words) -> None:
    row(page, words.anna)
    page.locator(".chat-title").click()
    page.locator(".info-head").wait_for()
    page.wait_for_timeout(300)


def safety(page: Page, words: Words) -> None:
    contact(page, words)
    page.locator("[data-screen=info] .item").first.click()
    page.locator(".qr").wait_for()
    page.wait_for_timeout(300)


def settings(page: Page, words: Words) -> None:
    page.locator(".own-avatar").click()
    page.locator(".own-name").wait_for()
    page.wait_for_timeout(300)


def settings_end(page: Page, words: Words) -> None:
    settings(page, words)
    page.evaluate("document.querySelector('[data-screen=settings] .screen-body').scrollTop = 9999")
    page.wait_for_timeout(100)


def relay_sees(page: Page, words: Words) -> None:
    settings(page, words)
    page.locator(".icon-forward").click()
    page.locator(".sees").first.wait_for()
    page.wait_for_timeout(300)


def erase(page: Page, words: Words) -> None:
    settings(page, words)
    page.locator("[data-screen=settings] .item.danger").click()
    page.locator(".dialog").wait_for()
    page.wait_for_timeout(250)


def first_name(page: Page, words: Words) -> None:
    page.locator("input[name=name]").fill(words.name)
    page.wait_for_timeout(100)


def invited(page: Page, words: Words) -> None:
    page.locator(".avatar-huge").wait_for()
    page.wait_for_timeout(300)


def waiting(page: Page, words: Words) -> None:
    invited(page, words)
    page.locator("form .button").click()
    page.locator(".dots").wait_for()
    page.wait_for_timeout(200)


def notice(page: Page, words: Words) -> None:
    anna(page, words)
    page.evaluate("demo.emit({type: 'problem', code: 'store-full'})")
    page.wait_for_timeout(300)


def search(page: Page, words: Words) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type(words.anna[:3])
    page.wait_for_timeout(100)


def stopped(page: Page, words: Words) -> None:
    page.evaluate(
        """() => {
          const stopped = { state: 'fraud', canSend: false, problem: 'relay-fraud' };
          demo.world.conversations[0] = { ...demo.world.conversations[0], ...stopped };
          demo.emit({ type: 'conversations' });
        }"""
    )
    anna(page, words)


def changed(page: Page, words: Words, **change: object) -> None:
    """The group in another state, opened."""
    page.evaluate(
        """([name, change]) => {
          const { world } = demo;
          world.conversations = world.conversations.map((one) => (one.name === name ? { ...one, ...change } : one));
          demo.emit({ type: 'conversations' });
        }""",
        [words.trip, change],
    )
    row(page, words.trip)


def moving(page: Page, words: Words) -> None:
    changed(page, words, state="moving", canMove=False, canAdd=False)


def outgrown(page: Page, words: Words) -> None:
    changed(page, words, problem="outgrown", postQuantum=True)


def cannot_move(page: Page, words: Words) -> None:
    changed(page, words, problem="cannot-move")


def withheld(page: Page, words: Words) -> None:
    changed(page, words, problem="relay-misbehaves")


def has_moved(page: Page, words: Words) -> None:
    row(page, words.trip)
    page.evaluate(
        "(name) => demo.hasMoved(demo.conversations().find((one) => one.name === name).id, true)",
        words.trip,
    )
    page.locator(".pill").last.scroll_into_view_if_needed()
    page.wait_for_timeout(300)


def move_stronger(page: Page, words: Words) -> None:
    group_info(page, words)
    page.locator(".item .icon-refresh").click()
    page.locator(".dialog").wait_for()
    page.wait_for_timeout(250)


def move_lighter(page: Page, words: Words) -> None:
    outgrown(page, words)
    page.locator(".strip-action").click()
    page.locator(".item .icon-refresh").click()
    page.locator(".dialog").wait_for()
    page.wait_for_timeout(250)


SCREENS: dict[str, tuple[str, Step]] = {
    "01-first-run": ("?scene=new#r=" + "A" * 48, nothing),
    "02-first-run-name": ("?scene=new" + INVITE, first_name),
    "03-first-run-no-link": ("?scene=new", first_name),
    "04-invited": ("?scene=fresh" + INVITE, invited),
    "05-waiting": ("?scene=fresh" + INVITE, waiting),
    "06-empty": ("?scene=fresh", nothing),
    "10-chats": ("?", nothing),
    "11-search": ("?", search),
    "12-blocked": ("?", blocked),
    "13-shortage": ("?", shortage),
    "20-chat": ("?", anna),
    "21-chat-older": ("?", anna_up),
    "22-typing": ("?", typing),
    "23-group": ("?", group),
    "24-offline": ("?", offline),
    "25-menu": ("?", menu),
    "26-reply": ("?", reply),
    "27-details": ("?", details),
    "28-delete": ("?", delete),
    "29-picker": ("?", picker),
    "30-hover": ("?", hover),
    "31-viewer": ("?", viewer),
    "32-send-file": ("?", send_file),
    "33-uploading": ("?slow", uploading),
    "34-removed": ("?", removed),
    "35-notice": ("?", notice),
    "36-stopped": ("?", stopped),
    "37-moving": ("?", moving),
    "38-outgrown": ("?", outgrown),
    "39-cannot-move": ("?", cannot_move),
    "39-moved": ("?", has_moved),
    "39-withheld": ("?", withheld),
    "40-request": ("?", request),
    "41-request-digits": ("?", request_digits),
    "42-new-chat": ("?", new_chat),
    "43-invite": ("?", invite),
    "43-invite-waits": ("?", shortage_invite),
    "44-new-group": ("?", new_group),
    "45-paste-link": ("?", paste),
    "50-group-info": ("?", group_info),
    "51-member-menu": ("?", member_menu),
    "52-add-members": ("?", add_members),
    "53-contact": ("?", contact),
    "54-safety": ("?", safety),
    "55-move-stronger": ("?", move_stronger),
    "56-move-lighter": ("?", move_lighter),
    "60-settings": ("?", settings),
    "61-settings-end": ("?", settings_end),
    "62-relay-sees": ("?", relay_sees),
    "63-erase": ("?", erase),
    "70-elsewhere": ("?scene=elsewhere", nothing),
    "71-failed": ("?scene=failed", nothing),
    "72-no-storage": ("?scene=no-storage", nothing),
    "73-no-webcrypto": ("?", nothing),
    "74-in-app": ("?" + INVITE, nothing),
    "75-starting": ("?scene=starting", nothing),
}
RUSSIAN = (
    "01", "03", "04", "06", "10", "20", "23", "24", "25", "37", "38", "39", "43", "50", "54", "55", "56", "60", "62", "74",
)  # fmt: skip
TOUCH_ONLY_SKIPPED = ("29", "30")


def context_for(
    browser: Browser, name: str, device: dict[str, object], theme: str, language: str
) -> BrowserContext:
    options = dict(device)
    if name.startswith("74"):
        options["user_agent"] = TELEGRAM
    locale = "en-GB" if language == "en" else "ru-RU"
    return browser.new_context(locale=locale, color_scheme=theme, timezone_id="Europe/Riga", **options)  # type: ignore[arg-type]


def shoot(browser: Browser, base: str, name: str, device: str, theme: str, language: str) -> bool:
    query, step = SCREENS[name]
    context = context_for(browser, name, PHONE if device == "phone" else DESKTOP, theme, language)
    page = context.new_page()
    page.set_default_timeout(6_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    if name.startswith("73"):
        page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")
    before, _, fragment = query.partition("#")
    address = f"{base}{before or '?'}&lang={language}&theme=system" + (f"#{fragment}" if fragment else "")
    page.goto(address)
    page.locator(".panes, .page-inside, .page .logo").first.wait_for()
    page.wait_for_timeout(250)
    try:
        step(page, Words(language))
    except Error as error:
        problems.append(error.message)
    page.screenshot(path=SHOTS / f"{name}-{device}-{theme}-{language}.png")
    for problem in problems:
        print(f"{name} {device} {theme} {language}: {problem}")
    context.close()
    return not problems


def main(parts: list[str]) -> None:
    build(BUILT)
    SHOTS.mkdir(parents=True, exist_ok=True)
    taken = 0
    good = True
    with serve(BUILT) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        for name in SCREENS:
            for device in ("phone", "desktop"):
                for theme in ("light", "dark"):
                    for language in ("en", "ru"):
                        label = f"{name}-{device}-{theme}-{language}"
                        if parts and not any(part in label for part in parts):
                            continue
                        if language == "ru" and not (name[:2] in RUSSIAN and theme == "light"):
                            continue
                        if device == "phone" and name[:2] in TOUCH_ONLY_SKIPPED:
                            continue
                        good &= shoot(browser, base, name, device, theme, language)
                        taken += 1
        browser.close()
    print(f"{taken} pictures in {SHOTS.relative_to(ROOT)}")
    if taken == 0 or not good:
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
