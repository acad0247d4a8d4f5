"""Corrected intents: what people corrected is learned, measured on what was not seen, and never at the others' cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.content import load_content
from bot.errors import ContentError
from bot.factory import load_knowledge
from bot.understanding.corrections import IntentCorrection, extended, read_corrections
from bot.understanding.intents import KNOWLEDGE, OUT_OF_SCOPE, TrainingSet
from finetune.curation.dataset import Dataset
from finetune.errors import TrainingError
from finetune.records import Conversation
from finetune.training.intent_training import (
    labelled_questions,
    teach_intents,
    told,
    train_intents,
    write_corrections,
)
from tests.example_talks import talk
from tests.fake_encoder import FakeEncoder
from tests.fakes import WordEncoder
from tests.tuned_shop import write_tuned_shop

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
    assert sorted(each.text for each in training.learned) == sorted(each.text for each in CORRECTIONS)
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
    assert gone not in training.learned
    assert kept in training.learned
    assert extended(OWN, [gone]) == OWN
    assert "opening-hours" in told(training)["en"]


def test_a_corrected_question_is_no_example_of_its_old_class_any_more() -> None:
    (text, *_) = OWN.texts
    found = extended(OWN, [IntentCorrection(f" {text.upper()}! ", "invoice")])
    assert dict(zip(found.texts, found.labels, strict=True))[f"{text.upper()}!"] == "invoice"
    assert text not in found.texts
    assert len(found.texts) == len(OWN.texts)


def test_of_several_corrections_of_one_question_the_last_one_counts() -> None:
    twice = [IntentCorrection("fapiao!", "return"), *CORRECTIONS, IntentCorrection("Fapiao", "invoice")]
    found = train_intents(OWN, twice, FakeEncoder()).learned
    assert [
        each.intent for each in found if each.text.lower().startswith("fapiao") and len(each.text) < 8
    ] == ["invoice"]


def test_too_few_corrections_teach_nothing() -> None:
    with pytest.raises(TrainingError, match=r"3 of 4 labelled questions.*10 are needed"):
        train_intents(OWN, [*CORRECTIONS[:3], IntentCorrection("x", "gone")], FakeEncoder())


def test_corrections_are_kept_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "var" / "corrections.jsonl"
    assert read_corrections(path) == []
    odd = [*CORRECTIONS, IntentCorrection("fapiao\u2028please\x85", "invoice")]  # these end no line of a file
    write_corrections(path, odd)
    assert read_corrections(path) == odd
    path.write_text('{"text": "a", "intent": "b"}\n{"text": ""}\n')
    with pytest.raises(ContentError, match=r"corrections\.jsonl:2"):
        read_corrections(path)


def training_set_of(*talks: Conversation) -> Dataset:
    return Dataset("set-1", Path("set-1"), talks, (), (), (), {})


def test_labels_of_imported_talks_are_learned_by_id_or_title_and_the_logs_guesses_are_not(
    tmp_path: Path,
) -> None:
    content = load_content(write_tuned_shop(tmp_path).knowledge_base)
    intent = content.intents["postage"]
    asked = training_set_of(
        talk("a", ("a?", "Yes."), ("and more?", "No."), intent=intent.id, source="csv"),
        talk("b", ("b?", "Yes."), intent=intent.title.en.upper(), source="csv"),
        talk("c", ("c?", "Yes."), intent="no such thing", source="csv"),
        talk("d", ("d?", "Yes."), intent=intent.id, source="kefu-log"),
        talk("e", ("e?", "Yes."), source="csv"),
    )
    found = labelled_questions(asked, content.intents)
    assert [(each.text, each.intent) for each in found] == [
        ("a?", "postage"),
        ("b?", "postage"),
        ("c?", "no such thing"),
    ]


def test_what_was_learned_is_what_the_bot_tells_intents_by(tmp_path: Path) -> None:
    settings, encoder = write_tuned_shop(tmp_path), WordEncoder()
    asked = [f"zork {word} {number}" for word in ("bring", "carry", "fetch") for number in range(5)]

    def score() -> float:
        head = load_knowledge(settings, encoder, None).reader.head
        ranked = head.classify("zork carry it", encoder.encode_queries(["zork carry it"])[0]).intents
        return {each.intent: each.score for each in ranked}.get("postage", 0.0)

    before = score()
    training = teach_intents(
        training_set_of(*(talk(text, (text, "Yes."), intent="postage", source="csv") for text in asked)),
        settings,
        encoder,
    )
    assert training.better, told(training)
    assert len(read_corrections(settings.intent_corrections_path)) == len(asked)
    assert score() > before + 0.3


def test_what_helps_nobody_is_not_kept(tmp_path: Path) -> None:
    settings = write_tuned_shop(tmp_path)
    known = load_content(settings.knowledge_base).intents["postage"].examples.all()
    rows = [
        talk(text, (text, "Yes."), intent="postage", source="csv")
        for text in (*known, *(f"{known[0]} {n}" for n in range(10)))
    ]
    training = teach_intents(training_set_of(*rows), settings, WordEncoder())
    assert not training.better
    assert "not learned" in told(training)["en"]
    assert not settings.intent_corrections_path.exists()
