"""A set is curated step by step; whatever is dropped has a reason, and personal data or too little stops it all."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from bot.safety.redact import Redacted, redact
from finetune.curation.augment import load_wordings
from finetune.curation.curate import Curated, CurationSettings, curate
from finetune.curation.likeness import asked, near_any
from finetune.errors import CurationError, NothingToLearn, PersonalDataLeft
from finetune.records import Conversation
from tests.example_talks import shop_talks, talk, unlike

PLAIN = CurationSettings(augmented=0.0, intent_cap=100.0, language_cap=100.0)


def _reasons(curated: Curated) -> dict[str, str]:
    return {drop.exchange if drop.exchange else drop.conversation: drop.reason for drop in curated.drops}


def _learned(curated: Curated) -> set[str]:
    sides = (curated.splits.train, curated.splits.validation, curated.splits.test)
    return {exchange.id for side in sides for conversation in side for exchange in conversation.selected}


def _everything(curated: Curated) -> list[Conversation]:
    return [*curated.splits.train, *curated.splits.validation, *curated.splits.test, *curated.disliked]


def test_good_talks_are_all_learned() -> None:
    curated = curate(shop_talks(), PLAIN)
    assert curated.drops == ()
    assert len(_learned(curated)) == 120


@pytest.mark.parametrize(
    ("question", "answer", "changes", "reason"),
    [
        ("", "有的", {}, "the question is empty"),
        ("这个坏了", "[图片]", {}, "the answer has no words"),
        ("这个坏了", "会话已结束", {}, "the answer is a notice of the system"),
        ("你好", "您好，有什么可以帮您", {}, "the question asks nothing"),
        ("thanks!", "you are welcome", {}, "the question asks nothing"),
        ("这个坏了怎么办", "不知道", {"rating": -1}, "voted down and never corrected"),
        ("how do I mend it 🤔", "请联系售后", {}, "the answer is in another language"),
        (
            "这个坏了怎么办",
            "Sorry.",
            {"author": "bot", "route": "no_answer"},
            "the bot had no answer of its own",
        ),
    ],
)
def test_what_is_not_worth_learning_is_dropped_with_its_reason(
    question: str, answer: str, changes: dict[str, object], reason: str
) -> None:
    curated = curate([*shop_talks(), talk("bad", (question, answer), day=1, **changes)], PLAIN)
    assert _reasons(curated) == {"bad-1": reason}
    assert "bad-1" not in _learned(curated)


def test_what_is_dropped_stays_as_context_and_noise_does_not() -> None:
    mixed = talk(
        "mixed",
        ("你好", "您好"),
        ("😀", "在"),
        ("扫地机器人充不进电怎么处理", "擦触点"),
        ("谢谢", "再见"),
        day=1,
    )
    curated = curate([*shop_talks(), mixed], replace(PLAIN, validation=0.0, test=0.0))
    (kept,) = [conversation for conversation in curated.splits.train if conversation.id == "mixed"]
    assert [(e.question, e.selected) for e in kept.exchanges] == [
        ("你好", False),
        ("扫地机器人充不进电怎么处理", True),
    ]


def test_a_correction_saves_an_answer_that_was_voted_down() -> None:
    mended = talk("mended", ("扫地机器人充不进电怎么处理", "擦触点"), day=1, rating=-1, rejected="不知道")
    assert "mended-1" in _learned(curate([*shop_talks(), mended], PLAIN))


def test_of_several_answers_the_best_is_learned() -> None:
    question = "扫地机器人充不进电怎么处理"
    talks = [
        talk("bot", (question, "请联系客服。"), day=1, author="bot"),
        talk("copy", (f"请问{question}", "请联系客服。"), day=2, author="bot"),
        talk("agent", (question, "先用干布擦一擦充电触点，再试一次。"), day=3),
    ]
    reasons = _reasons(curate([*shop_talks(), *talks], PLAIN))
    assert reasons == {
        "bot-1": "another answer to this question is better",
        "copy-1": "another answer to this question is better",
    }


def test_a_follow_up_is_no_duplicate_of_the_long_question_before_it() -> None:
    conversation = talk(
        "long",
        ("周六晚上给朋友的他行卡转九万，啥时候能收到？", "当天到账。"),
        ("那三万呢", "马上到账。"),
        day=1,
    )
    assert {"long-1", "long-2"} <= _learned(curate([*shop_talks(), conversation], PLAIN))


def test_the_knowledge_base_has_its_say() -> None:
    question = "扫地机器人充不进电怎么处理"
    talks = [talk(name, (question, f"关于充电请看第{name}页说明"), day=1) for name in ("one", "two")]
    curated = curate(
        [*shop_talks(), *talks], PLAIN, agreement=lambda _, answer: 1.0 if "two" in answer else 0.0
    )
    assert set(_reasons(curated)) == {"one-1"}


def test_everything_is_masked_again() -> None:
    curated = curate(
        [
            *shop_talks(),
            talk(
                "secret", ("我的电话13812345678能改吗", "可以，发到 a@b.com"), day=1, rejected="打13912345678"
            ),
        ],
        PLAIN,
    )
    assert curated.masked_again == {"PHONE": 2, "EMAIL": 1}
    (kept,) = [c for c in _everything(curated) if c.id == "secret"]
    assert (kept.exchanges[0].question, kept.exchanges[0].rejected) == ("我的电话<PHONE>能改吗", "打<PHONE>")


def test_a_detector_that_still_finds_something_stops_it_all() -> None:
    def leaky(text: str) -> Redacted:
        return Redacted(text, {"NAME": 1}, ()) if "王小明" in text else redact(text)

    with pytest.raises(PersonalDataLeft, match=r"x-1 \(NAME\)"):
        curate([*shop_talks(), talk("x", ("王小明的订单", "好"), day=1)], PLAIN, redactor=leaky)


def test_personal_data_that_a_variant_uncovers_stops_it_too() -> None:
    def strict(text: str) -> Redacted:
        return Redacted(text, {"PHONE": 1}, ()) if "~translated" in text else redact(text)

    with pytest.raises(PersonalDataLeft, match="PHONE"):
        curate(
            shop_talks(),
            replace(PLAIN, augmented=5.0),
            redactor=strict,
            wordings=load_wordings(),
            back_translate=lambda text, _: f"{text} ~translated",
        )


def test_the_same_conversation_from_two_imports_counts_once_and_in_full() -> None:
    may = talk("same", (unlike(901), "一"), day=1)
    june = talk("same", (unlike(901), "一"), (unlike(903), "二"), day=1)
    curated = curate([*shop_talks(), may, june], PLAIN)
    assert [(drop.step, drop.conversation) for drop in curated.drops] == [("twins", "same")]
    assert {"same-1", "same-2"} <= _learned(curated)


def test_caps_hold_and_are_counted() -> None:
    talks = shop_talks()
    curated = curate(talks, replace(PLAIN, intent_cap=1.0))
    assert len(curated.drops) == 0  # all intents are of one size
    lopsided = [
        talk(f"zh{n}", (unlike(2 * n + 3001), "请看帮助。"), day=n % 60, intent="refund") for n in range(80)
    ]
    counted = Counter(drop.step for drop in curate([*talks, *lopsided], replace(PLAIN, intent_cap=2.0)).drops)
    assert counted["intents"] == 80 - 2 * 20
    by_language = Counter(
        drop.step for drop in curate([*talks, *lopsided], replace(PLAIN, language_cap=1.0)).drops
    )
    assert by_language["languages"] == 80


def test_the_steps_add_up_to_what_is_learned() -> None:
    bad = [
        talk("a", ("你好", "您好"), day=1),
        talk("b", ("😀", "x"), day=2),
        talk("c", (unlike(7), "另一个"), day=3, author="bot"),
    ]
    curated = curate([*shop_talks(), *bad], PLAIN)
    assert curated.steps[0].before == 123
    assert all(
        one.after == other.before for one, other in zip(curated.steps, curated.steps[1:], strict=False)
    )
    assert curated.steps[-1].after == len(_learned(curated)) == 123 - len(curated.drops)


def test_variants_are_made_of_training_only_and_keep_away_from_the_rest() -> None:
    settings = replace(PLAIN, augmented=0.5)
    curated = curate(shop_talks(), settings, wordings=load_wordings())
    variants = [c for c in curated.splits.train if "variant" in c.exchanges[-1].metadata]
    assert curated.augmented == len(variants) > 30
    originals = {exchange.id for c in curated.splits.train for exchange in c.exchanges}
    assert all(c.exchanges[-1].id.partition("~")[0] in originals for c in variants)
    held = [asked(c, 0) for c in (*curated.splits.validation, *curated.splits.test)]
    assert not any(near_any([asked(c, len(c.exchanges) - 1) for c in variants], held, 0.56))


def test_answers_that_were_voted_down_are_kept_apart_from_the_other_sides() -> None:
    plain = curate(shop_talks(), PLAIN)
    tested = plain.splits.test[0]
    down = [
        talk("down", (unlike(901), "好的"), ("这个坏了怎么办", "不知道"), day=1, rating=-1, customer="new"),
        talk("same-question", (tested.exchanges[0].question, "不知道"), day=1, rating=-1, customer="other"),
    ]
    curated = curate([*shop_talks(), *down], PLAIN)
    assert [c.id for c in curated.disliked] == ["down-disliked-1", "down-disliked-2"]
    assert [[e.selected for e in c.exchanges] for c in curated.disliked] == [[True], [False, True]]


def test_the_same_input_in_another_order_gives_the_same_set() -> None:
    settings = CurationSettings(seed=5)
    one = curate(shop_talks(), settings, wordings=load_wordings())
    assert curate(shop_talks()[::-1], settings, wordings=load_wordings()).splits == one.splits
    assert curate(shop_talks(), replace(settings, seed=6), wordings=load_wordings()).splits != one.splits


def test_too_little_is_refused_with_the_counts_of_each_step() -> None:
    talks = [talk(f"t{n}", ("你好", "您好"), day=n) for n in range(30)] + shop_talks()[:5]
    with pytest.raises(NothingToLearn, match=r"Of 35 exchanges, 5 are left, and 20 .*: nothing asked 30\."):
        curate(talks, PLAIN)
    with pytest.raises(NothingToLearn, match=r"Of 0 exchanges.*took: nothing"):
        curate([], PLAIN)


def test_one_customer_alone_cannot_be_tested() -> None:
    talks = [replace(conversation, customer="same") for conversation in shop_talks()]
    with pytest.raises(NothingToLearn, match="validation, test"):
        curate(talks, PLAIN)


@pytest.mark.parametrize(
    "wrong", [{"test": 0.9}, {"near_duplicate": 0.0}, {"intent_cap": 0.5}, {"least": 0}, {"augmented": -1.0}]
)
def test_an_impossible_setting_is_named(wrong: dict[str, float]) -> None:
    with pytest.raises(CurationError, match=next(iter(wrong))):
        curate(shop_talks(), replace(PLAIN, **wrong))  # type: ignore[arg-type]
