"""Words of a question and the documents that say them, in either language."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.bridge import WordBridge
from retrieval.keywords import KeywordIndex, tokenize
from retrieval.matching import WordMatch, match_words

TEXTS = ["退货期限 七天", "refund time for AirBuds", "发票 抬头", "invoice title", ""]
ARTICLES = np.array([0, 1, 2, 2, 3])
BRIDGE = WordBridge({"invoic": {"发票": 0.8}, "发票": {"invoic": 0.5}})


INDEX = KeywordIndex.build([tokenize(text) for text in TEXTS])


def match(question: str, bridge: WordBridge = BRIDGE) -> WordMatch:
    return match_words([bridge.ways_to_say(token) for token in dict.fromkeys(tokenize(question))], INDEX)


def covered(found: WordMatch, *rows: int) -> list[float]:
    documents = np.isin(np.arange(len(TEXTS)), rows)
    return [float(share) for share in found.coverage(documents, ARTICLES, 4)]


def test_a_document_in_the_other_language_is_found_as_far_as_the_translation_is_sure() -> None:
    found, without = match("invoice"), match("invoice", WordBridge({}))
    assert (without.scores[2], without.scores[3] > 0) == (0.0, True)
    assert found.scores[2] > 0
    assert found.scores[3] == without.scores[3]
    assert covered(found, 2)[2] == pytest.approx(0.8, abs=0.05)
    assert covered(found, 3)[2] == pytest.approx(1.0)


def test_a_word_counts_once_for_an_article_that_says_it_in_both_languages() -> None:
    assert covered(match("invoice"), 2, 3)[2] == pytest.approx(1.0)


def test_documents_that_may_not_speak_do_not_cover_anything() -> None:
    assert covered(match("退货期限"), 1, 2, 3) == [0.0] * 4


def test_a_share_never_exceeds_the_whole() -> None:
    found = match("退货 refund 发票 invoice")
    assert found.share.max() <= 1.0
    assert max(covered(found, *range(5))) <= 1.0


def test_unknown_words_make_a_match_look_weaker() -> None:
    assert match("退货 火星 木星").best_possible > match("退货").best_possible


@pytest.mark.parametrize("question", ["", "量子力学"])
def test_a_question_of_unknown_words_matches_nothing(question: str) -> None:
    found = match(question)
    assert found.share.tolist() == [0.0] * len(TEXTS)
    assert covered(found, *range(5)) == [0.0] * 4


def test_a_word_that_is_only_guessed_matches_as_far_as_the_guess_is_sure() -> None:
    guessed, written = match_words([{"refudn": 1.0, "refund": 0.6}], INDEX), match("refund")
    assert guessed.best_possible == pytest.approx(written.best_possible)
    assert guessed.share.max() == pytest.approx(0.6 * written.share.max())
    assert covered(guessed, 1)[1] == pytest.approx(0.6)


def test_a_guess_is_worth_more_than_no_guess_and_less_than_the_word_itself() -> None:
    guess = [{"退货": 1.0}, {"airbusd": 1.0, "airbud": 0.7}]
    shares = [match_words(words, INDEX).share[1] for words in ([{"airbusd": 1.0}], guess, [{"airbud": 1.0}])]
    assert shares == sorted(shares)
    assert len(set(shares)) == 3
