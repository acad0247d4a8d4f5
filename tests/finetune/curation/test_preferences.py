"""Preferences come from corrections and from votes on answers to one question, in both languages."""

from __future__ import annotations

import json
from dataclasses import replace

from finetune.curation.formats import Format, file_parts, lines_of
from finetune.curation.preferences import judged_answers, preference_pairs, prompt_of
from tests.example_talks import talk


def test_a_correction_is_a_pair_with_the_talk_before_it() -> None:
    conversation = talk("a", ("你好", "您好"), ("能退吗", "七天内可以"))
    greeting, question = conversation.exchanges
    corrected = replace(conversation, exchanges=(greeting, replace(question, rejected="不能")))
    (row,) = preference_pairs([corrected])
    assert row["prompt"] == [
        {"role": "user", "content": "你好"},
        {"role": "assistant", "content": "您好"},
        {"role": "user", "content": "能退吗"},
    ]
    assert row["chosen"] == [{"role": "assistant", "content": "七天内可以"}]
    assert row["rejected"] == [{"role": "assistant", "content": "不能"}]
    assert row["metadata"]["origin"] == "correction"


def test_votes_on_one_question_pair_across_conversations_and_languages_apart() -> None:
    talks = [
        talk("up", ("How do I return it?", "Within 7 days."), rating=1),
        talk("down", ("how do i return it", "No idea."), rating=-1),
        talk("zh", ("怎么退货", "不知道"), rating=-1),
        talk("same", ("how do I return it!", "Within 7 days."), rating=-1),
    ]
    (row,) = preference_pairs(talks)
    assert (row["chosen"][0]["content"], row["rejected"][0]["content"]) == ("Within 7 days.", "No idea.")
    assert (row["metadata"]["origin"], row["metadata"]["turn_id"]) == ("votes", "up-1")


def test_a_follow_up_is_another_question_after_another_question() -> None:
    talks = [
        talk("up", ("怎么退货", "这样"), ("那运费呢", "我们出"), rating=1),
        talk("down", ("怎么换货", "那样"), ("那运费呢", "你出"), rating=-1),
    ]
    assert list(preference_pairs(talks)) == []


def test_a_correction_that_changes_nothing_prefers_nothing() -> None:
    assert list(preference_pairs([talk("a", ("能退吗", "能"), rejected="能")])) == []


def test_only_what_people_judged_is_labelled() -> None:
    assert [(row["completion"][0]["content"], row["label"]) for c in (
        talk("a", ("q", "good"), rating=1),
        talk("b", ("q", "bad"), rating=-1),
        talk("c", ("q", "plain")),
        talk("d", ("q", "better"), rejected="worse", rating=-1),
        talk("e", ("q", "context"), rating=1, selected=False),
    ) for row in judged_answers(c)] == [("good", True), ("bad", False), ("better", True), ("worse", False)]  # fmt: skip


def test_a_prompt_ends_with_the_question() -> None:
    conversation = talk("a", ("一", "甲"), ("二", "乙"))
    assert prompt_of(conversation, 1)[-1] == {"role": "user", "content": "二"}
    assert len(prompt_of(conversation, 0)) == 1


def test_prompt_and_completion_are_a_row_a_selected_turn() -> None:
    conversation = talk("a", ("一", "甲"), ("二", "乙"), intent="i")
    rows = [json.loads(line) for line in lines_of("prompt-completion", conversation)]
    assert [row["completion"][0]["content"] for row in rows] == ["甲", "乙"]
    assert (rows[1]["metadata"]["intent"], rows[1]["metadata"]["source"]) == ("i", "csv")


def test_a_file_of_pairs_looks_across_conversations_and_a_line_at_one() -> None:
    kinds: tuple[Format, ...] = ("dpo", "kto")
    talks = [talk("up", ("怎么退货", "可以"), rating=1), talk("down", ("怎么退货", "不行"), rating=-1)]
    assert [len("".join(file_parts(kind, talks)).splitlines()) for kind in kinds] == [1, 2]
    assert list(lines_of("dpo", talks[0])) == []
