"""What a question's wording says: words and pieces of words, in Chinese, English and both."""

from __future__ import annotations

import numpy as np
import pytest

from bot.understanding.wording import COLUMNS, grams, rarity, worded


def test_english_words_are_found_alone_in_pairs_and_in_pieces() -> None:
    found = grams("Top UP!")
    assert {"wtop", "wup", "wtop up", "c<t", "ctop", "cup>"} <= set(found)


def test_chinese_characters_are_words_and_their_neighbours_pairs() -> None:
    assert grams("退货，运费") == ["w退", "w货", "w运", "w费", "w退 货", "w货 运", "w运 费"]


def test_in_mixed_text_each_script_is_cut_its_own_way() -> None:
    assert {"wairbuds", "w退", "w货", "wairbuds 退", "cair"} <= set(grams("ＡｉｒＢｕｄｓ退货"))


@pytest.mark.parametrize("text", ["", "?!", "\ud83d"])
def test_a_text_without_words_weighs_nothing(text: str) -> None:
    assert worded([text], rarity(["refund"])).nnz == 0


def test_a_rare_word_weighs_more_than_a_frequent_one() -> None:
    rarities = rarity(["my 退", "my 货", "my 费"])
    rare, frequent = (worded([text], np.ones(COLUMNS, np.float32)).indices for text in ("退", "my"))
    assert rarities[rare].min() > rarities[frequent].max()


def test_every_question_is_as_long_as_any_other() -> None:
    rows = worded(["refund", "where is my 退货 order"], rarity(["refund"]))
    assert np.linalg.norm(rows.toarray(), axis=1) == pytest.approx([1.0, 1.0])
