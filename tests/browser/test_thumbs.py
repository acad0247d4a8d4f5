"""Ratings by a thumb in a real browser: kept once, changed at will, seen again, and never for another's turn."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Kefu, OpenPage, ask, wait_for_answers

pytestmark = pytest.mark.browser

ZH = "我的快递三天没动了，怎么办？"
EN = "can i return opened earphones"


def test_a_thumb_is_kept_once_and_can_change_its_mind(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address).page
    ask(page, EN)
    wait_for_answers(page, 1)
    before = len(kefu.assistant.ratings)
    up, down = page.locator("[data-rate='1']"), page.locator("[data-rate='-1']")
    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".kefu-thanks")).to_have_text("Thank you for your feedback")
    up.click()
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    expect(up).to_have_attribute("aria-pressed", "false")
    assert [rated.value for rated in kefu.assistant.ratings[before:]] == [1, -1]


def test_a_thumb_is_still_pressed_after_a_reload(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address).page
    ask(page, EN)
    wait_for_answers(page, 1)
    ask(page, ZH)
    wait_for_answers(page, 2)
    page.locator("[data-rate='-1']").first.click()
    expect(page.locator("[data-rate='-1']").first).to_have_attribute("aria-pressed", "true")
    page.reload()
    wait_for_answers(page, 2)
    expect(page.locator("[aria-pressed=true]")).to_have_count(1)
    expect(page.locator("[data-rate='-1']").first).to_have_attribute("aria-pressed", "true")


def test_a_rating_of_a_turn_that_the_page_does_not_show_does_nothing(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address).page
    ask(page, EN)
    wait_for_answers(page, 1)
    before = len(kefu.assistant.ratings)
    up = page.locator("[data-rate='1']")
    up.evaluate("button => { button.dataset.turn = 'turn-of-somebody-else'; }")
    up.click()
    page.locator("textarea").click()
    ask(page, EN)  # an event later in line: the forged one has been handled by then
    wait_for_answers(page, 2)
    assert len(kefu.assistant.ratings) == before
