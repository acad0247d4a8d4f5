"""Examples are made as a customer's question would meet the bot: with near misses, history, and questions left open."""

from __future__ import annotations

import pytest

from bot.answering.generator import PromptShape
from bot.conversation import Language
from finetune.examples.example import Example, Found, shuffled, with_passages
from finetune.examples.lesson_examples import Mixture, lesson_examples
from finetune.examples.lessons import LessonTalk, LessonTurn, Trade
from retrieval.documents import Article
from tests.fakes import WordEncoder

SHAPE = PromptShape(examples=0, width=400)
TOPICS = {
    "parking": ("停车", "住店客人免费停车，每间房限停一辆。", "Parking", "Guests park for free, one car per room."),
    "breakfast": ("早餐", "早餐在二楼，六点半开始供应。", "Breakfast", "Breakfast is served on the second floor."),
    "pool": ("泳池", "泳池每天开放，泳帽必须自带。", "Pool", "The pool is open daily; bring your own swimming cap."),
    "pets": ("宠物", "每间房可以带一只小狗，另收清洁费。", "Pets", "One small dog per room is welcome for a cleaning fee."),
}  # fmt: skip


def trade() -> Trade:
    articles = {}
    talks = []
    for name, (zh_title, zh, en_title, en) in TOPICS.items():
        articles[Language.ZH, name] = Article(name, "zh", zh_title, zh, path="")
        articles[Language.EN, name] = Article(name, "en", en_title, en, path="")
        for language, title, text in ((Language.ZH, zh_title, zh), (Language.EN, en_title, en)):
            asked = LessonTurn(f"{title}?", name, text)
            later = LessonTurn("那另外呢" if language is Language.ZH else "and what else", name, text)
            talks.append(LessonTalk(f"{name}-{language}", language, (asked, later)))
    talks.append(LessonTalk("open-zh", Language.ZH, (LessonTurn("泳池能過夜嗎", None, ""),)))
    talks.append(LessonTalk("open-en", Language.EN, (LessonTurn("pool parties?", None, ""),)))
    return Trade("hotel", articles, tuple(talks))


def made(seed: int = 1, **mixture: float) -> list[Example]:
    chosen = Mixture(**{"rounds": 2, "declined": 0.5, "follow_ups": 1.0, **mixture})  # type: ignore[arg-type]
    return list(lesson_examples(trade(), WordEncoder(), SHAPE, seed=seed, mixture=chosen))


def test_an_answered_example_shows_the_passage_that_answers_and_names_it() -> None:
    answered = [example for example in made() if example.source]
    assert answered
    for example in answered:
        assert example.answer in example.passages[example.source - 1].text
        assert [passage.number for passage in example.passages] == list(range(1, len(example.passages) + 1))


def test_an_open_example_shows_nothing_that_answers() -> None:
    open_ones = [example for example in made() if not example.source]
    assert {example.language for example in open_ones} == {Language.ZH, Language.EN}
    for example in open_ones:
        assert example.answer == ""
        right = example.topic.split("/")[1]
        if right != "none":
            place = 1 if example.language is Language.ZH else 3
            assert TOPICS[right][place] not in [passage.text for passage in example.passages]


def test_every_example_can_be_rendered() -> None:
    for example in made():
        assert f"[{example.source}]" in example.rendered(SHAPE).text


def test_a_later_question_has_its_history_and_is_sometimes_read_with_the_question_before() -> None:
    later = [example for example in made(joined=0.5) if example.history]
    assert all([message.role for message in example.history] == ["user", "assistant"] for example in later)
    joined = {example.question.startswith(example.history[0].text) for example in later}
    assert joined == {True, False}


def test_traditional_characters_are_read_as_simplified_ones() -> None:
    assert not any("過" in example.question for example in made())


def test_the_same_seed_makes_the_same_examples_and_another_one_others() -> None:
    assert made(1) == made(1)
    assert made(1) != made(2)
    assert shuffled(made(), 1) == shuffled(reversed(made()), 1)
    assert shuffled(made(), 1) != shuffled(made(), 2)


BLANK = Example("x", Language.EN, (), (), "pool?", 0, "The pool is open.")


@pytest.mark.parametrize(
    ("found", "source"),
    [
        ([Found("Pool", "The pool is open.", True)], 1),
        ([Found("Pets", "One dog.", False), Found("Pool", "The pool is open.", True)], 2),
        ([Found("Pets", "One dog.", False)], None),
        ([], None),
        ([Found("Pets", "d" * 390, False), Found("Pool", "The pool is open.", True)], None),
    ],
)
def test_an_answer_needs_a_shown_passage_that_gives_it(found: list[Found], source: int | None) -> None:
    example = with_passages(BLANK, found, SHAPE)
    assert (None if example is None else example.source) == source


def test_an_open_question_may_not_be_shown_its_answer() -> None:
    blank = Example("x", Language.EN, (), (), "pool?", 0, "")
    assert with_passages(blank, [Found("Pool", "The pool is open.", True)], SHAPE) is None
    assert with_passages(blank, [Found("Pets", "One dog.", False)], SHAPE) is not None
