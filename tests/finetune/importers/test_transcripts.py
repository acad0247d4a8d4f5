"""Transcripts as people keep them: times before, behind or nowhere, lines that go on, several talks in a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune.errors import ImportFailed
from finetune.importers.reading import Reading, Talk
from finetune.importers.transcripts import looks_like_transcript, read_transcript
from tests.talk_files import TRANSCRIPT_EN, TRANSCRIPT_ZH


def _read(path: Path, text: str) -> tuple[list[Talk], Reading]:
    path.write_text(text, "utf-8")
    reading = Reading(path)
    return list(read_transcript(reading)), reading


def _texts(talk: Talk) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in talk.messages]


def test_a_chinese_transcript_with_times_and_titled_rules(tmp_path: Path) -> None:
    (first, second), reading = _read(tmp_path / "a.txt", TRANSCRIPT_ZH)
    assert _texts(first)[2] == (
        "agent",
        "您好，我是小美。请先试这几步：\n1. 放回充电盒 10 秒\n注意：盒子要有电",
    )
    assert [role for role, _ in _texts(first)] == [
        "customer",
        "customer",
        "agent",
        "customer",
        "agent",
        "system",
    ]
    assert first.messages[0].at == datetime.fromisoformat("2026-11-03T10:02:11+00:00")
    assert (first.customer, second.customer) == ("tb1234", "tb9")
    assert (first.key.endswith(":8801"), second.key.endswith(":8802")) == (True, True)
    assert "小美" in first.people
    assert reading.problems == []


def test_an_english_transcript_with_clocks_and_blank_lines(tmp_path: Path) -> None:
    (first, second), _ = _read(tmp_path / "a.txt", TRANSCRIPT_EN)
    assert _texts(first) == [
        ("customer", "can I return opened earphones"),
        ("agent", "Only if they are faulty.\nThey must be complete."),
        ("customer", "ok and who pays the postage?"),
        ("agent", "We do."),
    ]
    assert _texts(second)[0] == ("customer", "do you ship to 香港")
    assert first.messages[0].at is None  # a clock alone is no moment


def test_names_and_times_on_a_line_of_their_own(tmp_path: Path) -> None:
    (talk,), _ = _read(
        tmp_path / "a.txt",
        "tb8823 2026-11-03 10:02:11\n你好\n怎么退货\n\n客服小美 2026-11-03 10:03:00\n在订单里申请\n\ntb8823 2026-11-03 10:04:00\nok\n\n客服小美 2026-11-03 10:05:00\n好\n",
    )
    assert _texts(talk) == [
        ("customer", "你好\n怎么退货"),
        ("agent", "在订单里申请"),
        ("customer", "ok"),
        ("agent", "好"),
    ]
    assert talk.customer == "tb8823"


def test_a_day_on_a_line_of_its_own_dates_the_clocks_below(tmp_path: Path) -> None:
    (talk,), _ = _read(tmp_path / "a.txt", "[2026-11-03]\n[10:02] 买家：在吗\n[10:03] 卖家：在\n")
    assert talk.messages[1].at == datetime.fromisoformat("2026-11-03T10:03:00+00:00")


def test_empty_lines_between_messages_do_not_part_a_talk(tmp_path: Path) -> None:
    (talk,), _ = _read(tmp_path / "a.txt", "客户：能退吗\n\n客服：能\n\n客户：多久\n\n客服：七天\n")
    assert len(talk.messages) == 4


def test_a_paragraph_goes_on_with_the_message_above(tmp_path: Path) -> None:
    talks, _ = _read(
        tmp_path / "a.txt", "客户：能退吗\n客服：能\n\n请保留包装\n\n客户：運費呢\n客服：我们出\n"
    )
    assert [_texts(talk)[1] for talk in talks] == [("agent", "能\n请保留包装"), ("agent", "我们出")]


@pytest.mark.parametrize(
    "rule",
    [
        "===",
        "---",
        "——————",
        "***",
        "会话ID：1024",
        "Conversation #1024",
        "對話編號：9".replace("編號", "编号"),
    ],
)
def test_rules_and_titles_part_talks(tmp_path: Path, rule: str) -> None:
    talks, _ = _read(
        tmp_path / "a.txt", f"客户：能退吗\n\n客服：能\n{rule}\nCustomer: postage?\n\nAgent: free\n"
    )
    assert [len(talk.messages) for talk in talks] == [2, 2]


def test_of_two_people_the_unknown_one_is_the_other_side(tmp_path: Path) -> None:
    (talk,), _ = _read(
        tmp_path / "a.txt",
        "2026-11-03 10:00 小王: 在吗\n2026-11-03 10:01 客服: 在\n2026-11-03 10:02 小王: 退货\n",
    )
    assert [role for role, _ in _texts(talk)] == ["customer", "agent", "customer"]
    assert talk.customer == "小王"


def test_a_third_unknown_one_and_lines_of_nobody_are_named(tmp_path: Path) -> None:
    (talk,), reading = _read(
        tmp_path / "a.txt",
        "exported today\n2026-11-03 10:00 客户: 在吗\n2026-11-03 10:01 客服: 在\n2026-11-03 10:02 老王: 我也问\n2026-13-03 10:03 客户: 好\n",
    )
    assert len(talk.messages) == 3
    assert [problem.place for problem in reading.problems] == ["a.txt:1", "a.txt:4", "a.txt:5"]


def test_what_names_nobody_is_no_transcript(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="no transcript"):
        _read(tmp_path / "a.txt", "注意：盒子要有电\nNote: keep it dry\n")
    assert not looks_like_transcript("dear diary")
    assert looks_like_transcript("买家：在吗\n")


_lines = st.lists(
    st.sampled_from(["客户：能退吗", "客服：能", "", "===", "注意：x", "2026-11-03 10:00 客户: 在", "[10:00] Agent: yes", "2026-11-03", "line", "小王: q", "Conversation 7"])
    | st.text(max_size=15)
)  # fmt: skip


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=_lines)
def test_any_text_is_read_or_refused_in_words(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n".join(lines), "utf-8")
    try:
        talks = list(read_transcript(Reading(path)))
    except ImportFailed:
        return
    assert all(talk.messages for talk in talks)


def test_a_sentence_that_ends_with_a_time_is_no_head_of_a_message(tmp_path: Path) -> None:
    (talk,), _ = _read(
        tmp_path / "a.txt",
        "客户 2026-11-03 10:00\n什么时候送\n客服 2026-11-03 10:01\n我们会送到，请等到\n明天 2026-11-04 10:00\n谢谢\n",
    )
    assert _texts(talk)[1] == ("agent", "我们会送到，请等到\n明天 2026-11-04 10:00\n谢谢")
