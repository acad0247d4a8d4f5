"""Writing to the page in a real browser: keys, input methods, impatience, and windows of any size."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Kefu, OpenPage, ask, wait_for_answers

pytestmark = pytest.mark.browser

EN = "can i return opened earphones"


def test_enter_sends_and_shift_enter_breaks_the_line(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address).page
    page.keyboard.type("first")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second")
    expect(page.locator("textarea")).to_have_value("first\nsecond")
    page.keyboard.press("Enter")
    expect(page.locator(".kefu-customer .kefu-bubble")).to_have_text(re.compile("first\nsecond"))


# As early as a customer could: writes, and presses Enter until the field takes it.
_IMPATIENT = """
const timer = setInterval(() => {
  const field = document.querySelector("#kefu-composer textarea");
  if (!field) return;
  if (window.written && !field.value) return clearInterval(timer);
  field.value = "%s";
  window.written = true;
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
}, 1);
"""


def test_what_is_sent_before_the_page_is_connected_is_answered_once(kefu: Kefu, browser: Browser) -> None:
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.add_init_script(_IMPATIENT % EN)
    try:
        page.goto(kefu.address)
        expect(page.locator(".kefu-customer .kefu-bubble")).to_have_text(EN)
        wait_for_answers(page, 1)
        expect(page.locator("textarea")).to_have_value("")
    finally:
        context.close()


def test_the_enter_of_an_input_method_sends_nothing(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address, locale="zh-CN").page
    page.locator("textarea").fill("kuaidi")
    page.locator("textarea").evaluate(
        "area => area.dispatchEvent(new KeyboardEvent('keydown', "
        "{key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    expect(page.locator("textarea")).to_have_value("kuaidi")
    expect(page.locator(".kefu-customer")).to_have_count(0)


def test_everything_is_reached_with_the_keyboard_and_focus_is_seen(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address).page
    ask(page, EN)
    wait_for_answers(page, 1)
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.textContent.trim() || document.activeElement.ariaLabel")
        )
        assert page.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle"
        ) != "none" or page.evaluate("['TEXTAREA', 'BODY'].includes(document.activeElement.tagName)")
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")
    assert {"New chat", "Talk to a person", "Send", "Helpful", "Not helpful", "Start a return"} <= reached


@pytest.mark.parametrize("size", [(390, 844), (1280, 860)])
def test_the_page_fits_its_window(kefu: Kefu, open_page: OpenPage, size: tuple[int, int]) -> None:
    page = open_page(kefu.address, size=size).page
    ask(page, "W" * 300)
    wait_for_answers(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate("document.getElementById('kefu-log').scrollWidth") <= size[0]
    expect(page.locator("textarea")).to_be_in_viewport()
    expect(page.locator(".kefu-options:visible").last).to_be_in_viewport()
