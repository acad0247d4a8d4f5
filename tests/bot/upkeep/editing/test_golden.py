"""A logged turn becomes a golden question that the reader of golden questions understands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.conversation import ConversationId, Route
from bot.errors import ContentError
from bot.golden import load_golden
from bot.upkeep.editing.golden import Expected, expected_of, golden_edit
from tests.example_turns import example_turn

TURN = example_turn(ConversationId("c"))


def test_what_came_of_a_turn_is_what_must_come_of_it() -> None:
    article = TURN.sources[0].article_id
    assert expected_of(replace(TURN, route=Route.TEMPLATE, intent="postage")).intents == ("postage",)
    assert article in expected_of(replace(TURN, route=Route.GROUNDED)).articles
    assert expected_of(replace(TURN, route=Route.NO_ANSWER)) == Expected("refuse")
    assert expected_of(replace(TURN, route=Route.HANDOFF)) == Expected("handoff")
    with pytest.raises(ContentError):
        expected_of(replace(TURN, route=Route.PERSON))


def test_a_line_is_added_with_the_next_number_and_the_others_stay(tmp_path: Path) -> None:
    before = b'{"id": "g0007", "question": "a", "expect": {"kind": "refuse"}}'  # without a line end
    edit = golden_edit(
        before, "运费多少 — how much?", Expected("answer", ["postage"]), context=["在吗"], note="Mary"
    )
    assert edit.data is not None
    (tmp_path / "golden.jsonl").write_bytes(edit.data)
    first, second = load_golden(tmp_path)
    assert first.id == "g0007"
    assert (second.id, second.question, second.context) == ("g0008", "运费多少 — how much?", ("在吗",))
    assert second.intents == {"postage"}


def test_a_question_that_is_there_already_is_refused() -> None:
    edit = golden_edit(None, "运费多少", Expected("refuse"))
    with pytest.raises(ContentError, match="already"):
        golden_edit(edit.data, "运费多少", Expected("refuse"))
