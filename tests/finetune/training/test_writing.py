"""Whether an adapter's own words are better than the passage that it names is measured, and written down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.answering.adapters import read_adapter
from bot.answering.prompt import PromptPassage
from bot.conversation import Language
from bot.errors import GenerationError
from finetune.examples.example import Example
from finetune.training.writing import Writing, compare_writing, write_verdict
from tests.fakes import ScriptedGenerator, WordEncoder
from tests.tiny_adapters import write_hollow_adapter

PASSAGES = (
    PromptPassage(1, "Postage", "Delivery costs 8 yuan."),
    PromptPassage(2, "Warranty", "Kettles: 1 year."),
)


def examples(count: int, source: int = 1) -> list[Example]:
    answer = "Delivery costs 8 yuan." if source else ""
    return [
        Example(str(n), Language.EN, PASSAGES, (), f"what is the postage {n}", source, answer)
        for n in range(count)
    ]


def compared(*scripts: str | Exception, asked: list[Example] | None = None) -> Writing | None:
    model: Any = ScriptedGenerator(*scripts)
    return compare_writing(model, WordEncoder(), examples(len(scripts)) if asked is None else asked)


def test_good_words_beside_a_bad_passage_are_better() -> None:
    found = compared(*["[2] Delivery costs 8 yuan."] * 10)
    assert found is not None
    assert (found.drafted, found.quoted, found.questions) == (1.0, 0.0, 10)
    assert found.better


def test_bad_words_beside_a_good_passage_are_not() -> None:
    found = compared(*["[1] It depends."] * 10)
    assert found is not None
    assert (found.drafted, found.quoted) == (0.0, 1.0)
    assert not found.better


def test_words_that_are_better_now_and_then_are_not_better_beyond_noise() -> None:
    good, bad = "[2] Delivery costs 8 yuan.", "[1] It depends."
    found = compared(*[good] * 6, *[bad] * 5)
    assert found is not None
    assert found.drafted > found.quoted
    assert found.error > 0.2
    assert not found.better


def test_declined_and_unnamed_answers_do_not_count_and_too_few_say_nothing() -> None:
    assert compared(*["[1] Delivery costs 8 yuan."] * 8, "[0]", "no number", GenerationError("x")) is None
    assert compared(asked=examples(20, source=0)) is None


@pytest.mark.parametrize(("drafted", "writes"), [(0.3, False), (0.45, False), (0.5, True)])
def test_the_certificate_says_so(drafted: float, writes: bool, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    write_hollow_adapter(folder)
    assert read_adapter(folder).writes
    write_verdict(folder, Writing(drafted, 0.4, 20, 0.04))
    manifest = read_adapter(folder)
    assert manifest.writes is writes
    assert manifest.metrics["quoted_similarity"] == 0.4
