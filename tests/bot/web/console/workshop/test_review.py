"""The review queue, what was not answered, and the check: what people decide is kept, and nothing asks twice."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from bot.conversation import Reply
from bot.factory import Kefu
from bot.golden import load_golden
from tests.bot.web.console.conftest import Person
from tests.small_shop import ANNA, say

Someone = Callable[..., Person]


@pytest.fixture(scope="module", autouse=True)
def asked(kefu: Kefu) -> list[Reply]:
    replies = [
        *say(kefu.manager, "运费多少"),
        *say(kefu.manager, "写一首诗"),
        *say(kefu.manager, "how about student discount"),
    ]
    kefu.manager.rate(replies[0].conversation_id, replies[0].turn_id, -1, "价格不对", visitor=ANNA)
    return replies


def test_what_is_worth_a_look_is_listed_with_its_reason(someone: Someone) -> None:
    page = someone("mary", language="zh").get("/console/review").text
    assert "运费多少" in page
    assert "价格不对" in page
    assert page.index("运费多少") < page.index("写一首诗")
    assert "运费多少" not in someone("mary").get("/console/review?kind=no_answer").text
    assert someone("li").get("/console/review").status_code == 403


def test_a_turn_is_settled_once_by_each_decision(someone: Someone, kefu: Kefu, asked: list[Reply]) -> None:
    mary = someone("mary")
    voted, zh, en = (reply.turn_id for reply in asked)
    assert mary.send_form(f"/console/review/{voted}/accept").status_code == 200
    rating = kefu.store.rating(voted)
    assert rating is not None
    assert (rating.value, rating.reason) == (1, "review: Mary")
    mary.send_form(f"/console/review/{zh}/correct", answer="学生凭证件打 9 折，电话 13812345678。")
    (corrected,) = [each for each in kefu.store.logged() if each.turn.id == zh]
    assert corrected.correction is not None
    assert corrected.correction.author == "Mary"
    assert "13812345678" not in corrected.correction.text
    mary.send_form(f"/console/review/{en}/reject")
    page = mary.get("/console/review").text
    assert "data-item" not in page
    assert "3 reviewed in the last hour" in page
    figures = mary.get("/console/overview/figures.csv").text
    assert "rated_up,0,1" in figures  # a reviewer's vote is none of a customer's


def test_a_turn_becomes_a_golden_question_in_the_knowledge_base(
    someone: Someone, kefu: Kefu, asked: list[Reply]
) -> None:
    mary = someone("mary")
    assert "written to golden.jsonl" in mary.send_form(f"/console/review/{asked[0].turn_id}/golden").text
    (golden,) = load_golden(kefu.settings.knowledge_base)
    assert (golden.question, golden.kind, golden.intents) == ("运费多少", "answer", {"postage"})
    assert "already" in mary.send_form(f"/console/review/{asked[0].turn_id}/golden").text


def test_a_turn_that_is_not_there_and_an_empty_correction_are_refused(
    someone: Someone, asked: list[Reply]
) -> None:
    mary = someone("mary")
    assert mary.send_form("/console/review/nothing/accept").status_code == 404
    assert mary.send_form(f"/console/review/{asked[0].turn_id}/correct", answer=" ").status_code == 409


def waited(person: Person, path: str, piece: str) -> str:
    page = person.get(path).text
    for _ in range(200):
        again = re.search(rf'hx-get="({piece}[^"]*)"', page)
        if again is None:
            return page
        time.sleep(0.05)
        page = person.get(again[1]).text
    pytest.fail(f"{path} does not end")


def test_what_was_not_answered_is_gathered_accepted_and_taken_back(someone: Someone, kefu: Kefu) -> None:
    mary, base = someone("mary"), "/console/knowledge/unanswered"
    page = waited(mary, base, f"{base}/list/")
    gaps = re.findall(rf'href="{base}/(\d+)"', page)
    assert gaps
    assert "Gathered just now." in page
    look = mary.get(f"{base}/{gaps[0]}?way=article").text
    drafts = re.findall(r'name="draft\.([^"]+)"', look)
    assert drafts
    unfinished = mary.send_form(
        f"{base}/{gaps[0]}/accept",
        way="article",
        **{f"draft.{drafts[0]}": "---\nid: student\ntitle: x\nlanguage: zh\n---\nTODO: write"},
    )
    assert unfinished.status_code == 409
    assert "TODO: write" in unfinished.text
    text = "---\nid: student\ntitle: 学生优惠\nlanguage: zh\n---\n学生凭证件打 9 折。\n"
    done = mary.send_form(f"{base}/{gaps[0]}/accept", way="article", **{f"draft.{drafts[0]}": text})
    assert done.status_code == 303, done.text
    assert (kefu.settings.knowledge_base / "articles/zh/student.md").read_text("utf-8") == text
    assert "articles/zh/student.md" in mary.get("/console/knowledge/history").text
    if len(gaps) > 1:
        assert mary.send_form(f"{base}/{gaps[1]}/dismiss", reason="不做").status_code == 303
        assert "不做" in mary.get(f"{base}/{gaps[1]}").text
        assert mary.send_form(f"{base}/{gaps[1]}/reopen").status_code == 303
    record = someone("admin").get("/console/audit").text
    assert "accepted a gap" in record


def test_the_check_runs_beside_the_page_and_leads_to_each_place(someone: Someone) -> None:
    mary, path = someone("mary"), "/console/knowledge/check"
    assert mary.send_form(path).status_code == 303
    page = waited(mary, path, f"{path}/part")
    assert "Expired" in page
    assert "Ended on 2026-03-01" in page
    assert 'href="/console/knowledge/articles/spring"' in page
    chinese = someone("mary", language="zh").get(path).text
    assert "2026-03-01 到期" in chinese
    assert "更新正文和 `valid_until`，或删掉它。" in chinese
    assert "Ended on" not in chinese
