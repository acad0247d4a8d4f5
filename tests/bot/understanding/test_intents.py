"""The intent head: certain of what it was taught, unsure of what it was not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.content import load_content
from bot.understanding.head_file import load_or_fit
from bot.understanding.intents import (
    KNOWLEDGE,
    OUT_OF_SCOPE,
    IntentHead,
    TrainingSet,
    fit_head,
    normalise,
    training_set,
)
from tests.fakes import WordEncoder
from tests.small_shop import write_knowledge_base

EXAMPLES = TrainingSet(
    texts=tuple(f"{verb} {noun} {tail}" for noun in ("parcel", "refund", "weather") for verb in ("where", "my", "the") for tail in ("now", "please", "today")),
    labels=("parcel",) * 9 + ("refund",) * 9 + (OUT_OF_SCOPE,) * 9,
)  # fmt: skip


@pytest.fixture(scope="module")
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture(scope="module")
def head(encoder: WordEncoder) -> IntentHead:
    return fit_head(EXAMPLES, encoder.encode_queries(EXAMPLES.texts))


def classify(head: IntentHead, encoder: WordEncoder, text: str):
    return head.classify(text, encoder.encode_queries([text])[0])


def test_a_new_wording_finds_its_intent(head: IntentHead, encoder: WordEncoder) -> None:
    found = classify(head, encoder, "parcel tomorrow?")
    assert found.intents[0].intent == "parcel"
    assert found.in_scope > 0.5


def test_what_is_taught_as_out_of_scope_is_out_of_scope(head: IntentHead, encoder: WordEncoder) -> None:
    assert classify(head, encoder, "weather tomorrow").in_scope < 0.5


def test_an_example_is_recognised_with_certainty_whatever_its_case_and_punctuation(head, encoder) -> None:
    assert classify(head, encoder, "Where PARCEL now?!").intents[0].score == 1.0


def test_probabilities_of_all_classes_sum_to_one(head: IntentHead, encoder: WordEncoder) -> None:
    found = classify(head, encoder, "please")
    assert sum(i.score for i in found.intents) + found.knowledge + found.out_of_scope == pytest.approx(1.0)


def test_two_classes_are_enough_and_one_is_not() -> None:
    vectors = np.eye(4, dtype=np.float32)
    assert fit_head(TrainingSet(("a", "b", "c", "d"), ("x", "x", "y", "y")), vectors).classes == ("x", "y")
    with pytest.raises(ValueError, match="add a second intent"):
        fit_head(TrainingSet(("a", "b"), ("x", "x")), vectors[:2])


def test_a_fitted_head_is_kept_and_fitted_anew_only_when_its_examples_change(tmp_path: Path) -> None:
    encoder = WordEncoder()
    first = load_or_fit(tmp_path, EXAMPLES, encoder)
    asked = len(encoder.asked)
    again = load_or_fit(tmp_path, EXAMPLES, encoder)
    assert len(encoder.asked) == asked
    vector = encoder.encode_queries(["parcel soon"])[0]
    kept, fitted = again.classify("parcel soon", vector), first.classify("parcel soon", vector)
    assert [i.intent for i in kept.intents] == [i.intent for i in fitted.intents]
    assert [i.score for i in kept.intents] == pytest.approx([i.score for i in fitted.intents], abs=1e-5)
    more = TrainingSet((*EXAMPLES.texts, "one more"), (*EXAMPLES.labels, "refund"))
    assert len(load_or_fit(tmp_path, more, encoder).texts) == len(more.texts)


def test_an_edited_intent_waits_for_the_vectors_of_its_new_examples_only(tmp_path: Path) -> None:
    encoder = WordEncoder()
    load_or_fit(tmp_path, EXAMPLES, encoder)
    encoder.asked.clear()
    edited = TrainingSet((*EXAMPLES.texts[1:], "退款 please"), (*EXAMPLES.labels[1:], "refund"))
    kept = load_or_fit(tmp_path, edited, encoder)
    assert encoder.asked == ["退款 please"]
    assert np.allclose(kept.vectors, WordEncoder().encode_queries(edited.texts))


def test_vectors_of_another_encoder_are_not_used_again(tmp_path: Path) -> None:
    load_or_fit(tmp_path, EXAMPLES, WordEncoder())
    other = WordEncoder()
    other.name = "others@test"
    load_or_fit(tmp_path, EXAMPLES, other)
    assert other.asked == list(EXAMPLES.texts)


@pytest.mark.parametrize(("asked", "intent"), [("怎么充值", "top-up"), ("transfer 怎么弄", "transfer")])
def test_words_tell_intents_apart_whose_vectors_are_alike(asked: str, intent: str) -> None:
    head = _head_on_alike_vectors(of_each=300)
    assert head.classify(asked, np.ones(8, np.float32)).intents[0].intent == intent


def test_words_of_a_few_examples_decide_nothing() -> None:
    assert _head_on_alike_vectors(of_each=20).mixes[0][2] == 0.0


def _head_on_alike_vectors(*, of_each: int) -> IntentHead:
    words = ("充值 top up", "转账 transfer")
    tails = ("吗", " now", "？急", " please")
    texts = tuple(f"{word}{tails[number % 4]} {number}" for word in words for number in range(of_each))
    labels = ("top-up",) * of_each + ("transfer",) * of_each
    alike = np.random.default_rng(0).normal(1, 1e-3, (len(texts), 8)).astype(np.float32)
    return fit_head(TrainingSet(texts, labels), alike)


def test_a_damaged_head_is_fitted_anew(tmp_path: Path) -> None:
    encoder = WordEncoder()
    load_or_fit(tmp_path, EXAMPLES, encoder)
    for path in tmp_path.rglob("head.safetensors"):
        path.write_bytes(b"rot")
    assert load_or_fit(tmp_path, EXAMPLES, encoder).classes == ("(out-of-scope)", "parcel", "refund")


def test_titles_examples_and_none_of_these_are_all_learned(tmp_path: Path) -> None:
    write_knowledge_base(tmp_path)
    learned = training_set(load_content(tmp_path), ["how long is the warranty"])
    pairs = set(zip(learned.texts, learned.labels, strict=True))
    assert {("Postage", "postage"), ("包邮吗", "postage"), ("clarify_none.", OUT_OF_SCOPE)} <= pairs
    assert ("how long is the warranty", KNOWLEDGE) in pairs


@pytest.mark.parametrize("text", ["Where's  my ORDER?? ", "where's my order", "ｗhere's my order。"])
def test_texts_that_look_alike_have_one_form(text: str) -> None:
    assert normalise(text) == "where's my order"
