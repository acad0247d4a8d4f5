"""Guessing, loops and joining pieces, without a model."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.answering.decoding import PieceJoiner, copied_guess, is_looping


def decode(tokens: Sequence[int]) -> str:
    """Tokens that are bytes."""
    return bytes(tokens).decode("utf-8", errors="replace")


def joined(text: str, stops: Sequence[str] = ()) -> list[str]:
    joiner = PieceJoiner(decode, stops)
    pieces = []
    for byte in text.encode():
        pieces.append(joiner.add(byte))
        if joiner.stopped:
            return pieces
    return [*pieces, joiner.rest()]


def test_what_followed_before_is_guessed() -> None:
    assert copied_guess([9, 1, 2, 3, 4, 5, 6, 1, 2], 0, 3) == [3, 4, 5]


def test_the_longest_match_is_guessed_from() -> None:
    assert copied_guess([1, 2, 50, 7, 1, 2, 60, 0, 7, 1, 2], 0, 1) == [60]


def test_one_token_in_common_is_no_ground_for_a_guess() -> None:
    assert copied_guess([1, 2, 3, 9, 2], 0, 3) == []


def test_nothing_is_guessed_from_before_the_passages() -> None:
    tokens = [1, 2, 3, 4, 8, 8, 1, 2]
    assert copied_guess(tokens, 0, 2) == [3, 4]
    assert copied_guess(tokens, 4, 2) == []


@pytest.mark.parametrize("tokens", [[], [1], [1, 1]])
def test_short_texts_give_no_guess(tokens: list[int]) -> None:
    assert copied_guess(tokens, 0, 4) == []


def test_a_guess_never_exceeds_its_length() -> None:
    assert copied_guess([1, 2, 3, 4, 5, 1, 2], 0, 0) == []


def test_eight_repeated_tokens_are_a_loop() -> None:
    sentence = list(range(8))
    assert is_looping([*sentence, 99, *sentence])
    assert not is_looping([*sentence, 99, *sentence[:-1]])
    assert is_looping([5] * 9)
    assert not is_looping([5] * 8)


@pytest.mark.parametrize("text", ["退货很简单。", "AirBuds S2 保修 1 年 🙂𠮷", "plain words"])
def test_pieces_are_whole_characters_and_join_to_the_text(text: str) -> None:
    pieces = joined(text)
    assert "".join(pieces) == text
    assert "\ufffd" not in "".join(pieces)


def test_nothing_is_given_out_from_a_stop_string_on() -> None:
    assert "".join(joined("免费退货。\n\n问题：", ["\n\n"])) == "免费退货。"


def test_what_could_begin_a_stop_string_is_held_back_until_it_does_not() -> None:
    pieces = joined("a\nb", ["\n\n"])
    assert pieces == ["a", "", "\nb", ""]


def test_text_held_back_comes_out_at_the_end() -> None:
    assert "".join(joined("done\n", ["\n\n"])) == "done\n"


def test_a_character_that_never_ends_is_dropped() -> None:
    joiner = PieceJoiner(decode, ())
    pieces = [joiner.add(byte) for byte in "好".encode()[:2]]
    assert [*pieces, joiner.rest()] == ["", "", ""]


def test_blanks_before_the_first_word_are_dropped() -> None:
    assert "".join(joined("  \n The answer", ["\n"])) == "The answer"
