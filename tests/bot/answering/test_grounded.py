"""A model that reads better than it writes: it names the passage, and customers get the article's own sentences."""

from __future__ import annotations

import pytest

from bot.answering.grounded import DECLINED, DraftLimits, GroundedAnswer, GroundedWriter
from bot.conversation import Language
from bot.errors import GenerationError
from retrieval.documents import Hit, Passage
from tests.fakes import ScriptedGenerator, WordEncoder

READING = DraftLimits(10.0, 10.0, 60, compose_score=0.6, drafts=False)


def hit(article: str, text: str, score: float, ordinal: int = 0) -> Hit:
    passage = Passage(f"{article}-{ordinal}", article, "en", article.title(), (), text, ordinal, "")
    return Hit(passage, score, score, score)


HITS = [
    hit("postage", "Delivery costs 8 yuan.", 0.9),
    hit("warranty", "Kettles have 1 year of warranty.", 0.5),
    hit("warranty", "Fridges have 3 years of warranty.", 0.4, ordinal=1),
]


def answered(
    generator: ScriptedGenerator | None, question: str, hits: list[Hit] = HITS, limits: DraftLimits = READING
) -> tuple[str, GroundedAnswer]:
    """What was shown, and the answer."""
    parts = GroundedWriter(WordEncoder(), generator, limits).write(question, Language.EN, hits, ())
    shown = ""
    while True:
        try:
            shown += next(parts)
        except StopIteration as finished:
            return shown, finished.value


def test_the_article_that_is_named_is_quoted_and_nothing_more_is_written() -> None:
    model = ScriptedGenerator("[2] Whatever it would have said, nobody sees it.")
    shown, answer = answered(model, "how long is the warranty of a kettle")
    assert shown == answer.text == "Kettles have 1 year of warranty. [1]"
    assert answer.generation == "read"
    assert [HITS[i].passage.article_id for i in answer.cited] == ["warranty"]
    assert model.closed_early == 1


def test_another_passage_of_the_named_article_may_say_it_better() -> None:
    shown, answer = answered(ScriptedGenerator("[2] x"), "fridges years of warranty")
    assert "Fridges have 3 years of warranty." in shown
    assert "Delivery" not in shown
    assert answer.sources == (2,)


def test_a_model_that_declines_is_believed_however_sure_the_search_is() -> None:
    shown, answer = answered(ScriptedGenerator("[0]"), "do you sell cat food")
    assert (shown, answer.generation) == ("", DECLINED)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("It depends on what you mean by that.", "names no passage"),
        ("[9] There is no such passage here.", "names no passage"),
        ("", "names no passage"),
        (GenerationError("out of memory"), "out of memory"),
        (RuntimeError("no"), "RuntimeError"),
    ],
)
def test_a_model_that_names_nothing_leaves_it_to_the_search(script: str | Exception, why: str) -> None:
    shown, answer = answered(ScriptedGenerator(script), "what does delivery cost")
    assert shown == "Delivery costs 8 yuan. [1]"
    assert answer.generation == f"composed: {why}"


def test_then_the_search_must_be_sure_enough() -> None:
    shown, answer = answered(ScriptedGenerator(""), "warranty", HITS[1:])
    assert (shown, answer.generation) == ("", DECLINED)


def test_a_slow_model_is_not_waited_for() -> None:
    limits = DraftLimits(0.0, 10.0, 60, drafts=False)
    _, answer = answered(ScriptedGenerator("     [1] late"), "what does delivery cost", limits=limits)
    assert answer.generation == "composed: too slow"


def test_the_model_is_told_what_the_search_thinks_of_each_passage() -> None:
    for limits in (READING, DraftLimits(10.0, 10.0, 60)):
        model = ScriptedGenerator("[1] Delivery costs 8 yuan.")
        answered(model, "what does delivery cost", limits=limits)
        (prompt,) = model.prompts
        assert prompt.chances == (0.9, 0.5, 0.4)
