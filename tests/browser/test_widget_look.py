"""How the widget behaves as a guest: out of reach of the page's style, usable by keyboard and screen reader, small and quick."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from playwright.sync_api import expect

from bot.conversation import ConversationId
from bot.web.widget_files import WidgetFiles
from tests.browser.axe import violations
from tests.desk_staff import LI, employ
from tests.widget_site import Site, Visit, Visiting

pytestmark = pytest.mark.browser
PHONE, DESKTOP = (390, 844), (1280, 860)
MOST_MS_TO_OPEN = 300


@pytest.fixture(scope="module", autouse=True)
def _people(site: Site) -> None:
    employ(site.assistant.desk, LI)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize(("language", "colour"), [("zh", "1a6dd6"), ("en", "f5c518"), ("zh-TW", "111111")])
def test_axe_finds_nothing(site: Site, visiting: Visiting, scheme: str, size: tuple[int, int], language: str, colour: str) -> None:  # fmt: skip
    visit = visiting(f"?lang={language}&color=%23{colour}", size=size, scheme=scheme)
    assert violations(visit.page) == []
    visit.launcher.click()
    assert violations(visit.page) == []
    visit.say("nobody knows")
    expect(visit.answers).to_have_count(1)
    visit.answers.last.locator(".thumb.down").click()
    expect(visit.page.locator(".reason")).to_be_visible()
    assert violations(visit.page) == []
    visit.page.locator(".reason .plain").click()
    visit.page.locator(".call").click()
    expect(visit.page.locator(".contact")).to_be_visible()
    talk = ConversationId(next(reversed(site.assistant.conversations)))
    site.assistant.desk.take(talk, LI)
    site.assistant.desk.reply(talk, LI, "您好 **hello**")
    expect(visit.said("person")).to_be_visible()
    visit.page.route("**/gradio_api/call/**", lambda route: route.abort())
    visit.say("one that waits")
    expect(visit.page.locator(".banner")).to_be_visible()
    assert violations(visit.page) == []


def looks(visit: Visit) -> Any:
    """What the widget looks like, as numbers."""
    return visit.page.evaluate(
        """() => {
          const root = document.querySelector("kefu-widget").shadowRoot, edge = document.documentElement.clientWidth;
          return [".launcher", ".panel", "h2", ".bubble", ".field textarea", ".suggested button"].map((name) => {
            const element = root.querySelector(name), style = getComputedStyle(element), box = element.getBoundingClientRect();
            return [name, style.color, style.fontSize, style.display, style.backgroundColor, edge - box.right, box.bottom, box.width, box.height];
          });
        }"""
    )


def test_the_pages_style_does_not_reach_the_widget(visiting: Visiting) -> None:
    calm, hostile = visiting(), visiting("?style=hostile")
    for visit in (calm, hostile):
        visit.page.wait_for_timeout(300)
        visit.launcher.dispatch_event("click")
        visit.panel.wait_for()
        visit.page.wait_for_timeout(400)
    assert looks(hostile) == looks(calm)
    hostile.field.press_sequentially("it works here too")
    hostile.field.press("Enter")
    expect(hostile.answers).to_have_count(1)


def test_the_widgets_style_does_not_reach_the_page(visiting: Visiting) -> None:
    visit = visiting()
    visit.launcher.click()
    own = visit.page.locator("#own").evaluate(
        "e => [getComputedStyle(e).borderRadius, getComputedStyle(e).fontSize]"
    )
    assert own == ["0px", "13.3333px"]
    assert visit.page.evaluate("document.querySelectorAll('style').length") == 1


def test_the_keyboard_goes_through_the_panel_and_comes_back_to_the_page(visiting: Visiting) -> None:
    visit = visiting()
    visit.page.locator("#own").focus()
    visit.page.evaluate("kefu.open()")
    expect(visit.field).to_be_focused()
    visit.page.keyboard.press("Escape")
    expect(visit.panel).to_be_hidden()
    expect(visit.page.locator("#own")).to_be_focused()
    visit.launcher.focus()
    visit.page.keyboard.press("Enter")
    expect(visit.launcher).to_have_attribute("aria-expanded", "true")
    expect(visit.field).to_be_focused()
    for name in ("Send", "Close the chat"):
        visit.page.keyboard.press("Tab")
        focused = "document.querySelector('kefu-widget').shadowRoot.activeElement.getAttribute('aria-label')"
        assert visit.page.evaluate(focused) == name
    visit.page.keyboard.press("Enter")
    expect(visit.launcher).to_be_focused()


def test_the_keyboard_stays_in_the_panel_when_a_button_has_done_its_work(visiting: Visiting) -> None:
    visit = visiting()
    visit.launcher.click()
    visit.page.locator(".suggested button").first.press("Enter")
    expect(visit.page.locator(".log")).to_be_focused()
    down = visit.answers.locator(".thumb.down")
    down.press("Enter")
    expect(down).to_be_focused()
    for _ in range(6):  # four reasons, the field, "skip"
        visit.page.keyboard.press("Tab")
    expect(visit.page.locator(".reason .plain")).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator(".reason")).to_have_count(0)
    expect(down).to_be_focused()
    visit.page.keyboard.press("Escape")
    expect(visit.panel).to_be_hidden()


def test_on_a_phone_the_panel_is_a_sheet_over_a_page_that_stands_still(visiting: Visiting) -> None:
    visit = visiting(size=PHONE)
    visit.launcher.click()
    visit.page.wait_for_timeout(300)
    assert visit.panel.bounding_box() == {"x": 0, "y": 0, "width": PHONE[0], "height": PHONE[1]}
    expect(visit.panel).to_have_attribute("aria-modal", "true")
    expect(visit.launcher).to_be_hidden()
    assert visit.page.evaluate("getComputedStyle(document.documentElement).overflow") == "hidden"
    visit.page.get_by_role("button", name="Close the chat").click()
    assert visit.page.evaluate("getComputedStyle(document.documentElement).overflow") == "visible"


def test_the_tag_says_where_the_bubble_is_its_colour_and_its_theme(visiting: Visiting) -> None:
    visit = visiting("?position=left&color=%23f5c518&theme=dark&open=true&lang=zh&name=%E5%BC%80%E5%B8%86")
    expect(visit.panel).to_be_visible()
    expect(visit.page.locator("h2")).to_have_text("开帆")
    box = visit.launcher.bounding_box()
    assert box is not None
    assert box["x"] == 24
    style = "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    assert visit.launcher.evaluate(style) == ["rgb(245, 197, 24)", "rgb(17, 20, 26)"]
    assert visit.panel.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(26, 28, 33)"


def test_who_wants_no_motion_gets_none(visiting: Visiting) -> None:
    visit = visiting()
    visit.page.emulate_media(reduced_motion="reduce")
    visit.launcher.click()
    assert visit.panel.evaluate("e => getComputedStyle(e).animationName") == "none"


def test_the_panel_opens_at_once_and_the_whole_widget_is_small(
    visiting: Visiting, capsys: pytest.CaptureFixture[str]
) -> None:
    weight = WidgetFiles().compressed_bytes
    visit = visiting()
    visit.page.reload()
    visit.launcher.wait_for()
    took = visit.page.evaluate(
        """async () => {
          const root = document.querySelector("kefu-widget").shadowRoot;
          const began = performance.now();
          root.querySelector(".launcher").click();
          await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
          return root.querySelector(".panel").checkVisibility() ? performance.now() - began : Infinity;
        }"""
    )
    loaded = {url for url in visit.requests if "/widget" in url and url.endswith((".js", ".css"))}
    with capsys.disabled():
        sys.stdout.write(
            f"\nwidget: {weight / 1000:.1f} kB gzipped in {len(loaded)} files, open after {took:.0f} ms\n"
        )
    assert weight < 60_000
    assert took < MOST_MS_TO_OPEN


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_demonstration_shows_all_three_ways(site: Site, visiting: Visiting, language: str) -> None:
    visit = visiting()
    page = visit.page
    visit.requests.clear()
    page.goto(f"{site.kefu}/demo?lang={language}")
    visit.launcher.wait_for()
    assert violations(page) == []
    page.locator("[data-ask]").first.click()
    expect(visit.answers).to_have_count(1)
    page.keyboard.press("Escape")
    page.locator("summary").first.click()
    frame = page.frame_locator("iframe")
    frame.locator("textarea").fill("in the frame")
    frame.locator("textarea").press("Enter")
    expect(frame.locator(".kefu-foot")).to_have_count(1)
    page.locator("summary").last.click()
    component = page.locator("gradio-app")
    expect(component.locator("#kefu-log .kefu-message").first).to_be_visible()
    component.locator("textarea").fill("in the component")
    component.locator("textarea").press("Enter")
    expect(component.locator(".kefu-foot")).to_have_count(1)
    assert [url for url in visit.requests if not url.startswith((site.kefu, "data:", "blob:"))] == []
