"""A talk from both sides in a real browser: a customer on the chat page, and people of the team at the console."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import expect

from bot.memory.staff import Role
from tests.browser.axe import violations
from tests.browser.conftest import Kefu, OpenPage, SignIn
from tests.browser.desk_talk import EN, ZH, Words, answered, call_a_person, say, take
from tests.console_people import employ

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def _people(kefu: Kefu) -> None:
    employ(kefu.assistant.desk, "li", "小李")
    employ(kefu.assistant.desk, "mary", "Mary")
    employ(kefu.assistant.desk, "admin", "王敏", Role.ADMIN)


@pytest.mark.parametrize("words", [ZH, EN], ids=["zh", "en"])
def test_a_person_takes_a_talk_over_answers_and_returns_it(
    kefu: Kefu, open_page: OpenPage, sign_in: SignIn, words: Words
) -> None:
    agent = sign_in("li", locale=words.locale)
    customer = call_a_person(open_page, kefu, words)
    card = agent.locator(".talk-card.waits")
    expect(card).to_have_count(1)  # it came by itself
    take(agent, words)

    expect(customer.locator(".kefu-happened")).to_contain_text(words.joined)
    agent.locator("#reply textarea").fill(words.reply)
    agent.keyboard.press("Enter")
    expect(customer.locator(".kefu-human .kefu-bubble")).to_have_text(words.reply)
    expect(customer.locator(".kefu-human .kefu-name")).to_have_text("小李")
    expect(agent.locator("#reply textarea")).to_have_value("")
    expect(agent.locator(".said.person .bubble")).to_have_text(words.reply)

    say(customer, words.thanks)
    expect(agent.locator(".said.customer .bubble").last).to_have_text(words.thanks)
    answered(customer, 2)  # the bot kept quiet

    agent.get_by_role("button", name=words.back).click()
    expect(customer.locator(".kefu-happened").last).to_contain_text(words.answers_again)
    say(customer, words.question)
    answered(customer, 3)
    up = customer.locator("[data-rate='1']").last
    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")

    customer.reload()
    expect(customer.locator(".kefu-human .kefu-bubble")).to_have_text(words.reply)
    expect(customer.locator(".kefu-happened")).to_have_count(2)


def test_two_people_do_not_collide_over_one_talk(kefu: Kefu, open_page: OpenPage, sign_in: SignIn) -> None:
    first, second = sign_in("li"), sign_in("mary")
    call_a_person(open_page, kefu, EN)
    address = first.locator(".talk-card.waits h3 a").get_attribute("href")
    second.goto(f"{kefu.address}{address}")
    first.goto(f"{kefu.address}{address}")
    expect(second.get_by_role("button", name="Take over")).to_be_visible()
    second.route("**/events", lambda route: route.abort())  # she does not hear what happens now
    second.reload()
    first.get_by_role("button", name="Take over").click()
    expect(first.locator("#reply textarea")).to_be_focused()

    second.get_by_role("button", name="Take over").click()
    expect(second.locator("#toasts")).to_contain_text("A colleague has this talk")
    second.reload()
    expect(second.locator(".talk-head")).to_contain_text("小李 has it")
    expect(second.locator("#reply")).to_have_count(0)
    first.get_by_role("button", name="Back to the bot").click()
    expect(first.get_by_role("button", name="Take over")).to_be_visible()


def test_a_draft_survives_a_reload_and_an_input_methods_enter_sends_nothing(
    kefu: Kefu, open_page: OpenPage, sign_in: SignIn
) -> None:
    agent = sign_in("li", locale="zh-CN")
    call_a_person(open_page, kefu, ZH)
    take(agent, ZH)
    field = agent.locator("#reply textarea")
    field.press_sequentially("草稿")
    agent.reload()
    expect(field).to_have_value("草稿")
    field.evaluate(
        "area => area.dispatchEvent(new KeyboardEvent('keydown', "
        "{key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    expect(field).to_have_value("草稿")
    expect(agent.locator(".said.person")).to_have_count(0)
    agent.locator("[data-insert]").first.click()
    expect(field).to_have_value("草稿\n我的快递三天没动了，怎么办？")
    agent.get_by_text("结束", exact=True).first.click()
    agent.locator("#outcome").fill("已解决")
    agent.locator(".closing button").click()
    expect(agent.locator(".happened").last).to_contain_text("会话已结束")


def test_an_answer_becomes_a_candidate_by_one_click(kefu: Kefu, open_page: OpenPage, sign_in: SignIn) -> None:
    agent = sign_in("li", locale="zh-CN")
    call_a_person(open_page, kefu, ZH)
    take(agent, ZH)
    agent.locator("#reply textarea").fill("超过 72 小时没有更新，请点击催件。")
    agent.keyboard.press("Enter")
    agent.get_by_role("button", name="列为话术候选").click()
    expect(agent.locator(".said.person .tag.good")).to_contain_text("已列为候选")
    agent.reload()
    expect(agent.locator(".said.person .tag.good")).to_contain_text("已列为候选")
    agent.get_by_role("button", name="交还机器人").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("words", "size"), [(ZH, (390, 844)), (EN, (1360, 860))], ids=["phone-zh", "desktop-en"]
)
def test_axe_finds_nothing(
    kefu: Kefu,
    open_page: OpenPage,
    sign_in: SignIn,
    scheme: Literal["light", "dark"],
    words: Words,
    size: tuple[int, int],
) -> None:
    page = sign_in("admin", locale=words.locale, size=size)
    page.emulate_media(color_scheme=scheme)
    call_a_person(open_page, kefu, words)
    expect(page.locator(".talk-card.waits")).to_have_count(1)
    assert violations(page) == []
    take(page, words)
    expect(page.locator(".suggestion")).to_have_count(2)
    page.locator("#reply textarea").fill(words.reply)
    page.keyboard.press("Enter")
    expect(page.locator(".said.person")).to_have_count(1)
    page.locator(".why summary").first.click()
    assert violations(page) == []
    page.get_by_role("button", name=words.back).click()
    expect(page.locator("#reply")).to_have_count(0)
    for path in ("staff", "audit", "account"):
        page.goto(f"{kefu.address}/console/{path}")
        assert (path, violations(page)) == (path, [])
    page.context.clear_cookies()
    page.goto(f"{kefu.address}/console/login")
    assert violations(page) == []


def test_who_is_away_is_not_counted_on(kefu: Kefu, sign_in: SignIn) -> None:
    agent = sign_in("li")
    switch = agent.get_by_role("switch")
    expect(agent.locator(".faces")).to_contain_text("小李")
    assert kefu.assistant.desk.staffed()
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(agent.locator(".faces")).not_to_contain_text("小李")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")


@pytest.mark.parametrize("size", [(390, 844), (1360, 860)])
@pytest.mark.parametrize("path", ["/console", "/console/staff", "/console/audit", "/console/account"])
def test_each_page_fits_its_window_and_asks_no_other_host(
    kefu: Kefu, sign_in: SignIn, path: str, size: tuple[int, int]
) -> None:
    page = sign_in("admin", size=size)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{kefu.address}{path}")
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [url for url in asked if not url.startswith((kefu.address, "data:"))] == []
    assert complaints == []
