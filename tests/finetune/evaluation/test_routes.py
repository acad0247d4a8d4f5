"""What must not change, asked of the whole bot."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.content import load_content
from bot.conversation import Route
from bot.golden import load_golden
from bot.settings import Settings
from finetune.evaluation.routes import Fixed, Taken, changes, fixed_questions, routes
from tests.fakes import ScriptedGenerator, WordEncoder
from tests.tuned_shop import write_tuned_shop


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return write_tuned_shop(tmp_path_factory.mktemp("shop"))


def test_what_must_not_change_is_refusals_hand_overs_and_a_question_an_intent(settings: Settings) -> None:
    golden = load_golden(settings.knowledge_base)
    questions = fixed_questions(golden, load_content(settings.knowledge_base))
    assert [(each.id, each.kind) for each in questions[:3]] == [
        ("g5", "refuse"),
        ("g6", "handoff"),
        ("g7", "refuse"),
    ]
    assert {each.id for each in questions[3:]} == {
        f"{intent}-{language}"
        for intent in ("order-status", "postage", "damaged", "talk-to-person")
        for language in ("zh", "en")
    }


def test_each_question_goes_through_the_real_manager_and_leaves_no_log(settings: Settings) -> None:
    ticks: list[None] = []
    questions = [
        Fixed("a", "运费多少", (), "template"),
        Fixed("b", "转人工", (), "handoff"),
        Fixed("c", "写一首诗", (), "refuse"),
        Fixed("d", "电池在保修范围内吗", ("大家电保修几年",), "refuse"),
    ]
    generator = ScriptedGenerator("[1] 大家电保修 3 年。", "[0]")
    taken = routes(questions, settings, WordEncoder(), generator, lambda: ticks.append(None))
    assert taken["a"] == Taken(Route.TEMPLATE, "postage", "满 99 元包邮。")
    assert taken["b"].route is Route.HANDOFF
    assert taken["c"].route is Route.NO_ANSWER
    assert taken["d"].route is not Route.GROUNDED  # the model declined
    assert len(ticks) == 4
    assert len(generator.prompts) == 2
    assert not (Path(settings.var) / "kefu.db").exists()


def route(way: Route, intent: str | None = None, wording: str = "") -> Taken:
    return Taken(way, intent, wording)


@pytest.mark.parametrize(
    ("kind", "current", "candidate", "broke"),
    [
        ("refuse", route(Route.NO_ANSWER), route(Route.GROUNDED), True),
        ("refuse", route(Route.GROUNDED), route(Route.NO_ANSWER), False),
        ("refuse", route(Route.NO_ANSWER), route(Route.HANDOFF), False),
        ("handoff", route(Route.HANDOFF), route(Route.NO_ANSWER), True),
        ("clarify", route(Route.GROUNDED), route(Route.CLARIFY), False),
        ("clarify", route(Route.NO_ANSWER), route(Route.GROUNDED), True),
        ("template", route(Route.TEMPLATE, "a", "x"), route(Route.TEMPLATE, "b", "x"), True),
        ("template", route(Route.TEMPLATE, "a", "x"), route(Route.TEMPLATE, "a", "y"), True),
        ("template", route(Route.GROUNDED), route(Route.TEMPLATE, "a", "x"), True),
    ],
)
def test_another_way_broke_something_unless_it_is_the_right_one(
    kind: str, current: Taken, candidate: Taken, broke: bool
) -> None:
    question = Fixed("q", "?", (), kind)
    (change,) = changes([question], {"q": candidate}, {"q": current})
    assert change.broke is broke
    assert changes([question], {"q": current}, {"q": current}) == []


def test_a_change_names_both_ways() -> None:
    question = Fixed("q", "?", (), "template")
    (change,) = changes(
        [question], {"q": route(Route.GROUNDED)}, {"q": route(Route.TEMPLATE, "postage", "x")}
    )
    assert (change.current, change.candidate) == ("template (postage)", "grounded")
