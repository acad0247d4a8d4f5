"""What nobody used, as the log tells it; and what the log's turns are counted as."""

from __future__ import annotations

from typing import Any

from bot.conversation import (
    ConversationId,
    Correction,
    Language,
    PassageUsed,
    Rating,
    Route,
    ScoredIntent,
    Source,
    Turn,
)
from bot.memory.reading import LoggedTurn
from bot.upkeep.checks.diagnostics import Kind, Severity
from bot.upkeep.checks.log_window import log_window
from bot.upkeep.checks.materials import LogWindow, MissedTurn
from bot.upkeep.checks.unused import ENOUGH, check_unused
from tests.bot.upkeep.checks.looked_at import TODAY, article, intent, materials
from tests.example_turns import NOON, example_turn

TALK = ConversationId("talk")
INTENTS = [intent("fee", "运费 10 元。", "Postage is 10 yuan."), intent("time", "三天。", "Three days.")]


def turn(**changes: Any) -> Turn:
    quiet: dict[str, Any] = {"route": Route.NO_ANSWER, "intent": None, "passages": (), "sources": ()}
    return example_turn(TALK, **{**quiet, **changes})


def logged(asked: Turn, rating: int | None = None, correction: str | None = None) -> LoggedTurn:
    return LoggedTurn(
        turn=asked,
        rating=None if rating is None else Rating(asked.id, rating),
        correction=None if correction is None else Correction(asked.id, correction, "li"),
        channel="page",
        opened_at=NOON,
        visitor_sha256="ab",
    )


def window(*turns: LoggedTurn) -> LogWindow:
    return log_window(turns, NOON, materials([], INTENTS).content)


def passage(name: str, score: float, *, cited: bool = False) -> PassageUsed:
    return PassageUsed(1, f"{name}/zh/0", name, "ab", score, cited=cited)


def test_turns_are_counted_by_language_and_fragments_are_not() -> None:
    found = window(
        logged(turn(language=Language.ZH)),
        logged(turn(language=Language.ZH_HANT)),
        logged(turn(language=Language.EN)),
        logged(turn(route=Route.MERGED)),
    )
    assert dict(found.turns) == {"zh": 2, "en": 1}
    assert found.total == 3


def test_a_template_is_hit_by_the_turns_that_got_its_wording() -> None:
    found = window(
        logged(turn(route=Route.TEMPLATE, intent="fee")),
        logged(turn(route=Route.HANDOFF, intent="time")),
        logged(turn(route=Route.CLARIFY, intent=None, intents=(ScoredIntent("time", 0.4),))),
    )
    assert dict(found.hits) == {"fee": 1, "time": 1}


def test_an_article_is_found_when_it_was_cited_shown_or_likely_enough() -> None:
    source = Source(0, "shown", "shown/zh/0", "标题", Language.ZH, 0.9)
    found = window(
        logged(
            turn(
                thresholds={"grounded_score": 0.5},
                passages=(
                    passage("likely", 0.6),
                    passage("unlikely", 0.1),
                    passage("cited", 0.1, cited=True),
                ),
                sources=(source,),
            )
        )
    )
    assert dict(found.found) == {"likely": 1, "cited": 1, "shown": 1}


def test_a_template_that_was_voted_down_or_replaced_is_a_miss() -> None:
    served: dict[str, Any] = {
        "route": Route.TEMPLATE,
        "intent": "fee",
        "intents": (ScoredIntent("fee", 0.9), ScoredIntent("time", 0.05)),
    }
    asked = turn(question="多久到", **served)
    found = window(
        logged(asked, rating=-1),
        logged(asked, rating=1),
        logged(asked, correction="Three days"),
        logged(asked, correction="自己写的回答。"),
        logged(turn(route=Route.GROUNDED), rating=-1),
    )
    assert found.missed == (
        MissedTurn("多久到", "fee", "time", corrected=False),
        MissedTurn("多久到", "fee", "time", corrected=True),
    )


def test_what_nobody_used_in_enough_turns_is_a_hint_each() -> None:
    log = LogWindow(NOON, {"zh": ENOUGH - 1, "en": 1}, {"fee": 3}, {"tracking": 1})
    faces = [
        article("tracking"),
        article("spring", "zh"),
        article("spring", "en"),
        article("over", valid_until=TODAY.replace(year=2025)),
    ]
    found = list(check_unused(materials(faces, INTENTS, log=log)))
    assert [each.kind for each in found] == [Kind.TEMPLATE_UNUSED, Kind.ARTICLE_UNFOUND]
    assert found[0].locations[0].intent == "time"
    assert [place.language for place in found[1].locations] == ["zh", "en"]
    assert {each.severity for each in found} == {Severity.HINT}
    assert "in 200 turns (zh 199, en 1) since 2026-11-21" in found[0].message


def test_with_few_turns_or_no_log_it_is_too_early_to_say() -> None:
    (few,) = check_unused(materials([article("a")], INTENTS, log=LogWindow(NOON, {"en": ENOUGH - 1})))
    (none,) = check_unused(materials([article("a")], INTENTS))
    assert {few.kind, none.kind} == {Kind.LOG_TOO_SHORT}
    assert "199 turns" in few.message
    assert "no log yet" in none.message
