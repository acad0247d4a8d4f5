"""The widget when something goes wrong: no network, a server that fails, a site that is not listed. Nothing typed is lost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.fake_assistant import FakeAssistant
from tests.web_server import build, serving
from tests.widget_site import Site, Visiting, new_context

pytestmark = pytest.mark.browser
EN = "can i return opened earphones"


def test_what_is_written_off_line_is_marked_and_sent_when_the_network_is_back(
    site: Site, visiting: Visiting
) -> None:
    visit = visiting()
    visit.launcher.click()
    visit.say(EN)
    expect(visit.answers).to_have_count(1)
    visit.context.set_offline(True)
    expect(visit.page.locator(".banner")).to_contain_text("The connection is lost")
    visit.say("the first while off line")
    visit.say("the second while off line")
    expect(visit.page.locator("[data-state=queued]")).to_have_count(2)
    expect(visit.said("customer").last).to_contain_text("Waiting for the connection")
    visit.context.set_offline(False)
    expect(visit.page.locator(".banner")).to_be_hidden()
    expect(visit.answers).to_have_count(3)
    assert site.assistant.asked[-2:] == ["the first while off line", "the second while off line"]
    expect(visit.page.locator("[data-state=queued]")).to_have_count(0)


def test_a_message_that_waits_and_a_draft_survive_a_reload(site: Site, visiting: Visiting) -> None:
    visit = visiting()
    visit.launcher.click()
    visit.page.route("**/gradio_api/call/**", lambda route: route.abort())
    visit.say("sent into a void")
    visit.field.fill("half a question")
    expect(visit.page.locator("[data-state=queued]")).to_have_count(1)
    visit.page.unroute("**/gradio_api/call/**")
    visit.page.reload()
    expect(visit.field).to_have_value("half a question")
    expect(visit.answers).to_have_count(1)
    assert site.assistant.asked.count("sent into a void") == 1


def test_an_answer_that_breaks_off_is_fetched_and_not_asked_for_twice(site: Site, visiting: Visiting) -> None:
    visit = visiting()
    visit.launcher.click()
    visit.say(EN)
    expect(visit.answers).to_have_count(1)
    broken, cut = re.compile(r"/gradio_api/call/v2/chat/"), list[str]()

    def break_off(route: Route) -> None:
        response = route.fetch()
        cut.append(response.text())
        route.fulfill(body=cut[0].split("\n\n")[0] + "\n\n", headers=response.headers)

    visit.page.route(broken, break_off, times=1)
    visit.say("this answer breaks off")
    expect(visit.answers).to_have_count(2)
    expect(visit.said("customer")).to_have_count(2)
    assert site.assistant.asked.count("this answer breaks off") == len(cut) == 1


def test_an_answer_that_fails_says_so_and_can_be_asked_for_again(site: Site, visiting: Visiting) -> None:
    site.assistant.script["break it"] = RuntimeError("/srv/secret/path.py exploded")
    visit = visiting()
    visit.launcher.click()
    visit.say("break it")
    failed = visit.page.locator("[data-state=failed]")
    expect(failed).to_contain_text("Sorry, something went wrong on our side.")
    expect(failed).not_to_contain_text("exploded")
    visit.page.reload()
    expect(failed).to_contain_text("break it")
    site.assistant.script["break it"] = "It works again."
    failed.get_by_role("button", name="Send again").click()
    expect(visit.answers.last).to_contain_text("It works again.")
    expect(visit.said("customer")).to_have_count(1)


def test_a_talk_that_the_server_lost_begins_anew(site: Site, visiting: Visiting) -> None:
    visit = visiting()
    visit.launcher.click()
    visit.say(EN)
    expect(visit.answers).to_have_count(1)
    site.assistant.conversations.clear()
    visit.page.reload()
    expect(visit.answers).to_have_count(0)
    visit.say("still there?")
    expect(visit.answers).to_have_count(1)


def test_an_input_methods_enter_and_an_empty_field_send_nothing(visiting: Visiting) -> None:
    visit = visiting("?lang=zh")
    visit.launcher.click()
    visit.field.fill("tuihuo")
    for event in (
        "{key: 'Enter', isComposing: true, bubbles: true}",
        "{key: 'Enter', keyCode: 229, bubbles: true}",
    ):
        visit.field.evaluate(f"area => area.dispatchEvent(new KeyboardEvent('keydown', {event}))")
    visit.field.press("Shift+Enter")
    expect(visit.field).to_have_value("tuihuo\n")
    expect(visit.said("customer")).to_have_count(0)
    visit.field.fill("   ")
    visit.field.press("Enter")
    expect(visit.page.locator(".hint")).to_contain_text("请先输入您的问题")
    visit.field.fill("长" * 2001)
    visit.field.press("Enter")
    expect(visit.page.locator(".hint")).to_contain_text("2000")
    expect(visit.said("customer")).to_have_count(0)


def test_markup_in_a_message_is_shown_as_it_is(visiting: Visiting) -> None:
    visit = visiting()
    visit.launcher.click()
    visit.say("<img src=x onerror='window.hit = 1'> **x** <script>window.hit = 1</script> 😀")
    expect(visit.said("customer").locator(".bubble")).to_have_text(
        "<img src=x onerror='window.hit = 1'> **x** <script>window.hit = 1</script> 😀"
    )
    expect(visit.answers).to_have_count(1)
    assert visit.page.evaluate("window.hit") is None


def test_a_site_that_is_not_listed_gets_no_widget_and_its_developer_is_told_why(
    browser: Browser, site: Site
) -> None:
    with serving(build(FakeAssistant(), allowed_sites=("https://shop.example",))) as closed:
        context = new_context(browser, "en-US", (1280, 860), "light")
        page = context.new_page()
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        page.goto(site.address)
        page.wait_for_selector(".launcher")
        page.evaluate("delete window.kefu; document.querySelector('kefu-widget').remove()")
        page.add_script_tag(url=f"{closed}/widget.js")
        page.wait_for_function("() => true")
        expect(page.locator(".launcher")).to_have_count(0)
        page.wait_for_timeout(500)
        assert any("allowed_sites" in line and site.address in line for line in told)
        context.close()
