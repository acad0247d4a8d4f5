"""A talk that a customer has on the chat page, and a person of the team takes over at the console."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.browser.conftest import Kefu, OpenPage


@dataclass(frozen=True)
class Words:
    """What is said and shown in one language."""

    locale: str
    question: str
    person: str
    joined: str
    take: str
    reply: str
    thanks: str
    back: str
    answers_again: str


ZH = Words("zh-CN", "我的快递三天没动了，怎么办？", "转人工", "小李已接入", "接管", "您好，我是小李，马上为您查。", "好的谢谢", "交还机器人", "智能客服继续")  # fmt: skip
EN = Words("en-US", "can i return opened earphones", "Talk to a person", "小李 has joined", "Take over", "Hello, I will look it up now.", "thank you", "Back to the bot", "The assistant answers again")  # fmt: skip


def say(page: Page, text: str) -> None:
    page.locator("#kefu-composer textarea").fill(text)
    page.keyboard.press("Enter")


def answered(page: Page, count: int) -> None:
    expect(page.locator(".kefu-foot")).to_have_count(count)


def call_a_person(open_page: OpenPage, kefu: Kefu, words: Words) -> Page:
    page = open_page(kefu.address, locale=words.locale).page
    say(page, words.question)
    answered(page, 1)
    page.get_by_role("button", name=words.person).click()
    answered(page, 2)
    return page


def take(agent: Page, words: Words) -> None:
    agent.locator(".talk-card.waits").get_by_role("button", name=words.take).click()
    expect(agent.locator("#reply textarea")).to_be_focused()  # the page's script is here: Enter sends
