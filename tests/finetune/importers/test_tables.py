"""Tables are read with their columns in either language and any order; a bad row is named and costs itself only."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.errors import ImportFailed
from finetune.importers.reading import Message, Reading, Talk
from finetune.importers.tables import read_csv, table_talks
from tests.talk_files import write_gbk_csv


def _read(path: Path, text: str) -> tuple[list[Talk], Reading]:
    path.write_text(text, "utf-8")
    reading = Reading(path)
    return list(read_csv(reading)), reading


def _texts(talk: Talk) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in talk.messages]


def test_a_gbk_table_of_questions_and_answers(tmp_path: Path) -> None:
    reading = Reading(write_gbk_csv(tmp_path / "a.csv"))
    first, second, english = read_csv(reading)
    assert first.messages == (
        Message("customer", "运费多少"),
        Message("agent", "满 99 元包邮", rating=1, intent="postage"),
    )
    assert _texts(second)[0] == ("customer", "退货要多久\n我等了三天")
    assert (second.messages[1].rating, second.messages[1].rejected) == (-1, "不知道")
    assert (first.customer, english.customer) == ("c1", "c1")
    assert [(problem.place, problem.reason[:14]) for problem in reading.problems] == [
        ("a.csv:6", "the row has no"),
        ("a.csv:7", "rating not und"),
    ]


def test_a_message_a_row_becomes_talks_in_order_of_time(tmp_path: Path) -> None:
    talks, reading = _read(
        tmp_path / "a.csv",
        "Conversation ID;Sender;Message;Created At\n"
        "1;agent;second;2026-11-03 10:01\n"
        "2;客户;你好;2026-11-03 09:00\n"
        "1;customer;first;2026-11-03 10:00\n"
        "2;机器人;您好;2026-11-03 09:01\n"
        ";客服;continued;2026-11-03 09:02\n",
    )
    assert [_texts(talk) for talk in talks] == [
        [("customer", "first"), ("agent", "second")],
        [("customer", "你好"), ("bot", "您好"), ("agent", "continued")],
    ]
    assert reading.problems == []


def test_without_ids_a_table_of_messages_is_one_talk_or_one_a_customer(tmp_path: Path) -> None:
    (talk,), _ = _read(tmp_path / "a.csv", "角色\t内容\n客户\t退货\n客服\t好\n")
    assert len(talk.messages) == 2
    talks, _ = _read(tmp_path / "b.csv", "用户ID,角色,内容\na,客户,退货\na,客服,好\nb,客户,换货\nb,客服,行\n")
    assert [talk.customer for talk in talks] == ["a", "b"]


def test_traditional_headers_and_titles_above_are_understood(tmp_path: Path) -> None:
    (talk,), _ = _read(tmp_path / "a.csv", "\n2026 匯出\n問題,答案,對話ID\n怎麼退貨,七天內,9\n")
    assert _texts(talk) == [("customer", "怎麼退貨"), ("agent", "七天內")]


def test_times_that_are_not_understood_cost_the_time_only(tmp_path: Path) -> None:
    (talk,), reading = _read(tmp_path / "a.csv", "问题,答案,时间\n退货,好,03/04/2026\n")
    assert talk.messages[0].at is None
    assert "two different days" in reading.problems[0].reason


def test_a_quote_without_end_costs_its_row_only(tmp_path: Path) -> None:
    talks, reading = _read(tmp_path / "a.csv", '问题,答案\n一,甲\n二,"乙\n三,丙\n"四"x,丁\n五,戊\n')
    assert [talk.messages[0].text for talk in talks] == ["一", "三", "五"]
    assert [problem.place for problem in reading.problems] == ["a.csv:3", "a.csv:5"]


def test_rows_that_belong_to_nothing_or_nobody_are_named(tmp_path: Path) -> None:
    talks, reading = _read(
        tmp_path / "a.csv", "会话ID,角色,内容\n,客户,谁\n1,火星人,x\n1,客户,退货\n1,客服,好\n"
    )
    assert len(talks) == 1
    assert [problem.place for problem in reading.problems] == ["a.csv:2", "a.csv:3"]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "问题\n退货\n", "\n,\n x\n"])
def test_a_table_without_named_columns_says_what_it_needs(tmp_path: Path, text: str) -> None:
    with pytest.raises(ImportFailed, match="问题 and 答案"):
        _read(tmp_path / "a.csv", text)


def test_a_file_of_nothing_but_broken_rows_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="broken rows"):
        _read(tmp_path / "a.csv", "问题,答案\n" + '"a"b\n' * 2000)


_cells = (
    st.none()
    | st.text(max_size=8)
    | st.sampled_from(["问题", "答案", "角色", "内容", "客户", "客服", "时间", "评分", "5"])
)


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(st.lists(_cells, max_size=5), max_size=8))
def test_any_table_is_read_or_refused_in_words(rows: list[list[str | None]]) -> None:
    reading = Reading(Path("a.csv"))
    reading.__dict__["digest"] = "0"
    numbered = [(f"a:{number}", row) for number, row in enumerate(rows, start=1)]
    try:
        talks = list(table_talks(reading, numbered, "a"))
    except ImportFailed:
        return
    assert all(talk.messages for talk in talks)
