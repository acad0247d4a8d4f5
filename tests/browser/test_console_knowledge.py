"""An editor's day in a real browser: keyboard review, an edit with both faces, and pages that ask no other host for anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.factory import Kefu
from tests.browser.axe import violations
from tests.browser.conftest import enter_console
from tests.console_shop import console_of, open_kefu
from tests.small_shop import say
from tests.web_server import serving

pytestmark = pytest.mark.browser
PAGES = (
    "overview", "overview/talks", "review", "knowledge", "knowledge/articles/warranty", "knowledge/intents", "knowledge/intents/postage",
    "knowledge/messages", "knowledge/test?q=how+much+is+postage", "knowledge/unanswered", "knowledge/check", "knowledge/history", "settings", "training",
)  # fmt: skip


@pytest.fixture(scope="module")
def kefu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kefu]:
    with open_kefu(tmp_path_factory.mktemp("shop")) as kefu:
        for question in (
            "运费多少",
            "写一首诗",
            "write a poem",
            "今天天气怎么样",
            "how about student discount",
        ):
            say(kefu.manager, question)
        yield kefu


@pytest.fixture(scope="module")
def address(kefu: Kefu) -> Iterator[str]:
    with serving(console_of(kefu)) as address:
        yield address


def signed_in(browser: Browser, address: str, *, locale: str, width: int) -> tuple[Page, list[str]]:
    page = browser.new_context(locale=locale, viewport={"width": width, "height": 844}).new_page()
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((address, "data:")) else complaints.append(request.url)
        ),
    )
    enter_console(page, address, "admin")
    return page, complaints


@pytest.mark.parametrize(("locale", "width"), [("zh-CN", 1280), ("en-US", 390)])
def test_every_page_fits_its_window_and_complains_of_nothing(
    browser: Browser, address: str, locale: str, width: int
) -> None:
    page, complaints = signed_in(browser, address, locale=locale, width=width)
    for path in PAGES:
        answer = page.goto(f"{address}/console/{path}")
        assert answer is not None
        assert (path, answer.status) == (path, 200)
        page.wait_for_timeout(200)
        too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert (path, too_wide) == (path, 0)
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("locale", "width"), [("zh-CN", 390), ("en-US", 1280)])
def test_axe_finds_nothing_on_any_page(
    browser: Browser, address: str, locale: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page, _ = signed_in(browser, address, locale=locale, width=width)
    page.emulate_media(color_scheme=scheme)
    found = {}
    for path in PAGES:
        page.goto(f"{address}/console/{path}")
        found[path] = violations(page)
    assert {path: broken for path, broken in found.items() if broken} == {}
    page.context.close()


def test_turns_are_reviewed_by_keyboard_alone(browser: Browser, address: str, kefu: Kefu) -> None:
    page, complaints = signed_in(browser, address, locale="en-US", width=1280)
    page.goto(f"{address}/console/review")
    items = page.locator("[data-item]")
    before = items.count()
    assert before >= 3
    page.keyboard.press("j")
    expect(items.nth(1)).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("Students pay 10 % less.")
    page.keyboard.press("Control+Enter")
    expect(items).to_have_count(before - 1)
    expect(items.nth(0)).to_be_focused()
    page.keyboard.press("r")
    expect(items).to_have_count(before - 2)
    corrected = [each.correction.text for each in kefu.store.logged() if each.correction is not None]
    assert corrected == ["Students pay 10 % less."]
    assert complaints == []
    page.context.close()


def test_an_edit_is_previewed_tried_saved_and_undone(browser: Browser, address: str, kefu: Kefu) -> None:
    page, complaints = signed_in(browser, address, locale="zh-CN", width=1280)
    file = kefu.settings.knowledge_base / "intents" / "postage.yaml"
    page.goto(f"{address}/console/knowledge/intents/postage")
    page.fill("[name=answer_zh]", "满 59 元**包邮**。")
    page.fill("[name=answer_en]", "Postage is free from 59 yuan.")
    expect(page.locator("#preview strong")).to_have_text("包邮")
    page.click("text=会改变什么？")
    expect(page.locator("#trial .change h3").first).to_contain_text("运费多少")
    page.fill("[name=why]", "新政策")
    page.click("button.primary:has-text('保存')")
    expect(page.locator(".notice.good")).to_be_visible()
    assert "满 59 元" in file.read_text("utf-8")
    page.click(".past a")
    page.click("button:has-text('撤销')")
    page.locator("[data-confirm-form] button").click()
    page.wait_for_url("**/history?done=undone")
    assert "满 99 元" in file.read_text("utf-8")
    assert complaints == []
    page.context.close()
