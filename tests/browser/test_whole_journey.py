"""The product's whole circle in a browser, on real search, real intents and a real log: from a question to the export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot.factory import Kefu
from finetune.curation.export import export
from tests.browser.conftest import enter_console
from tests.console_people import admit
from tests.console_shop import open_kefu
from tests.web_server import built, serving
from tests.widget_site import Visit, new_context, visit

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Words:
    """What is said and shown in one language."""

    locale: str
    vague: str
    option: str
    answer: str
    take: str
    asks_person: str
    reply: str
    back: str
    question: str


ZH = Words("zh-CN", "运费 破损", "运费", "满 99 元包邮。", "接管", "新疆也包邮吗？", "您好，偏远地区满 199 元包邮。", "交还机器人", "包裹破损了")  # fmt: skip
EN = Words("en-US", "order delivery", "Track an order", "Which order number?", "Take over", "Where is KF-1 now?", "It is KF-1, on its way.", "Back to the bot", "box crushed")  # fmt: skip


@dataclass
class Shop:
    """A site of its own origin, and the Kefu that it embeds."""

    address: str = ""
    kefu_address: str = ""
    kefu: Kefu = field(init=False)

    def page(self, request: Request) -> Response:
        """A page of the site with the widget on it, in the browser's language."""
        del request
        tag = f'<script src="{self.kefu_address}/widget.js" data-lang="auto"></script>'
        return HTMLResponse(
            f"<!doctype html><html><head><title>A shop</title></head><body>{tag}</body></html>"
        )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop()
    with (
        serving(Starlette(routes=[Route("/", shop.page)])) as shop.address,
        open_kefu(tmp_path_factory.mktemp("shop"), allowed_sites=(shop.address,)) as shop.kefu,
    ):
        app = built(shop.kefu.manager, shop.kefu.settings, shop.kefu)
        admit(app, shop.kefu.desk)
        with serving(app) as shop.kefu_address:
            yield shop


def console(browser: Browser, shop: Shop, locale: str) -> Page:
    page = new_context(browser, locale, (1360, 860), "light").new_page()
    enter_console(page, shop.kefu_address, "li")
    return page


def asks_until_a_person_comes(customer: Visit, words: Words) -> None:
    customer.launcher.click()
    customer.say(words.vague)
    expect(customer.answers).to_have_count(1)
    customer.page.locator(".clarify").get_by_role("button", name=words.option, exact=True).click()
    expect(customer.answers).to_have_count(2)
    expect(customer.answers.last).to_contain_text(words.answer)
    customer.page.locator(".call").click()


def rated(shop: Shop, question: str) -> bool:
    return any(each.rating for each in shop.kefu.store.logged() if each.turn.question == question)


@pytest.mark.parametrize("words", [ZH, EN], ids=["zh", "en"])
def test_from_a_vague_question_to_a_person_and_into_the_training_data(
    browser: Browser, shop: Shop, words: Words, tmp_path_factory: pytest.TempPathFactory
) -> None:
    agent = console(browser, shop, words.locale)
    context = new_context(browser, words.locale, (390, 844), "light")
    customer = visit(shop.address, context)
    asks_until_a_person_comes(customer, words)

    agent.locator(".talk-card.waits").get_by_role("button", name=words.take).click()
    expect(agent.locator("#reply textarea")).to_be_focused()
    expect(customer.page.locator(".notice").last).to_contain_text("小李")
    customer.say(words.asks_person)
    expect(agent.locator(".said.customer .bubble").last).to_have_text(words.asks_person)
    agent.locator("#reply textarea").fill(words.reply)
    agent.keyboard.press("Enter")
    expect(customer.said("person")).to_contain_text(words.reply)
    agent.get_by_role("button", name=words.back).click()
    expect(agent.locator("#reply")).to_have_count(0)

    before = customer.answers.count()
    customer.say(words.question)
    expect(customer.answers).to_have_count(before + 1)
    up = customer.answers.last.locator(".thumb[data-rating='1']")
    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")

    while not rated(shop, words.question):  # the thumb is drawn before the server has it
        customer.page.wait_for_timeout(50)
    report = export(shop.kefu.store, tmp_path_factory.mktemp("export") / "talks.jsonl", rating=1)
    talks = [json.loads(line) for line in report.path.read_text("utf-8").splitlines()]
    told = [message["content"] for talk in talks for message in talk["messages"]]
    assert words.question in told
    assert told[told.index(words.asks_person) + 1] == words.reply
    assert [url for url in customer.requests if not url.startswith((shop.address, shop.kefu_address))] == []
    assert customer.complaints == []
    for opened in (agent.context, context):
        opened.close()
