"""What an encoder is tuned on: enough examples, a fifth of which nobody learns from, in each language."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.settings import Settings
from bot.understanding.corrections import IntentCorrection
from bot.understanding.intents import KNOWLEDGE, OUT_OF_SCOPE, TrainingSet
from bot.understanding.language import detect
from finetune.encoder_plan import plan_tuning, split_off
from finetune.errors import TrainingError
from finetune.training.encoder_training import EncoderSettings
from finetune.training.intent_training import write_corrections
from tests.encoder_shop import serving, write_encoder_shop
from tests.tuned_shop import GOLDEN, write_golden

QUESTIONS = [(f"退货 {n} 怎么办", "return") for n in range(10)] + [
    (f"invoice {word} please", "invoice") for word in "abcdefghij"
]
EXAMPLES = TrainingSet(tuple(text for text, _ in QUESTIONS), tuple(label for _, label in QUESTIONS))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_encoder_shop(tmp_path)


def test_a_fifth_of_each_class_in_each_language_is_held_out_the_same_for_the_same_seed() -> None:
    seen, held = split_off(EXAMPLES, seed=1)
    assert sorted((*seen.texts, *held.texts)) == sorted(EXAMPLES.texts)
    assert sorted(held.labels) == ["invoice", "invoice", "return", "return"]
    assert {detect(text).language.content.value for text in held.texts} == {"zh", "en"}
    assert (seen, held) == split_off(EXAMPLES, seed=1)
    assert held != split_off(EXAMPLES, seed=2)[1]


def test_what_is_held_out_stays_so_when_another_class_grows() -> None:
    more = TrainingSet((*EXAMPLES.texts, "包邮吗", "运费多少"), (*EXAMPLES.labels, "fees", "fees"))
    assert split_off(more, seed=1)[1] == split_off(EXAMPLES, seed=1)[1]  # of two texts none is held out


def test_texts_that_look_alike_are_on_one_side() -> None:
    twice = TrainingSet(tuple(f"{text.upper()}！" for text in EXAMPLES.texts), EXAMPLES.labels)
    both = TrainingSet(EXAMPLES.texts + twice.texts, EXAMPLES.labels * 2)
    seen, held = split_off(both, seed=1)
    assert len(held.texts) == 8
    assert not {text.upper().rstrip("！") for text in held.texts} & {
        text.upper().rstrip("！") for text in seen.texts
    }


def test_the_encoder_learns_from_intents_and_kept_corrections_and_never_from_what_is_no_intent(
    settings: Settings,
) -> None:
    before = plan_tuning(settings, serving(settings), least=2)
    write_corrections(
        settings.intent_corrections_path,
        [IntentCorrection(f"fapiao {word}", "postage") for word in "abcdefghij"],
    )
    plan = plan_tuning(settings, serving(settings), least=2)
    assert not {KNOWLEDGE, OUT_OF_SCOPE} & set(plan.learned.labels)
    assert {OUT_OF_SCOPE, KNOWLEDGE} <= set(plan.questions.seen.labels)
    corrected = [
        sum(text.startswith("fapiao") for text in side.texts)
        for side in (plan.learned, plan.questions.held_out)
    ]
    assert sum(corrected) == 10
    assert min(corrected) > 0
    assert not set(plan.learned.texts) & set(plan.questions.held_out.texts)
    assert len(plan.questions.golden) == 24
    assert plan.identity != before.identity


def test_the_prompt_is_that_of_the_settings_and_all_else_decides_the_identity(settings: Settings) -> None:
    encoder = serving(settings)
    plan = plan_tuning(settings, encoder, least=2)
    assert plan.how == EncoderSettings(query_prompt=settings.encoder.query_prompt)
    assert plan.identity == plan_tuning(settings, encoder, least=2).identity
    other = plan_tuning(settings, encoder, how=replace(plan.how, steps=3), least=2)
    assert other.identity != plan.identity
    golden = settings.knowledge_base / "golden.jsonl"
    golden.write_text(golden.read_text("utf-8").replace("220", "230").replace("大家电", "家电"), "utf-8")
    assert plan_tuning(settings, encoder, least=2).identity != plan.identity


def test_with_few_examples_the_frozen_encoder_is_said_to_be_the_better_choice(settings: Settings) -> None:
    with pytest.raises(
        TrainingError,
        match=r"31 examples of 4 intents are 7\.8 an intent; 20 are needed.*is the better choice.*--least",
    ):
        plan_tuning(settings, serving(settings))


def test_without_golden_questions_nobody_sees_what_becomes_of_the_search(settings: Settings) -> None:
    write_golden(settings.knowledge_base, GOLDEN)
    with pytest.raises(TrainingError, match=r"2 questions in .*golden\.jsonl name an article.*20 are needed"):
        plan_tuning(settings, serving(settings), least=2)
