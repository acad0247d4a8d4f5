"""Corrected intents: what people corrected is learned, measured on what was not seen, and never at the others' cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.understanding.head_file import load_or_fit
from bot.understanding.intents import KNOWLEDGE, OUT_OF_SCOPE, TrainingSet
from finetune.errors import RecordError, TrainingError
from finetune.training.intent_training import (
    IntentCorrection,
    extended,
    publish_head,
    read_corrections,
    train_intents,
    write_corrections,
)
from tests.fake_encoder import FakeEncoder

SUBJECTS = ("parcel", "order", "card", "lamp", "phone", "shirt", "table", "watch", "chair", "radio")
PAIRS = [
    *((f"send my {subject} back, return", "return") for subject in SUBJECTS),
    *((f"write an invoice for the {subject}", "invoice") for subject in SUBJECTS),
    *((f"weather in the {subject} 天气", OUT_OF_SCOPE) for subject in SUBJECTS),
]
OWN = TrainingSet(tuple(text for text, _ in PAIRS), tuple(label for _, label in PAIRS))
# Customers say "fapiao", and the team never thought of it.
CORRECTIONS = [IntentCorrection(f"fapiao please, {subject}", "invoice") for subject in SUBJECTS] + [
    IntentCorrection(f"我要退掉 {subject} tuihuo", "return") for subject in SUBJECTS
]


def test_what_was_corrected_is_learned_and_measured_on_what_was_not_seen() -> None:
    training = train_intents(OWN, CORRECTIONS, FakeEncoder())
    assert training.after.corrections > training.before.corrections
    assert training.after.own >= training.before.own
    assert training.better
    assert training.learned == len(CORRECTIONS)
    assert len(training.examples.texts) == len(OWN.texts) + len(CORRECTIONS)
    assert training == train_intents(OWN, CORRECTIONS, FakeEncoder())


def test_corrections_at_random_are_not_called_better() -> None:
    wrong = [
        IntentCorrection(f"{subject} {word}", ("invoice", "return", OUT_OF_SCOPE)[(n + m) % 3])
        for n, subject in enumerate(SUBJECTS)
        for m, word in enumerate(("return", "invoice", "weather"))
    ]
    training = train_intents(OWN, wrong, FakeEncoder())
    assert not training.better or training.after.corrections < 0.8


def test_corrections_to_intents_that_are_gone_are_named_and_not_learned() -> None:
    gone = IntentCorrection("where is the shop", "opening-hours")
    kept = IntentCorrection("how long is the warranty", KNOWLEDGE)
    training = train_intents(OWN, [*CORRECTIONS, gone, kept], FakeEncoder())
    assert training.unknown == (gone,)
    assert gone.text not in training.examples.texts
    assert kept.text in training.examples.texts


def test_a_corrected_question_is_no_example_of_its_old_class_any_more() -> None:
    (text, *_) = OWN.texts
    found = extended(OWN, [IntentCorrection(f" {text.upper()}! ", "invoice")])
    assert dict(zip(found.texts, found.labels, strict=True))[f"{text.upper()}!"] == "invoice"
    assert text not in found.texts
    assert len(found.texts) == len(OWN.texts)


def test_of_several_corrections_of_one_question_the_last_one_counts() -> None:
    twice = [IntentCorrection("fapiao!", "return"), *CORRECTIONS, IntentCorrection("Fapiao", "invoice")]
    found = train_intents(OWN, twice, FakeEncoder()).examples
    pairs = [label for text, label in zip(found.texts, found.labels, strict=True) if text.lower() == "fapiao"]
    assert pairs == ["invoice"]


def test_the_head_is_published_where_the_bot_looks_for_it(tmp_path: Path) -> None:
    encoder = FakeEncoder()
    training = train_intents(OWN, CORRECTIONS, encoder)
    head = publish_head(training, tmp_path, encoder)
    encoder.encoded.clear()
    again = load_or_fit(tmp_path, training.examples, encoder)
    assert encoder.encoded == []  # found, not fitted
    assert again.texts == head.texts
    (vector,) = encoder.encode_queries(["fapiao for my sofa"])
    assert again.classify("fapiao for my sofa", vector).intents[0].intent == "invoice"


def test_too_few_corrections_teach_nothing() -> None:
    with pytest.raises(TrainingError, match=r"3 of 4 corrections.*10 are needed"):
        train_intents(OWN, [*CORRECTIONS[:3], IntentCorrection("x", "gone")], FakeEncoder())


def test_corrections_are_kept_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "var" / "corrections.jsonl"
    assert read_corrections(path) == []
    write_corrections(path, CORRECTIONS)
    assert read_corrections(path) == CORRECTIONS
    path.write_text('{"text": "a", "intent": "b"}\n{"text": ""}\n')
    with pytest.raises(RecordError, match=r"corrections\.jsonl:2"):
        read_corrections(path)
