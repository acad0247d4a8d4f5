"""What a contender would have said to a customer, and what its model wrote."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answering.generator import Generator, Prompt
from bot.answering.registry import AdapterRegistry, BaseModel
from bot.conversation import Language
from bot.errors import AdapterRefused, GenerationError
from bot.models import adapter_registry
from bot.settings import Settings
from finetune.evaluation.cases import Case
from finetune.evaluation.contenders import (
    Answered,
    Contender,
    adapter_of,
    contender,
    load_contender,
    weights_of,
)
from retrieval.documents import Hit, Passage
from tests.fakes import ScriptedGenerator, WordEncoder
from tests.tiny_adapters import tiny_settings, write_adapter
from tests.tiny_model import write_model

TEXT = "整机保修 1 年，大家电保修 3 年。电池不在保修范围内。"


def case(score: float = 0.9) -> Case:
    passage = Passage("warranty#0", "warranty", "zh", "保修期限", (), TEXT, 0, "")
    return Case(
        "c",
        "golden",
        Language.ZH,
        "大家电保修几年",
        (),
        (Hit(passage, score, 0.9, 1.0),),
        answerable=True,
        right=frozenset({0}),
    )


def made(generator: Generator | None, tmp_path: Path) -> Contender:
    return contender("a", generator, tiny_settings(tmp_path, tmp_path), WordEncoder())


def test_a_supported_draft_is_what_the_customer_reads_without_the_numbers(tmp_path: Path) -> None:
    answered = made(ScriptedGenerator("[1] 大家电保修 3 年。"), tmp_path).answer(case())
    assert answered.text == "大家电保修 3 年。"
    assert answered.cited == (0,)
    assert answered.generation == "draft"
    assert answered.draft is not None
    assert (answered.draft.source, answered.draft.text, answered.declined) == (1, "大家电保修 3 年。", False)


def test_a_draft_that_invents_is_remembered_whole_and_the_customer_reads_the_article(tmp_path: Path) -> None:
    answered = made(ScriptedGenerator("[1] 大家电保修 8 年。电池也保修。"), tmp_path).answer(case())
    assert "大家电保修 3 年" in answered.text
    assert answered.generation.startswith("composed")
    assert answered.draft is not None
    assert answered.draft.text == "大家电保修 8 年。电池也保修。"


def test_a_model_that_only_names_a_passage_is_judged_by_what_is_quoted_and_writes_no_further(
    tmp_path: Path,
) -> None:
    reads = Counting("[1] 大家电保修 8 年。电池也保修。")
    reads.writes = False
    answered = made(reads, tmp_path).answer(case())
    assert answered.generation == "read"
    assert answered.draft is not None
    assert (answered.draft.source, answered.draft.text) == (1, answered.text)
    assert "3 年" in answered.text
    assert reads.given < len("[1] 大家电")


def test_a_tuned_model_declines_with_a_nought_and_an_untuned_one_does_not(tmp_path: Path) -> None:
    tuned, untuned = ScriptedGenerator("[0]"), ScriptedGenerator("[0] 大家电保修 3 年。")
    untuned.tuned = False
    declined, answered = made(tuned, tmp_path).answer(case()), made(untuned, tmp_path).answer(case())
    assert (declined.declined, declined.generation) == (True, "declined")
    assert declined.draft is not None
    assert declined.draft.declined
    assert answered.text == "大家电保修 3 年。"
    assert answered.draft is not None
    assert answered.draft.source is None


def test_without_a_model_answers_are_composed_and_no_draft_is_judged(tmp_path: Path) -> None:
    answered = made(None, tmp_path).answer(case())
    assert "大家电保修 3 年" in answered.text
    assert (answered.draft, answered.cited) == (None, (0,))


def test_what_the_search_is_unsure_of_is_tried_by_a_model_that_reads_only(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path, tmp_path)
    policy = settings.policy.model_copy(update={"grounded_score": 0.6, "drafted_score": 0.3})
    settings = settings.model_copy(update={"policy": policy})
    unsure = case(score=0.5)
    reads = contender("a", ScriptedGenerator("[1] 大家电保修 3 年。"), settings, WordEncoder())
    composes = contender("none", None, settings, WordEncoder())
    assert not reads.answer(unsure).declined
    assert composes.answer(unsure) == Answered("", (), "not tried", None, 0.0, 0.0)
    assert reads.answer(case(score=0.2)).generation == "not tried"


def test_a_failure_of_the_model_is_part_of_the_draft(tmp_path: Path) -> None:
    answered = made(ScriptedGenerator(GenerationError("began to repeat itself")), tmp_path).answer(case())
    assert "大家电保修 3 年" in answered.text
    assert answered.draft is not None
    assert (answered.draft.text, answered.draft.failure) == ("", "began to repeat itself")


def test_the_draft_before_is_forgotten(tmp_path: Path) -> None:
    asked = made(ScriptedGenerator("[1] 大家电保修 3 年。"), tmp_path)
    assert asked.answer(case()).draft is not None
    assert asked.answer(case(score=0.1)).draft is None


class Counting(ScriptedGenerator):
    """Counts the characters that were asked for."""

    given = 0

    def stream(self, prompt: Prompt, *, max_new_tokens: int, deadline: float) -> Iterator[str]:
        for piece in super().stream(prompt, max_new_tokens=max_new_tokens, deadline=deadline):
            self.given += len(piece)
            yield piece


class Slow(ScriptedGenerator):
    """Needs a tenth of a second for each piece."""

    def stream(self, prompt: Prompt, *, max_new_tokens: int, deadline: float) -> Iterator[str]:
        for piece in super().stream(prompt, max_new_tokens=max_new_tokens, deadline=deadline):
            time.sleep(0.1)
            yield piece


def test_times_are_those_of_a_customer_who_reads_as_it_is_written(tmp_path: Path) -> None:
    answered = made(Slow("[1] 大家电保修 3 年。电池不在保修范围内。"), tmp_path).answer(case())
    assert answered.generation == "draft"
    assert answered.seconds_to_first < answered.seconds
    assert answered.seconds >= 0.8
    cut = made(Slow("[1] 大家电保修 8 年。" + "电池" * 30), tmp_path).answer(case())
    assert cut.draft is not None
    assert cut.seconds_to_first < cut.draft.seconds / 2  # what follows the first invention is not waited for


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("shop")
    model = write_model(folder / "tiny", learned=False)
    write_adapter(folder / "var" / "adapters" / "one", model)
    return tiny_settings(folder, model)


def test_contenders_are_loaded_by_their_names(tiny: Settings) -> None:
    registry, encoder = adapter_registry(tiny), WordEncoder()
    none = load_contender("none", tiny, registry, encoder)
    base = load_contender("base", tiny, registry, encoder)
    one = load_contender("one", tiny, registry, encoder)
    assert none.generator is None
    assert base.generator is not None
    assert (base.generator.adapter, base.generator.tuned) == (None, False)
    assert one.generator is not None
    assert one.generator.adapter == "one"
    for each in (none, base, one):
        each.close()


def test_an_adapter_may_be_named_by_its_folder(tiny: Settings) -> None:
    registry = adapter_registry(tiny)
    folder = tiny.adapters_path / "one"
    assert adapter_of(str(folder), registry) == folder == adapter_of("one", registry)
    assert weights_of("one", registry) == weights_of(str(folder), registry)
    assert weights_of("none", registry) is None


def test_a_contender_that_is_not_there_is_refused(tiny: Settings, tmp_path: Path) -> None:
    with pytest.raises(AdapterRefused, match="no adapter 'two'"):
        load_contender("two", tiny, adapter_registry(tiny), WordEncoder())
    with pytest.raises(AdapterRefused, match="cannot be read"):
        weights_of(str(tmp_path / "elsewhere"), AdapterRegistry(tmp_path, BaseModel("tiny")))
