"""Takes the pictures in docs/pictures anew from a running server: widget, demo page and the team's console.

    kefu staff add wang --name 王敏 --role admin
    kefu serve
    KEFU_PASSWORD=… python -m docs.pictures http://127.0.0.1:7860 wang

In each view a customer asks on the demo page and calls a person, who takes the talk over in the console and answers; so the
pictures show one story. It leaves two short conversations in the log. Needs what `docs.screenshots` needs.
"""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

FOLDER = Path(__file__).parent / "pictures"
_WAIT_MS = 180_000  # a check of the whole knowledge base is among what is waited for
_COLOURS = 256

# Console pages by the name of their picture.
PAGES = {
    "queue": "",
    "overview": "/overview",
    "review": "/review",
    "knowledge": "/knowledge",
    "article": "/knowledge/articles/delivery-no-update",
    "intents": "/knowledge/intents",
    "intent": "/knowledge/intents/return-opened-earphones",
    "messages": "/knowledge/messages",
    "unanswered": "/knowledge/unanswered?again=1",
    "check": "/knowledge/check",
    "history": "/knowledge/history",
    "training": "/training",
    "settings": "/settings",
    "audit": "/audit",
    "staff": "/staff",
    "account": "/account",
}


@dataclass(frozen=True)
class View:
    """A screen, and what is said on it."""

    name: str
    locale: str
    size: tuple[int, int]
    question: str
    reply: str
    take: str
    back: str
    look: str  # the check's button
    unknown: str  # a question that nothing answers: review and what is unanswered have something to show


VIEWS = (
    View(
        "desktop-zh",
        "zh-CN",
        (1360, 860),
        "我的快递三天没动了，怎么办？",
        "您好，我是王敏，正在替您联系快递公司。",
        "接管",
        "交还机器人",
        "开始检查",
        "学生证可以打折吗",
    ),
    View(
        "phone-en",
        "en-US",
        (390, 844),
        "can i return opened earphones",
        "Hello, this is Wang Min. I will look into it.",
        "Take over",
        "Back to the bot",
        "Check now",
        "does the robot vacuum come in pink",
    ),
)


@dataclass(frozen=True)
class Camera:
    """One view of one server."""

    browser: Browser
    address: str
    view: View

    def story(self, login: str, password: str) -> None:
        """Take all pictures of this view."""
        team = self._context()
        console = team.new_page()
        console.goto(f"{self.address}/console/login")
        self._shoot(console, "console-login")
        console.locator("[name=login]").fill(login)
        console.locator("[name=password]").fill(password)
        console.keyboard.press("Enter")
        console.wait_for_url(f"{self.address}/console")
        self._talk(console)
        for name, path in PAGES.items():
            console.goto(f"{self.address}/console{path}")
            if name == "check":
                console.get_by_role("button", name=self.view.look).click()
            if name in ("check", "unanswered"):
                expect(console.locator("[hx-trigger^=load]")).to_have_count(0)
            self._shoot(console, f"console-{name}")
        team.close()

    def _talk(self, console: Page) -> None:
        context = self._context()
        customer = context.new_page()
        customer.goto(f"{self.address}/demo")
        customer.locator(".launcher").wait_for()
        self._shoot(customer, "demo")
        customer.locator(".launcher").click()
        self._shoot(customer, "widget-welcome")
        customer.locator(".field textarea").fill(self.view.question)
        customer.keyboard.press("Enter")
        expect(customer.locator(".message.assistant:has(footer)")).to_have_count(1)
        self._shoot(customer, "widget-answer")
        customer.locator(".call").click()
        console.locator(".talk-card.waits").get_by_role("button", name=self.view.take).first.click()
        expect(console.locator("#reply textarea")).to_have_attribute("data-ready", "yes")
        console.locator("#reply textarea").fill(self.view.reply)
        console.keyboard.press("Enter")
        expect(customer.locator(".messages .person")).to_have_count(1)
        self._shoot(customer, "widget-person")
        expect(console.locator(".said.person")).to_have_count(1)
        self._shoot(console, "console-talk")
        console.get_by_role("button", name=self.view.back).click()
        expect(console.locator("#reply")).to_have_count(0)
        customer.locator(".field textarea").fill(self.view.unknown)
        customer.keyboard.press("Enter")
        expect(customer.locator(".message.assistant:has(footer)")).to_have_count(2)
        context.close()

    def _context(self) -> BrowserContext:
        width, height = self.view.size
        context = self.browser.new_context(
            locale=self.view.locale, viewport={"width": width, "height": height}
        )
        context.set_default_timeout(_WAIT_MS)
        return context

    def _shoot(self, page: Page, name: str) -> None:
        page.wait_for_timeout(600)  # what fades in, and the last scrolling
        with Image.open(io.BytesIO(page.screenshot())) as picture:
            few = picture.convert("RGB").quantize(_COLOURS)  # a third of the bytes, and nobody sees it
        few.save(FOLDER / f"{name}-{self.view.name}.png", optimize=True)


def main() -> None:
    """Take the pictures of every view."""
    password = os.environ.get("KEFU_PASSWORD", "")
    if len(sys.argv) != 3 or not password:
        raise SystemExit("usage: KEFU_PASSWORD=… python -m docs.pictures ADDRESS LOGIN")
    expect.set_options(timeout=_WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for view in VIEWS:
            Camera(browser, sys.argv[1], view).story(sys.argv[2], password)
        browser.close()


if __name__ == "__main__":
    main()
