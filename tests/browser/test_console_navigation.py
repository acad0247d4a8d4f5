"""The console's navigation: on a phone it fits, and what does not opens from a menu that needs no script."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import expect

from bot.memory.staff import Role
from tests.browser.axe import violations
from tests.browser.conftest import Kefu, SignIn
from tests.console_people import employ

pytestmark = pytest.mark.browser
PHONE, SMALL_PHONE, DESKTOP = (390, 844), (320, 640), (1360, 860)


@pytest.fixture(scope="module", autouse=True)
def _people(kefu: Kefu) -> None:
    employ(kefu.assistant.desk, "mary", "Mary", Role.EDITOR)
    employ(kefu.assistant.desk, "admin", "王敏", Role.ADMIN)


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
@pytest.mark.parametrize("size", [PHONE, SMALL_PHONE])
def test_nothing_in_the_bar_of_a_phone_lies_outside_of_it(
    sign_in: SignIn, kefu: Kefu, size: tuple[int, int], locale: str
) -> None:
    page = sign_in("admin", size=size, locale=locale)
    page.goto(f"{kefu.address}/console/knowledge")  # the longest name
    wide = page.locator(".places").evaluate("bar => bar.scrollWidth - bar.clientWidth")
    cut = page.locator(".places > ul > li").evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
    )
    assert (wide, cut) == (0, [])
    for place in page.locator(".places > ul > li:visible").all():
        box = place.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= size[0]


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_what_does_not_fit_opens_from_the_menu(sign_in: SignIn, kefu: Kefu, scripts: bool) -> None:
    page = sign_in("admin", size=PHONE, java_script_enabled=scripts)
    people = page.locator(".more a", has_text="People")
    expect(people).to_be_hidden()
    page.locator(".more summary").click()
    people.click()
    page.wait_for_url(f"{kefu.address}/console/staff")
    expect(page.locator(".more summary")).to_have_class("here")


def test_the_menu_closes_when_somebody_turns_to_something_else(sign_in: SignIn) -> None:
    page = sign_in("admin", size=PHONE)
    settings = page.locator(".more a", has_text="Settings")
    for leave in (lambda: page.keyboard.press("Escape"), lambda: page.locator("h1").click()):
        page.locator(".more summary").click()
        expect(settings).to_be_visible()
        leave()
        expect(settings).to_be_hidden()


def test_whoever_sees_few_pages_sees_all_of_them_and_a_desktop_shows_all(sign_in: SignIn) -> None:
    expect(sign_in("mary", size=PHONE).locator(".more")).to_have_count(0)
    desktop = sign_in("admin", size=DESKTOP)
    expect(desktop.locator(".more")).to_be_hidden()
    expect(desktop.locator(".places > ul > li:visible")).to_have_count(8)


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_the_pages_of_the_knowledge_base_fit_a_phone(sign_in: SignIn, kefu: Kefu, locale: str) -> None:
    page = sign_in("admin", size=PHONE, locale=locale)
    page.goto(f"{kefu.address}/console/knowledge")
    tabs = page.locator(".tabs")
    assert tabs.evaluate("bar => bar.scrollWidth - bar.clientWidth") == 0
    for tab in tabs.locator("a").all():
        expect(tab).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_axe_finds_nothing_in_the_open_menu(
    sign_in: SignIn, locale: str, scheme: Literal["light", "dark"]
) -> None:
    page = sign_in("admin", size=PHONE, locale=locale, color_scheme=scheme)
    page.locator(".more summary").click()
    assert violations(page) == []
