"""What is told of a draft without a person."""

from __future__ import annotations

import pytest

from bot.answering.prompt import PromptPassage
from bot.conversation import Language
from bot.errors import GenerationError
from finetune.evaluation.judging import Draft, judge, model_writer
from finetune.examples.example import Example
from tests.fakes import ScriptedGenerator

PASSAGES = (
    PromptPassage(1, "宠物", "每间房可以带一只小狗，另收 50 元清洁费。"),
    PromptPassage(2, "停车", "住店客人免费停车，每间房限停一辆。"),
)
ANSWERED = Example("a", Language.ZH, PASSAGES, (), "停车要钱吗", 2, "住店客人免费停车，每间房限停一辆。")
OPEN = Example("o", Language.ZH, PASSAGES, (), "有充电桩吗", 0, "")


def test_a_good_answer_is_good_in_every_way() -> None:
    found = judge(ANSWERED, Draft("住店客人免费停车，每间房限停一辆。", 2))
    assert (found.supported, found.numbers_exact, found.right_passage, found.similarity) == (
        1.0,
        True,
        True,
        1.0,
    )
    assert (found.right_refusal, found.false_refusal, found.right_language) == (None, False, True)


@pytest.mark.parametrize(
    ("text", "supported", "exact"),
    [
        ("住店客人停车每小时 10 元。", 0.0, False),
        ("住店客人免费停车，每间房限停一辆。外面的车每小时 10 元。", 0.5, False),
        ("Guests park for free.", 0.0, True),
    ],
)
def test_an_invention_is_seen(text: str, supported: float, exact: bool) -> None:
    found = judge(ANSWERED, Draft(text, 2))
    assert found.supported == supported
    assert found.numbers_exact is exact


def test_the_wrong_passage_and_the_wrong_language_are_seen() -> None:
    found = judge(ANSWERED, Draft("One dog per room.", 1))
    assert found.right_passage is False
    assert found.right_language is False


def test_declining_is_right_where_nothing_answers_and_wrong_elsewhere() -> None:
    assert judge(OPEN, Draft("", 0)).right_refusal is True
    assert judge(OPEN, Draft("每间房可以带一只小狗。", 1)).right_refusal is False
    refused = judge(ANSWERED, Draft("", 0))
    assert (refused.false_refusal, refused.similarity, refused.supported) == (True, 0.0, None)


def test_a_model_is_asked_as_it_is_when_serving_and_its_number_is_read_off() -> None:
    model = ScriptedGenerator("[2] 住店客人免费停车。", "[0]", GenerationError("began to repeat itself"))
    write = model_writer(model)
    assert (write(ANSWERED).source, write(OPEN).declined) == (2, True)
    failed = write(ANSWERED)
    assert failed.failure == "began to repeat itself"
    assert judge(ANSWERED, failed).repeats
    assert "停车要钱吗" in model.prompts[0].variable
