"""Draws the web app's bitmap icons from `web/public/icon.svg`. Run after changing it; the results are committed."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from scripts.screenshots import ARGUMENTS, CHROMIUM

PUBLIC = Path(__file__).resolve().parent.parent / "web" / "public"
# name: pixels, whether to fill the square (systems that cut icons to their own shape want no corners of ours)
ICONS = {
    "icon-192.png": (192, False),
    "icon-512.png": (512, False),
    "icon-maskable-512.png": (512, True),
    "icon-180.png": (180, True),
}


def main() -> None:
    source = (PUBLIC / "icon.svg").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        for name, (size, square) in ICONS.items():
            page = browser.new_page(viewport={"width": size, "height": size})
            drawing = source.replace('rx="112"', 'rx="0"') if square else source
            page.set_content(f"<style>body{{margin:0}}svg{{display:block;width:{size}px}}</style>{drawing}")
            page.screenshot(path=PUBLIC / name, omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
