"""Masking takes people's names out of their talks, and the last check names places, never words."""

from __future__ import annotations

import pytest

from bot.safety.redact import Redacted, redact
from finetune.errors import PersonalDataLeft
from finetune.masking import Masking, check_masked, masked_values, without_names
from tests.example_talks import talk


@pytest.mark.parametrize(
    ("text", "people", "masked"),
    [
        ("张小明您好，退款已办", ["张小明"], "<NAME>您好，退款已办"),
        ("我是小美，很高兴为您服务", ["小美"], "我是<NAME>，很高兴为您服务"),
        ("this is Anna Schmidt", ["Anna Schmidt"], "this is <NAME>"),
        ("THIS IS ANNA SCHMIDT", ["Anna Schmidt"], "THIS IS <NAME>"),
        ("Hi Anna, your refund is on its way", ["Anna Schmidt"], "Hi <NAME>, your refund is on its way"),
        ("Hi Will, it will come", ["Will Price"], "Hi <NAME>, it will come"),
        ("the price will change", ["Will Price"], "the price will change"),
        ("Hi Anna，你的 M3 到了", ["Anna"], "Hi <NAME>，你的 M3 到了"),
        ("Annabel is not Anna", ["Anna"], "Annabel is not Anna"),
        ("买家在吗", ["", "x", "7"], "买家在吗"),
        ("Hello (Bob)", ["Bob [x](y"], "Hello (Bob)"),
    ],
)  # fmt: skip
def test_the_people_of_a_talk_are_masked_by_name(text: str, people: list[str], masked: str) -> None:
    assert without_names(text, people) == masked


def test_masking_counts_what_it_finds_and_where() -> None:
    mask = Masking(allow=("400-800-1234",))
    assert mask("打 13812345678 或 400-800-1234", "turn-1") == "打 <PHONE> 或 400-800-1234"
    assert mask("nothing here", "turn-2") == "nothing here"
    assert (dict(mask.found), mask.turns) == ({"PHONE": 1}, {"turn-1"})


def test_every_text_inside_a_json_value_is_masked() -> None:
    value = {"a": ["13812345678", 7, None], "b": {"c": "a@b.com"}}
    assert masked_values(value, lambda text: redact(text).text) == {
        "a": ["<PHONE>", 7, None],
        "b": {"c": "<EMAIL>"},
    }


def test_what_masking_leaves_is_an_error_without_the_words() -> None:
    def blind(text: str) -> Redacted:
        return Redacted(text, {"PHONE": 1} if "13812345678" in text else {}, ())

    clean = talk("a", ("能退吗", "可以"))
    check_masked([clean], blind)
    with pytest.raises(PersonalDataLeft, match=r"b-1 \(PHONE\)") as caught:
        check_masked([clean, talk("b", ("q", "a"), rejected="call 13812345678")], blind)
    assert "13812345678" not in str(caught.value)
