"""The report in a terminal, as a page and as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from bot.conversation import ConversationId, Language, Provenance, Rating, Route, Source, TurnId
from bot.errors import BotError
from bot.memory.reading import LoggedTurn
from bot.upkeep.backtest.edits import Touched
from bot.upkeep.backtest.outcomes import outcome_of
from bot.upkeep.backtest.questions import PastQuestion, PastQuestions
from bot.upkeep.backtest.reports import Change, ReplayReport, change_of, report
from bot.upkeep.backtest.showing import as_html, as_json, as_text, headline, notes, write_report
from tests.example_turns import NOON, example_turn

ZONE = ZoneInfo("Asia/Shanghai")
TURN = example_turn(
    ConversationId("c"),
    customer_text="运费 <script>多少</script> [bold]",
    question="运费多少",
    answer="满 99 元包邮。",
    route=Route.TEMPLATE,
    intent="postage",
)


def question(rating: int | None = None) -> PastQuestion:
    judged = None if rating is None else Rating(TURN.id, rating)
    return PastQuestion(LoggedTurn(TURN, judged, None, "page", NOON, "hash"), (), ())


def change(rating: int | None = None, before: dict[str, Any] | None = None, **after: Any) -> Change:
    first = replace(TURN, **before) if before else TURN
    found = change_of(question(rating), outcome_of(first), outcome_of(replace(first, **after)), quick=False)
    assert found is not None
    return found


def made(*changes: Change, asked: int = 10, **more: Any) -> ReplayReport:
    questions = PastQuestions(datetime(2026, 11, 26, tzinfo=UTC), None, (question(),) * asked)
    settled: dict[str, Any] = {"quick": False, "seconds": 1.0, "broke": 0, **more}
    where = Provenance("0.1.0", "index-8", "e5", "gemma", "adapter-3", 2)
    return report("replay", ("then", "today"), questions, changes, where, **settled)


WORDING = {"answer": "满 129 元包邮。"}
ROUTE = {"route": Route.NO_ANSWER, "intent": None, "answer": "不知道。"}


def text(found: ReplayReport, most: int = 20) -> str:
    console = Console(width=120, file=None, record=True, color_system=None)
    with console.capture() as captured:
        console.print(as_text(found, ZONE, most=most))
    return captured.get()


def test_the_headline_says_how_many_changed_and_how_they_were_rated() -> None:
    found = made(change(1, **WORDING), change(-1, **WORDING), change(1, **ROUTE), change(None, **WORDING))
    assert headline(found, ZONE) == (
        "10 questions since 2026-11-26 08:00: 6 the same, 4 are answered differently, of which 2 rated good and "
        "1 rated bad."
    )
    assert headline(made(change(**ROUTE), asked=1), ZONE) == (
        "1 question since 2026-11-26 08:00: 0 the same, 1 is answered differently, none of them rated."
    )
    assert headline(made(), ZONE).endswith("no answer changes.")


def test_the_terminal_shows_both_sides_and_the_figures_by_kind() -> None:
    shown = text(made(change(1, **WORDING), change(-1, **ROUTE)))
    assert "运费 <script>多少</script> [bold]  rated good" in shown
    assert "read as: 运费多少" in shown
    assert re.search(r"满 99 元包邮。\s*│ 满 129 元包邮。", shown)
    assert re.search(r"template \(.*\).*│ no_answer", shown)
    assert re.search(r"the wording only\s*│ 1\s*│ 1\s*│ 0\s*│ 0", shown)
    assert re.search(r"another route\s*│ 1\s*│ 0\s*│ 1\s*│ 0", shown)
    assert re.search(r"together\s*│ 2\s*│ 1\s*│ 1\s*│ 0", shown)
    assert "another intent" not in shown
    assert "best passage 0.83 ≥ 0.5; draft" in shown


def test_the_weightiest_changes_and_the_ones_that_were_good_come_first() -> None:
    found = made(change(None, **WORDING), change(1, **WORDING), change(-1, **ROUTE))
    assert [(each.kind.value, each.rating) for each in found.changes] == [
        ("route", -1),
        ("wording", 1),
        ("wording", None),
    ]
    shown = text(found, most=1)
    assert "不知道" in shown
    assert "129" not in shown
    assert "and 2 more: --html FILE and --json FILE" in shown


def test_what_must_be_known_to_read_the_figures_is_said() -> None:
    questions = PastQuestions(None, NOON, (question(),) * 5, fragments=1, failures=2, older=3)
    where = Provenance("0.1.0", "index-8", "e5")
    found = report(
        "diff", ("now", "edited"), questions, [], where, quick=True, seconds=1.0, broke=1, not_asked=1
    )
    assert found.asked == 3
    assert headline(found, ZONE).startswith("3 questions before 2026-11-21 20:00")
    said = " ".join(notes(found))
    for part in (
        "No answer was written from articles",
        "1 message read together",
        "2 turns left out",
        "4 questions over",
    ):
        assert part in said
    assert "1 question could not be asked again" in said
    assert list(notes(made())) == []


def test_a_rating_of_another_answer_is_in_brackets() -> None:
    old = made(change(1, before={"answer": "满 89 元包邮。"}, **WORDING))
    assert "(rated good)" in text(old)
    assert "in brackets" in " ".join(notes(old))
    assert "in brackets" not in " ".join(notes(made(change(1, **WORDING))))


def test_the_page_fetches_nothing_runs_nothing_and_marks_what_differs() -> None:
    touched = Touched(("warranty",), ("postage",), out_of_scope=True, messages=True)
    page = as_html(made(change(1, **WORDING), touched=touched), ZONE)
    assert "<script>" not in page
    assert "&lt;script&gt;多少" in page
    assert not re.search(r"(src|href)=|url\(|@import", page)
    assert "default-src 'none'" in page
    assert "满 <del>99</del> 元包邮。" in page
    assert "满 <ins>129</ins> 元包邮。" in page
    for part in (
        "article warranty, intent postage, out-of-scope examples, messages",
        "adapter-3",
        "rated good",
    ):
        assert part in page
    assert "no answer changes" in as_html(made(), ZONE)


def test_the_json_holds_every_change_and_the_figures() -> None:
    found = made(change(1, **WORDING), change(None, sources=(Source(1, "a", "", "", Language.EN, 0.5),)))
    read = json.loads(json.dumps(as_json(found), default=str))
    assert (read["kind"], read["asked"], read["same"]) == ("kefu-backtest", 10, 8)
    assert read["changed"] == {"changed": 2, "up": 1, "down": 0, "unrated": 1}
    assert read["by_kind"]["sources"]["changed"] == 1
    sources, wording = read["changes"]
    assert sources["after"]["articles"] == ["a"]
    assert wording["after"]["answer"] == "满 129 元包邮。"
    assert wording["kinds"] == ["wording"]


def test_files_are_written_whole_and_a_place_that_cannot_be_is_named(tmp_path: Path) -> None:
    found = made(change(1, **WORDING))
    write_report(found, ZONE, json_path=tmp_path / "new/r.json", html_path=tmp_path / "r.html")
    assert json.loads((tmp_path / "new/r.json").read_text("utf-8"))["changes"][0]["turn_id"] == TurnId(
        TURN.id
    )
    assert (tmp_path / "r.html").read_text("utf-8") == as_html(found, ZONE)
    with pytest.raises(BotError, match=r"r\.html"):
        write_report(found, ZONE, json_path=None, html_path=tmp_path / "r.html" / "r.html")
