"""What an open page hears of people of the team: the number of the last event, in its visitor's own conversation alone."""

from __future__ import annotations

import threading

import httpx
import pytest

from bot.conversation import Language
from bot.web.page_events import PATH
from bot.web.visitors import visitor_of
from tests.desk_staff import LI
from tests.fake_assistant import FakeAssistant


def test_a_page_hears_the_number_of_each_event(address: str, assistant: FakeAssistant) -> None:
    with httpx.Client(base_url=address, timeout=10) as browser:
        browser.get("/")
        visitor = visitor_of(dict(browser.cookies))
        assert visitor is not None
        talk = assistant.open_conversation(visitor, channel="page")
        assistant.desk.take(talk, LI, language=Language.ZH)
        joined = assistant.desk.events(talk)[-1].number
        later = threading.Timer(0.2, assistant.desk.reply, (talk, LI, "您好"))
        with browser.stream("GET", PATH, params={"conversation": talk}) as answer:
            numbers = (line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data"))
            assert int(next(numbers)) == joined
            later.start()
            assert int(next(numbers)) == joined + 1
            assert "您好" not in answer.request.url.query.decode()


@pytest.mark.parametrize("cookie", [True, False])
def test_nobody_else_hears_anything(address: str, assistant: FakeAssistant, cookie: bool) -> None:
    with httpx.Client(base_url=address, timeout=10) as owner, httpx.Client(base_url=address) as other:
        owner.get("/")
        visitor = visitor_of(dict(owner.cookies))
        assert visitor is not None
        for channel in ("page", "widget"):
            talk = assistant.open_conversation(visitor, channel=channel)
            if cookie:
                other.get("/")
            assert other.get(PATH, params={"conversation": talk}).status_code == 404
