"""A customer's turn in a real browser, in Chinese and in English."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Kefu, OpenPage, ask, wait_for_answers

pytestmark = pytest.mark.browser

ZH = "我的快递三天没动了，怎么办？"
EN = "can i return opened earphones"


@pytest.mark.parametrize(
    ("locale", "question", "greeting", "first_words", "labels"),
    [
        ("zh-CN", ZH, "您好", "包裹超过", ("新对话", "转人工", "AI 生成", "参考来源", "有帮助")),
        (
            "zh-TW",
            "我的快遞三天沒動了，怎麼辦？",
            "您好",
            "包裹超過",
            ("新對話", "轉人工", "AI 生成", "參考來源", "有幫助"),
        ),
        (
            "en-US",
            EN,
            "Hello",
            "Opened earphones",
            ("New chat", "Talk to a person", "AI-generated", "Sources", "Helpful"),
        ),
        (
            "fr-FR",
            EN,
            "Hello",
            "Opened earphones",
            ("New chat", "Talk to a person", "AI-generated", "Sources", "Helpful"),
        ),
    ],
)
def test_a_customer_asks_and_reads_the_answer_in_their_language(
    kefu: Kefu,
    open_page: OpenPage,
    *,
    locale: str,
    question: str,
    greeting: str,
    first_words: str,
    labels: tuple[str, ...],
) -> None:
    watched = open_page(kefu.address, locale=locale)
    page = watched.page
    new_chat, person, ai_label, sources, helpful = labels
    expect(page.locator(".kefu-assistant").first).to_contain_text(greeting)
    expect(page.locator(".kefu-options button")).to_have_count(4)
    expect(page.locator("textarea")).to_be_focused()
    expect(page.get_by_role("button", name=new_chat)).to_be_visible()
    expect(page.get_by_role("button", name=person)).to_be_visible()

    ask(page, question)
    expect(page.locator(".kefu-customer .kefu-bubble")).to_have_text(question)
    expect(page.locator("textarea")).to_have_value("")
    wait_for_answers(page, 1)

    answer = page.locator(".kefu-assistant").last
    expect(answer.locator(".kefu-bubble")).to_contain_text(first_words)
    expect(answer.locator(".kefu-bubble strong").first).to_be_visible()
    expect(answer).to_contain_text(ai_label)
    expect(answer).to_contain_text(sources)
    expect(answer.locator(".kefu-sources a")).to_have_count(2)
    expect(answer.get_by_role("button", name=helpful, exact=True)).to_be_visible()
    expect(answer).to_have_attribute("aria-busy", "false")
    assert watched.complaints == []
    outside = [
        url for url in watched.requests if urlsplit(url).netloc not in {"", urlsplit(kefu.address).netloc}
    ]
    assert [url for url in outside if not url.startswith(("data:", "blob:"))] == []


def test_the_answer_streams(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address).page
    page.evaluate(
        """() => { window.lengths = new Set(); new MutationObserver(() => {
            const bubbles = document.querySelectorAll('.kefu-assistant .kefu-bubble');
            window.lengths.add(bubbles[bubbles.length - 1].textContent.length);
        }).observe(document.getElementById('kefu-log'), {childList: true, subtree: true, characterData: true}); }"""
    )
    ask(page, EN)
    wait_for_answers(page, 1)
    assert page.evaluate("window.lengths.size") > 5


def test_a_source_opens_the_article_in_a_new_tab_with_a_way_back(kefu: Kefu, open_page: OpenPage) -> None:
    watched = open_page(kefu.address, locale="zh-CN")
    ask(watched.page, ZH)
    wait_for_answers(watched.page, 1)
    with watched.context.expect_page() as opened:
        watched.page.locator(".kefu-sources a").first.click()
    article = opened.value
    expect(article.get_by_role("heading", level=1)).to_have_text("快递长时间没有更新怎么办")
    expect(article.locator("table td").first).to_have_text("省内")
    article.get_by_role("link", name="返回对话").click()
    expect(article.locator(".kefu-customer")).to_have_count(1)


def test_a_quick_reply_and_talk_to_a_person_send_their_text(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address, locale="zh-CN").page
    page.get_by_role("button", name="怎么开发票？").click()
    wait_for_answers(page, 1)
    page.get_by_role("button", name="催一下快递").click()
    wait_for_answers(page, 2)
    page.get_by_role("button", name="转人工").click()
    wait_for_answers(page, 3)
    expect(page.locator(".kefu-customer .kefu-bubble")).to_have_text(
        ["怎么开发票？", "帮我催一下快递", "转人工"]
    )
    expect(page.locator(".kefu-options:visible")).to_have_count(1)


def test_a_person_is_offered_when_the_reply_says_so(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address).page
    ask(page, "nobody knows")
    wait_for_answers(page, 1)
    page.locator(".kefu-offer").click()
    wait_for_answers(page, 2)
    expect(page.locator(".kefu-customer .kefu-bubble").last).to_have_text("Talk to a person")
    expect(page.locator(".kefu-offer:visible")).to_have_count(0)


def test_history_survives_a_reload_and_a_new_chat_starts_afresh(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address).page
    ask(page, EN)
    wait_for_answers(page, 1)
    page.reload()
    expect(page.locator(".kefu-customer .kefu-bubble")).to_have_text(EN)
    wait_for_answers(page, 1)
    ask(page, "and how long does the refund take")
    wait_for_answers(page, 2)
    page.get_by_role("button", name="New chat").click()
    expect(page.locator(".kefu-customer")).to_have_count(0)
    expect(page.locator(".kefu-options button")).to_have_count(4)
    page.reload()
    expect(page.locator(".kefu-options button")).to_have_count(4)
    expect(page.locator(".kefu-customer")).to_have_count(0)


def test_another_visitor_with_the_same_conversation_id_reads_nothing(kefu: Kefu, open_page: OpenPage) -> None:
    victim = open_page(kefu.address)
    ask(victim.page, "my secret question")
    wait_for_answers(victim.page, 1)
    stored = victim.page.evaluate("localStorage.getItem('kefu')")
    thief = open_page(kefu.address).page
    thief.evaluate("stored => localStorage.setItem('kefu', stored)", stored)
    thief.reload()
    expect(thief.locator(".kefu-options button")).to_have_count(4)
    expect(thief.locator(".kefu-customer")).to_have_count(0)


def test_a_second_message_can_be_sent_while_an_answer_streams(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address).page
    ask(page, EN)
    expect(page.locator(".kefu-assistant[aria-busy=true]")).to_have_count(1)
    ask(page, "我的快递呢")
    wait_for_answers(page, 2)
    answers = page.locator(".kefu-assistant .kefu-bubble")
    expect(answers.nth(1)).to_contain_text("The refund arrives")
    expect(answers.nth(2)).to_contain_text("节假日")


def test_labels_follow_the_language_of_the_reply(kefu: Kefu, open_page: OpenPage) -> None:
    page = open_page(kefu.address, locale="en-US").page
    ask(page, ZH)
    wait_for_answers(page, 1)
    answer = page.locator(".kefu-assistant").last
    expect(answer).to_have_attribute("lang", "zh")
    expect(answer).to_contain_text("AI 生成")
    expect(page.get_by_role("button", name="New chat")).to_be_visible()
