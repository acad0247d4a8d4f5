"""Real turns become training examples: with what the real search finds, and only as far as a passage supports them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.answering.generator import PromptShape
from bot.conversation import Language
from finetune.examples.dataset_examples import dataset_examples, supported_part
from finetune.examples.example import Example
from finetune.examples.passage_finder import Library
from finetune.examples.real_turns import RealTurn
from finetune.training.train_settings import TRAINED_SHAPE
from retrieval.documents import Hit, Passage
from tests.tuned_shop import open_library, write_tuned_shop


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return open_library(write_tuned_shop(tmp_path_factory.mktemp("shop")))


def turn(question: str, answer: str, *, articles: tuple[str, ...] = (), number: int = 0) -> RealTurn:
    language = Language.EN if question.isascii() else Language.ZH
    return RealTurn(f"t{number}", language, question, (), answer, articles, "t")


def own(examples: tuple[Example, ...]) -> list[Example]:
    """Without the near misses."""
    return [example for example in examples if not example.id.endswith("-miss")]


def passage(text: str) -> Passage:
    return Passage("p", "p", "zh", "保修", (), text, 0, "")


@pytest.mark.parametrize(
    ("question", "answer", "says"),
    [
        ("大家电保修几年", "大家电保修 3 年。", "大家电保修 3 年"),
        ("are batteries covered", "Batteries are not covered.", "Batteries are not covered"),
        ("warranty 大家电 几年", "大家电保修 3 年。", "大家电保修 3 年"),
    ],
)
def test_the_passage_that_supports_an_answer_becomes_its_source(
    library: Library, question: str, answer: str, says: str
) -> None:
    made = dataset_examples([turn(question, answer)], library, TRAINED_SHAPE)
    (example,) = own(made.examples)
    assert example.answer == answer
    assert says in example.passages[example.source - 1].text
    assert example.rendered(TRAINED_SHAPE).text.count(f"[{example.source}] {answer}") == 1
    assert made.dropped == {}


def test_an_answer_that_no_passage_supports_is_dropped_and_counted(library: Library) -> None:
    turns = [
        turn("大家电保修几年", "大家电保修 8 年。"),
        turn("大家电保修几年", "请打电话问张经理。", number=1),
    ]
    made = dataset_examples(turns, library, TRAINED_SHAPE)
    assert made.examples == ()
    assert made.dropped == {"no passage supports the answer": 2}


def test_a_refusal_is_learned_with_what_was_found_for_it(library: Library) -> None:
    made = dataset_examples([turn("整机能用多久", "")], library, TRAINED_SHAPE)
    (example,) = made.examples
    assert (example.source, example.answer) == (0, "")
    assert example.passages


def test_a_refusal_for_which_nothing_is_found_cannot_be_learned(library: Library) -> None:
    made = dataset_examples([turn("？！", "")], library, TRAINED_SHAPE)
    assert made.examples == ()
    assert made.dropped == {"nothing was found to be declined": 1}


def test_an_article_that_was_cited_counts_though_the_search_does_not_find_it(library: Library) -> None:
    narrow = replace(library, top_k=1)
    asked = turn("春节几号", "大家电保修 3 年。", articles=("warranty",))
    (example,) = own(dataset_examples([asked], narrow, TRAINED_SHAPE).examples)
    assert "大家电保修 3 年" in example.passages[example.source - 1].text
    without = dataset_examples([replace(asked, articles=())], narrow, TRAINED_SHAPE)
    assert without.dropped == {"no passage supports the answer": 1}


def test_a_passage_that_a_prompt_would_not_show_is_put_among_those_that_it_does(library: Library) -> None:
    narrow = replace(TRAINED_SHAPE, passages=1)
    asked = turn("春节几号发货", "大家电保修 3 年。", articles=("warranty",))
    (example,) = own(dataset_examples([asked], library, narrow).examples)
    assert example.source == 1
    assert "大家电保修 3 年" in example.passages[0].text


def test_an_answer_whose_passage_fits_into_no_prompt_is_dropped(library: Library) -> None:
    tight = PromptShape(width=20)
    made = dataset_examples([turn("大家电保修几年", "大家电保修 3 年。")], library, tight)
    assert made.dropped == {"the passage does not fit into a prompt": 1}


def test_some_answered_questions_are_also_asked_about_passages_that_do_not_answer(library: Library) -> None:
    turns = [turn("大家电保修几年", "大家电保修 3 年。", number=number) for number in range(20)]
    made = dataset_examples(turns, library, TRAINED_SHAPE)
    misses = [example for example in made.examples if example.id.endswith("-miss")]
    assert 0 < len(misses) < 20
    for example in misses:
        assert example.source == 0
        assert all("保修 3 年" not in passage.text for passage in example.passages)
    assert dataset_examples(turns, library, TRAINED_SHAPE) == made


def test_a_near_miss_shows_nothing_of_the_article_that_answers(library: Library) -> None:
    texts = {"w1": "大家电保修 3 年。", "w2": "报修时请带上发票。", "d1": "春节期间照常发货。"}
    hits = tuple(
        Hit(
            Passage(name, name[0], "zh", "保修" if name[0] == "w" else "发货", (), text, 0, ""), 0.5, 0.5, 0.5
        )
        for name, text in texts.items()
    )

    class Finding(Library):
        def find(self, question: str, language: Language) -> tuple[Hit, ...]:
            return hits

    found = Finding(library.index, library.top_k, library.passage_width, library.day)
    turns = [turn("大家电保修几年", "大家电保修 3 年。", number=number) for number in range(20)]
    made = dataset_examples(turns, found, TRAINED_SHAPE)
    misses = [example for example in made.examples if example.id.endswith("-miss")]
    assert misses
    assert {each.text for example in misses for each in example.passages} == {"春节期间照常发货。"}


def test_courtesy_around_an_answer_is_left_out() -> None:
    answer = "亲，您好！整机保修 1 年，大家电保修 3 年。"
    part = supported_part(answer, [passage("整机保修 1 年，大家电保修 3 年。金卡会员保修另加 6 个月。")])
    assert part is not None
    assert part.answer == "整机保修 1 年，大家电保修 3 年。"


def test_an_answer_is_not_cut_where_a_fact_would_be_lost() -> None:
    answer = "整机保修 1 年，大家电保修 3 年。请在 5 月 1 日前来。"
    assert supported_part(answer, [passage("整机保修 1 年，大家电保修 3 年。")]) is None


def test_an_answer_of_which_most_is_unsupported_is_none() -> None:
    answer = "整机保修 1 年。这个要看具体是哪一家门店以及当时是怎么约定的，建议直接问门店的同事比较稳妥。"
    assert supported_part(answer, [passage("整机保修 1 年。")]) is None


def test_of_several_passages_the_one_that_supports_most_is_taken() -> None:
    part = supported_part(
        "整机保修 1 年。电池不在保修范围内。",
        [passage("整机保修 1 年。"), passage("整机保修 1 年。电池不在保修范围内。")],
    )
    assert part is not None
    assert part.passage == 1
    assert supported_part("整机保修 1 年。", []) is None


def test_a_library_knows_no_passages_of_an_article_that_is_unknown_or_expired(library: Library) -> None:
    assert library.passages("no-such-article", Language.ZH) == ()
    assert library.passages("spring", Language.ZH) == ()
    assert library.passages("voltage", Language.ZH) == ()  # written in English only
    assert library.passages("warranty", Language.ZH)
