"""What is told in both languages at once."""

from __future__ import annotations

from string import Formatter

import pytest

from finetune.tongues import TOLD, TONGUES, as_it_is, filled, joined, read_words


@pytest.mark.parametrize("section", read_words(TOLD))
def test_every_sentence_is_there_in_both_languages_with_the_same_places(section: str) -> None:
    for key, sentence in read_words(TOLD)[section].items():
        assert set(sentence) == set(TONGUES), key
        zh, en = (
            {place for _, place, _, _ in Formatter().parse(sentence[tongue]) if place} for tongue in TONGUES
        )
        assert zh == en, key


def test_a_sentence_is_filled_with_what_is_said_in_its_own_language() -> None:
    sentence = {"zh": "{what}变好：{count} 题", "en": "{what} better: {count}"}
    told = filled(sentence, what={"zh": "拒答", "en": "refusals"}, count=3)
    assert told == {"zh": "拒答变好：3 题", "en": "refusals better: 3"}
    assert joined((told, as_it_is("OK."))) == {"zh": "拒答变好：3 题OK.", "en": "refusals better: 3 OK."}
