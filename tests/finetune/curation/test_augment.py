"""Variants ask the same in other words: nothing protected changes, and the same seed makes the same."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversation import Language
from finetune.curation import augment as module
from finetune.curation.augment import augment, load_wordings
from finetune.curation.likeness import facts
from finetune.errors import CurationError
from tests.example_talks import shop_talks, talk

WORDINGS = load_wordings()


def _varied(way: str, text: str, language: Language, seed: int = 1) -> str:
    return module._WAYS[way](text, language, WORDINGS, random.Random(seed))  # noqa: S311 — variety, no secret


@pytest.mark.parametrize(
    ("way", "text", "language", "expected"),
    [
        ("homophone", "怎么退货", Language.ZH, {"咋么退货", "怎么退或"}),
        ("keyboard", "refund", Language.EN, None),
        ("no-punctuation", "退货，M3.5 多久？", Language.ZH, {"退货 M3.5 多久"}),
        ("lower-case", "Does M3 ship to HK? <PHONE>", Language.EN, {"does M3 ship to hk? <PHONE>"}),
        ("code-switch", "怎么退款", Language.ZH, {"怎么 refund"}),
        ("code-switch", "how do I get a Refund", Language.EN, {"how do I get a 退款"}),
        ("code-switch", "how are refunds made", Language.EN, {"how are refunds made"}),
    ],
)
def test_a_way_changes_what_it_says(
    way: str, text: str, language: Language, expected: set[str] | None
) -> None:
    found = {_varied(way, text, language, seed) for seed in range(20)}
    assert found <= expected if expected is not None else text not in found


def test_openers_and_endings_speak_the_language_and_script() -> None:
    assert any("請問" in _varied("opener", "怎麼退貨", Language.ZH_HANT, seed) for seed in range(20))
    assert all(_varied("opener", "postage?", Language.EN, seed).isascii() for seed in range(20))
    assert not any("？，" in _varied("ending", "怎么退货？", Language.ZH, seed) for seed in range(20))


_PROTECTED = [
    "<PHONE>",
    "<ID_CARD>",
    "M3",
    "KF20261103-0042",
    "299",
    "https://example.com/退货?a=1",
    "7.5",
    "v2.0",
]


@pytest.mark.parametrize("text", ["请看 https://example.com/退货?a=1", "see www.example.com/退货?"])
def test_an_ending_does_not_become_part_of_a_link(text: str) -> None:
    assert {_varied("ending", text, language, seed) for language in Language for seed in range(20)} == {text}


@settings(deadline=None, max_examples=60)
@given(
    parts=st.lists(st.sampled_from([*_PROTECTED, "怎么退货，", "My Refund", "订单", " in ", "账号", "？"]), min_size=1, max_size=6),
    way=st.sampled_from(sorted(module._WAYS)),
    language=st.sampled_from(Language),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_no_variant_touches_numbers_models_links_or_masked_data(
    parts: list[str], way: str, language: Language, seed: int
) -> None:
    text = " ".join(parts)
    question = talk("a", (text, "answer"))
    for variant in augment([question], 1.0, WORDINGS, seed=seed):
        changed = variant.exchanges[0].question
        assert facts(changed) == facts(text)
        assert module._PROTECTED.findall(changed) == module._PROTECTED.findall(text)
    assert module._PROTECTED.findall(_varied(way, text, language, seed)) == module._PROTECTED.findall(text)


def test_the_share_is_met_and_the_seed_decides() -> None:
    talks = shop_talks()
    one = augment(talks, 0.5, WORDINGS, seed=1)
    assert len(one) == 60
    assert augment(talks[::-1], 0.5, WORDINGS, seed=1) == one
    assert augment(talks, 0.5, WORDINGS, seed=2) != one
    assert len({variant.id for variant in one} | {talk.id for talk in talks}) == 180
    assert augment(talks, 0.0, WORDINGS, seed=1) == augment([], 1.0, WORDINGS, seed=1) == ()


def test_a_variant_keeps_the_answer_and_learns_one_question_only() -> None:
    original = talk(
        "a", ("怎么退货", "七天内"), ("发票怎么开", "在线"), rejected="no", metadata={"model": "m"}
    )
    variants = augment([original], 3.0, WORDINGS, seed=1)
    assert len(variants) == 6
    for variant in variants:
        *before, changed = variant.exchanges
        assert not any(exchange.selected for exchange in before)
        assert changed.answer == original.exchanges[len(before)].answer
        assert changed.metadata["variant"] in module._WAYS
        assert changed.metadata["model"] == "m"
        assert changed.rejected is None


def test_another_way_can_be_handed_in() -> None:
    def back(text: str, language: Language) -> str | None:
        return None if language is Language.EN else f"换句话说{text}"

    talks = [talk("a", ("怎么退货", "七天内")), talk("b", ("postage?", "free"))]
    variants = augment(talks, 20.0, WORDINGS, seed=1, back_translate=back)
    translated = [
        v.exchanges[0].question for v in variants if v.exchanges[0].metadata["variant"] == "back-translation"
    ]
    assert translated == ["换句话说怎么退货"]


@pytest.mark.parametrize("content", ["", "openers: {zh: [a]}", "a: [", "unknown: 1"])
def test_a_wrong_file_of_wordings_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "w.yaml").write_text(content, "utf-8")
    for path in (tmp_path / "w.yaml", tmp_path / "none.yaml"):
        with pytest.raises(CurationError, match=path.name):
            load_wordings(path)


def test_the_wordings_that_come_with_kefu_are_in_both_languages() -> None:
    assert (
        min(
            len(WORDINGS.openers.zh),
            len(WORDINGS.openers.en),
            len(WORDINGS.endings.zh),
            len(WORDINGS.endings.en),
        )
        >= 8
    )
    assert len(set(WORDINGS.glossary.values())) == len(WORDINGS.glossary)
    assert set(WORDINGS.keyboard) == set("abcdefghijklmnopqrstuvwxyz")
