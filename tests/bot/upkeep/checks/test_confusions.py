"""Intents that are taken for each other: by the head on the team's examples, and as people say."""

from __future__ import annotations

from typing import Any

from bot.content import Intent
from bot.understanding.corrections import IntentCorrection
from bot.understanding.intents import KNOWLEDGE, OUT_OF_SCOPE, TrainingSet
from bot.upkeep.checks.confusions import check_confusions, out_of_fold
from bot.upkeep.checks.diagnostics import Diagnostic, Kind, Severity
from bot.upkeep.checks.materials import LogWindow, Materials, MissedTurn
from tests.bot.upkeep.checks.looked_at import article, intent, materials
from tests.example_turns import NOON
from tests.fakes import WordEncoder

# Two intents that are clear, and two whose examples a person has mixed up: half of each speak of the other's subject.
CLEAR = {
    "parking": [
        "停车场 在哪里",
        "停车场 怎么走",
        "停车场 多少钱",
        "parking garage where",
        "parking garage price",
        "停车场 parking",
    ],
    "towels": ["毛巾 在哪领", "毛巾 怎么换", "毛巾 脏了", "towel please", "towel fresh", "毛巾 towel"],
}
MIXED = {
    "cancel": [
        "退订 课程",
        "退订 课程 怎么弄",
        "退订 团课",
        "改期 课程 时间",
        "改期 课程 周三",
        "改期 团课 时间",
    ],
    "move": [
        "改期 课程",
        "改期 课程 怎么弄",
        "改期 团课",
        "退订 课程 时间",
        "退订 课程 周三",
        "退订 团课 时间",
    ],
}


def training(examples: dict[str, list[str]]) -> TrainingSet:
    pairs = [(text, label) for label, texts in examples.items() for text in texts]
    return TrainingSet(tuple(text for text, _ in pairs), tuple(label for _, label in pairs))


def intents(examples: dict[str, list[str]]) -> list[Intent]:
    return [
        intent(name, examples={"zh": texts, "en": [f"{name} it"]})
        for name, texts in examples.items()
        if not name.startswith("(")
    ]


def looked_at(examples: dict[str, list[str]], **fields: Any) -> Materials:
    return materials([], intents(examples), examples=training(examples), **fields)


def test_no_example_is_judged_by_a_head_that_saw_it() -> None:
    examples = training({**CLEAR, "odd": ["毛巾 在哪领 呢"]})
    guesses = out_of_fold(examples, WordEncoder().encode_queries(examples.texts), folds=3)
    assert guesses[-1] is None  # the only one of its class
    assert all(guess is not None for guess in guesses[:-1])
    alone = {"a": ["苹果", "香蕉"], "b": ["汽车", "轮船"]}  # nothing but the example itself would tell
    unseen = out_of_fold(training(alone), WordEncoder().encode_queries(training(alone).texts), folds=2)
    assert any(
        guess is not None and guess.label != label
        for guess, label in zip(unseen, training(alone).labels, strict=True)
    )


def test_clear_intents_are_not_confused() -> None:
    assert list(check_confusions(looked_at(CLEAR))) == []


def test_intents_whose_examples_are_mixed_up_are_found_with_the_examples_that_went_astray() -> None:
    lines = {"intents/cancel.yaml": tuple(MIXED["cancel"])}
    (found,) = check_confusions(looked_at({**CLEAR, **MIXED}, lines=lines))
    assert (found.kind, found.severity) == (Kind.CONFUSED_INTENTS, Severity.WARNING)
    assert {place.intent for place in found.locations} == {"cancel", "move"}
    assert "of cancel taken for move" in found.message
    astray = [place for place in found.locations if place.intent == "cancel"]
    assert {str(place.note) for place in astray} == {"taken for move"}
    assert [place.line for place in astray] == [MIXED["cancel"].index(place.text) + 1 for place in astray]


def test_questions_of_articles_and_out_of_scope_are_hints_only() -> None:
    mixed = {
        "cancel": MIXED["cancel"],
        KNOWLEDGE: MIXED["move"],
        OUT_OF_SCOPE: ["天气 怎么样", "天气 如何", "weather today", "天气 weather"],
    }
    faces = [article("moving", title=MIXED["move"][0], questions=tuple(MIXED["move"][1:]))]
    checked = materials(faces, intents({"cancel": MIXED["cancel"]}), examples=training(mixed))
    (found,) = check_confusions(checked)
    assert found.severity is Severity.HINT
    assert {place.owner for place in found.locations} >= {"article moving (zh)", "intent cancel (zh)"}


def told(*missed: MissedTurn) -> list[Diagnostic]:
    return list(check_confusions(materials([], intents(CLEAR), log=LogWindow(NOON, missed=missed))))


def test_a_template_that_a_person_replaced_is_told_at_once_and_votes_when_there_are_some() -> None:
    (found,) = told(MissedTurn("where do I get one", "parking", "towels", corrected=True))
    assert found.message == "1 question went astray: 1 of towels taken for parking."
    assert (str(found.locations[0]), str(found.locations[0].note)) == ("log", "taken for parking; corrected")
    voted = MissedTurn("在哪领", "parking", "towels", corrected=False)
    assert told(voted, voted) == []
    (found,) = told(voted, voted, voted)
    assert str(found.locations[0].note) == "taken for parking; voted down"
    assert told(*[MissedTurn("在哪领", "parking", None, corrected=False)] * 3) == []


def test_a_question_that_a_person_relabelled_is_told_if_the_examples_still_lead_elsewhere() -> None:
    relabelled = (IntentCorrection("停车场 毛巾 在哪里", "towels"), IntentCorrection("towel", "towels"))
    (found,) = check_confusions(looked_at(CLEAR, corrections=relabelled))
    assert [place.text for place in found.locations] == ["停车场 毛巾 在哪里"]
    assert found.locations[0].intent == "towels"


def test_without_two_classes_there_is_nothing_to_confuse() -> None:
    assert list(check_confusions(looked_at({"parking": CLEAR["parking"]}))) == []
    assert list(check_confusions(materials())) == []
