"""Takes the pictures of README.md anew from a running server: `python -m docs.screenshots http://127.0.0.1:7860`.

Needs Debian's chromium and fonts-noto-cjk, as the tests in a browser do.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

FOLDER = Path(__file__).parent
ASKED = {
    "zh-CN": ("page-zh.png", ("我的快递三天没动了，怎么办？", "金卡会员有什么权益")),
    "en-US": ("page-en.png", ("can i return opened earphones", "what does a gold member get")),
}
_WAIT_MS = 60_000


def picture(browser: Browser, address: str, locale: str, path: Path, questions: tuple[str, ...]) -> None:
    """Ask `questions` as a customer of `locale` does, and take a picture of the page."""
    context = browser.new_context(
        locale=locale, viewport={"width": 900, "height": 1000}, device_scale_factor=1.5
    )
    page = context.new_page()
    page.goto(address)
    expect(page.locator("textarea")).to_be_focused(timeout=_WAIT_MS)
    for number, question in enumerate(questions, start=1):
        page.keyboard.type(question)
        page.keyboard.press("Enter")
        expect(page.locator(".kefu-foot")).to_have_count(number, timeout=_WAIT_MS)
    page.wait_for_timeout(500)  # the last scrolling
    page.screenshot(path=path)
    context.close()


def main() -> None:
    """Take a picture in each language."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m docs.screenshots ADDRESS")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for locale, (name, questions) in ASKED.items():
            picture(browser, sys.argv[1], locale, FOLDER / name, questions)
        browser.close()


if __name__ == "__main__":
    main()
