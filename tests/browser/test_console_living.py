"""The console's pages live: what a person is about to do, writes or reads there outlives the news."""

from __future__ import annotations

import pytest
from playwright.sync_api import APIResponse, Route, expect

from tests.browser.conftest import Kefu, OpenPage, SignIn
from tests.browser.desk_talk import EN, call_a_person, say, take
from tests.console_people import employ

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def _people(kefu: Kefu) -> None:
    employ(kefu.assistant.desk, "li", "小李")


def test_what_is_said_while_the_talk_is_being_fetched_is_shown_too(
    kefu: Kefu, open_page: OpenPage, sign_in: SignIn
) -> None:
    agent = sign_in("li")
    customer = call_a_person(open_page, kefu, EN)
    take(agent, EN)
    slow: list[tuple[Route, APIResponse]] = []
    agent.route("**/thread?*", lambda route: slow.append((route, route.fetch())), times=1)
    say(customer, "first")
    expect(customer.locator(".kefu-customer .kefu-bubble").last).to_have_text("first")
    while not slow:
        agent.wait_for_timeout(50)
    say(customer, "second")
    agent.wait_for_timeout(
        1500
    )  # it hears that something happened, while the answer to its question is on its way
    route, response = slow[0]
    route.fulfill(response=response)

    expect(agent.locator(".said.customer .bubble").last).to_have_text("second", timeout=5000)
    agent.get_by_role("button", name=EN.back).click()


def test_what_was_written_before_the_script_arrived_stays(
    kefu: Kefu, open_page: OpenPage, sign_in: SignIn
) -> None:
    agent = sign_in("li")
    call_a_person(open_page, kefu, EN)
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    agent.route("**/talk.js*", hold)
    agent.locator(".talk-card.waits").get_by_role("button", name=EN.take).click(no_wait_after=True)
    field = agent.locator("#reply textarea")
    field.fill("one moment")
    while not late:
        agent.wait_for_timeout(50)
    late[0].continue_()

    expect(field).to_have_attribute("data-ready", "yes")
    expect(field).to_have_value("one moment")
    with agent.expect_request("**/reply") as sent:
        agent.keyboard.press("Enter")
    assert "x-kefu-by-itself" not in sent.value.headers  # who writes is at work: the session goes on
    expect(agent.locator(".said.person .bubble")).to_have_text("one moment")
    agent.get_by_role("button", name=EN.back).click()


def test_a_press_outlives_what_happens_at_the_desk_meanwhile(
    kefu: Kefu, open_page: OpenPage, sign_in: SignIn
) -> None:
    agent = sign_in("li")
    call_a_person(open_page, kefu, EN)
    button = agent.locator(".talk-card.waits").get_by_role("button", name=EN.take)
    button.focus()
    button.hover()
    agent.mouse.down()
    with agent.expect_response("**/console/queue"):
        kefu.assistant.desk.bell.ring("talk")
    agent.wait_for_timeout(300)  # the page takes in what it was told
    expect(button).to_be_focused()
    agent.mouse.up()
    expect(agent.locator("#reply textarea")).to_be_focused()
    agent.get_by_role("button", name=EN.back).click()


def test_what_was_opened_or_selected_stays_so_when_the_customer_goes_on(
    kefu: Kefu, open_page: OpenPage, sign_in: SignIn
) -> None:
    agent = sign_in("li")
    customer = call_a_person(open_page, kefu, EN)
    take(agent, EN)
    why = agent.locator(".why").first
    why.locator("summary").click()
    agent.evaluate("getSelection().selectAllChildren(document.querySelector('.said.customer .bubble'))")
    say(customer, EN.thanks)
    expect(agent.locator(".said.customer .bubble").last).to_have_text(EN.thanks)
    expect(why.locator("dl")).to_be_visible()
    expect(why.locator("summary")).to_be_focused()
    assert agent.evaluate("String(getSelection())") == EN.question
    agent.get_by_role("button", name=EN.back).click()
