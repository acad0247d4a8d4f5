"""What the page does when something is wrong: refused messages, a lost network, a busy server, broken answers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Kefu, OpenPage

pytestmark = pytest.mark.browser

EN = "can i return opened earphones"


def _ask(page: Page, text: str) -> None:
    page.locator("textarea").fill(text)
    page.keyboard.press("Enter")


def test_an_empty_message_is_refused_on_the_spot(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address, locale="zh-CN").page
    _ask(page, "  \n ")
    expect(page.get_by_role("alert")).to_have_text("请先输入您的问题。")
    expect(page.locator(".kefu-customer")).to_have_count(0)


def test_a_hundred_thousand_characters_are_refused_and_kept(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address, locale="zh-CN").page
    text = "退" * 100_000
    _ask(page, text)
    expect(page.get_by_role("alert")).to_have_text("消息太长了，请控制在 2000 字以内。")
    assert page.locator("textarea").input_value() == text
    expect(page.locator(".kefu-customer")).to_have_count(0)


def test_what_the_server_refuses_comes_back_in_front_of_what_was_typed_since(
    kefu: Kefu, open_page: OpenPage
) -> None:
    page = open_page(kefu.address).page
    page.locator(".kefu-composer").evaluate(
        "form => { form.dataset.limit = '1000000'; }"
    )  # the page is not trusted
    long = "x" * 3000
    page.locator("textarea").fill(long)
    page.keyboard.press("Enter")
    page.keyboard.type("and one more thing")
    expect(page.locator(".kefu-notice")).to_have_text(
        "That message is too long. Please keep it under 2000 characters."
    )
    expect(page.locator("textarea")).to_have_value(f"{long}\nand one more thing")
    expect(page.locator(".kefu-customer")).to_have_count(0)


def test_too_fast_is_said_in_the_customers_language_and_the_text_kept(
    strict_kefu: Kefu, open_page: OpenPage
) -> None:
    page = open_page(strict_kefu.address, locale="zh-CN").page
    _ask(page, "第一个问题")
    _ask(page, "第二个问题")
    expect(page.locator(".kefu-foot")).to_have_count(2)
    _ask(page, "第三个问题")
    expect(page.locator(".kefu-hint")).to_have_text("您发得太快了，请稍等一会儿再发。")
    expect(page.locator("textarea")).to_have_value("第三个问题")
    expect(page.locator(".kefu-customer")).to_have_count(2)


def test_off_line_nothing_is_sent_and_nothing_lost(kefu: Kefu, open_page: OpenPage) -> None:
    watched = open_page(kefu.address)
    watched.context.set_offline(True)
    _ask(watched.page, EN)
    expect(watched.page.locator(".kefu-hint")).to_contain_text("You are off line")
    expect(watched.page.locator("textarea")).to_have_value(EN)
    watched.context.set_offline(False)
    expect(watched.page.locator(".kefu-hint")).to_be_empty()
    watched.page.keyboard.press("Enter")
    expect(watched.page.locator(".kefu-foot")).to_have_count(1)


def test_a_draft_survives_a_reload(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address).page
    page.locator("textarea").fill("half a question")
    page.reload()
    page.wait_for_selector(
        "#kefu-log .kefu-message"
    )  # what Enter sends before the page is connected waits in the field
    expect(page.locator("textarea")).to_have_value("half a question")
    expect(
        page.locator("textarea")
    ).to_be_focused()  # the page's own script is there, not only the browser's memory
    page.locator("textarea").press("Enter")
    expect(page.locator(".kefu-foot")).to_have_count(1)
    page.reload()
    expect(page.locator(".kefu-foot")).to_have_count(1)
    expect(page.locator("textarea")).to_have_value("")


def test_an_answer_that_breaks_says_so_and_can_be_asked_for_again(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address).page
    kefu.assistant.script["break it"] = RuntimeError("/srv/secret/path.py exploded")
    _ask(page, "break it")
    problem = page.locator(".kefu-assistant").last
    expect(problem).to_contain_text("Sorry, something went wrong on our side.")
    assert "exploded" not in page.content()
    expect(problem.locator(".kefu-thumb")).to_have_count(0)
    kefu.assistant.script["break it"] = "It works again."
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".kefu-assistant").last).to_contain_text("It works again.")


def test_emoji_control_characters_and_markup_show_as_they_are(kefu: Kefu, open_page: OpenPage) -> None:
    watched = open_page(kefu.address)
    page = watched.page
    bubbles = page.locator(".kefu-customer .kefu-bubble")
    _ask(page, "😀👨‍👩‍👧")
    expect(bubbles.nth(0)).to_have_text("😀👨‍👩‍👧")
    _ask(page, "a\u0007b\u202ec\u0000d")
    expect(bubbles.nth(1)).to_have_text("abcd")
    _ask(
        page,
        "<script>window.hit = 1</script> **x** <img src=x onerror='window.hit = 1'> ${window.hit = 1} `b`",
    )
    expect(bubbles.nth(2)).to_contain_text("<script>window.hit = 1</script> **x** <img src=x")
    expect(page.locator(".kefu-foot")).to_have_count(3)
    assert page.evaluate("window.hit") is None
    assert watched.complaints == []


def test_the_conversation_goes_on_after_the_log_lost_it(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address).page
    _ask(page, EN)
    expect(page.locator(".kefu-foot")).to_have_count(1)
    kefu.assistant.conversations.clear()
    _ask(page, "still there?")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".kefu-foot")).to_have_count(2)
