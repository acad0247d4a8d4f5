"""A calibration from golden questions and votes to thresholds that serve, on the small shop with real search."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bot.conversation import Language, Route
from bot.errors import ContentError
from bot.golden import load_golden
from bot.judged import write_judged
from bot.manager import Manager
from bot.settings import Settings
from bot.thresholds import ThresholdTable, threshold_table
from bot.upkeep.calibration.calibrate import calibrate, keep, stated_budgets
from bot.upkeep.calibration.evidence import golden_evidence
from bot.upkeep.calibration.fitting import Budgets
from bot.upkeep.calibration.observing import observe
from bot.upkeep.calibration.report import CalibrationReport, as_html, as_tables
from retrieval.calibration import LabelledQuestion
from tests.fakes import ScriptedGenerator
from tests.small_shop import ANNA, THRESHOLDS, TODAY, build_shop, reply_to
from tests.tuned_shop import write_golden

RIGHT = ["运费是多少呢", "请问包邮吗", "邮费怎么算的", "运费要多少钱", "多少钱包邮"]
# The words of an intent, in questions that it does not answer.
WRONG = ["运费多少能退", "包邮吗退货的时候", "邮费怎么算错了", "运费多少钱被多收了", "包邮吗那个赠品"]


def rows(questions: list[str], expect: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [{"id": f"{name}{i}", "question": text, "expect": expect} for i, text in enumerate(questions)]


def shop(folder: Path, golden: list[dict[str, Any]]) -> tuple[Manager, Settings]:
    manager = build_shop(folder)
    write_golden(folder / "knowledge_base", golden)
    return manager, Settings(knowledge_base=folder / "knowledge_base", var=folder / "var")


def run(manager: Manager, settings: Settings, budgets: Budgets) -> CalibrationReport:
    return calibrate(manager.knowledge, settings, manager._store.logged(), budgets, day=TODAY)


def test_templates_that_go_wrong_raise_their_threshold_until_the_budget_holds(tmp_path: Path) -> None:
    answer = {"kind": "answer", "intents": ["postage"]}
    manager, settings = shop(tmp_path, rows(RIGHT, answer, "r") + rows(WRONG, {"kind": "refuse"}, "w"))
    strict, lenient = (run(manager, settings, Budgets(share, 0.9)) for share in (0.2, 0.9))
    zh_strict, zh_lenient = strict.languages[0].template, lenient.languages[0].template
    assert strict.golden == 10
    assert zh_strict.calibrated > zh_lenient.calibrated
    assert zh_strict.found.risk <= 0.2
    assert zh_lenient.found.wrong > zh_strict.found.wrong
    assert (
        strict.languages[0].routes_after[Route.TEMPLATE] < lenient.languages[0].routes_after[Route.TEMPLATE]
    )


def test_what_was_calibrated_serves_from_then_on_with_its_certificate(tmp_path: Path) -> None:
    answer = {"kind": "answer", "intents": ["postage"]}
    manager, settings = shop(tmp_path, rows(RIGHT, answer, "r") + rows(WRONG, {"kind": "refuse"}, "w"))
    assert stated_budgets(settings) is None
    report = run(manager, settings, Budgets(0.2, 0.9))
    keep(report, manager.knowledge, settings, reads=False)
    table = threshold_table(settings, reads=False)
    assert table.of(Language.ZH).template_score == report.languages[0].template.calibrated
    assert stated_budgets(settings) == Budgets(0.2, 0.9)


def test_votes_are_evidence_beside_golden_questions(tmp_path: Path) -> None:
    manager, settings = shop(tmp_path, [])
    generous = replace(THRESHOLDS, template_score=0.1, template_margin=0.0)
    manager.use(replace(manager.knowledge, thresholds=ThresholdTable(generous, generous)))
    for text, vote in (("请问寄到北京运费多少呀", 1), ("麻烦问一下上海包邮吗", -1)):
        conversation = manager.open_conversation(ANNA, channel="page")
        reply = reply_to(manager.answer(conversation, text, visitor=ANNA))
        assert reply.route is Route.TEMPLATE
        manager.rate(conversation, reply.turn_id, vote, "", visitor=ANNA)
    report = run(manager, settings, Budgets(0.5, 0.5))
    assert (report.golden, report.logged) == (0, 2)
    template = report.languages[0].template
    assert [(each.turns, each.right) for each in template.reliability] == [(1, 1.0), (1, 0.0)]
    voted_down = template.reliability[1].score
    assert voted_down < template.calibrated < voted_down + 0.001  # two turns allow no mistake at a half


def test_too_few_judged_turns_change_nothing_and_say_so(tmp_path: Path) -> None:
    manager, settings = shop(tmp_path, rows(RIGHT[:2], {"kind": "answer", "intents": ["postage"]}, "r"))
    report = run(manager, settings, Budgets())
    for each in report.languages:
        assert each.template.calibrated == each.template.before
    said = list(report.warnings())
    assert any("2 judged turns are too few to promise 2.0%; 49 are needed" in line for line in said)


def test_an_example_letter_for_letter_is_left_out(tmp_path: Path) -> None:
    manager, settings = shop(
        tmp_path, rows(["运费多少？", "运费是多少呢"], {"kind": "answer", "intents": ["postage"]}, "r")
    )
    assert run(manager, settings, Budgets()).left_out == 1


def test_a_question_that_the_search_learned_is_left_out_also_as_a_follow_up(tmp_path: Path) -> None:
    golden = rows(["大家电保修几年啊", "保修多少年"], {"kind": "answer", "articles": ["warranty"]}, "r")
    golden[1] |= {"question": "那电池呢", "context": ["大家电保修几年呀"]}
    manager, settings = shop(tmp_path, golden)
    assert run(manager, settings, Budgets()).left_out == 0
    learned = ("大家电保修几年啊", "大家电保修几年呀 那电池呢")
    write_judged(
        settings.judged_questions_path, [LabelledQuestion(text, frozenset({"warranty"})) for text in learned]
    )
    assert run(manager, settings, Budgets()).left_out == 2


def test_what_the_model_declines_is_no_mistake_of_the_article(tmp_path: Path) -> None:
    write = ScriptedGenerator("[0]", "[0]")
    manager = build_shop(tmp_path, write)
    write_golden(tmp_path / "knowledge_base", rows(["大家电保修几年啊"], {"kind": "refuse"}, "r"))
    (found,) = observe(
        golden_evidence(load_golden(tmp_path / "knowledge_base")),
        manager.knowledge,
        day=TODAY,
        top_k=5,
        lowest=0.1,
    )
    assert found.declined
    assert found.decide(manager.knowledge.thresholds.zh).route is not Route.GROUNDED


def test_a_follow_up_is_asked_after_what_was_said_before(tmp_path: Path) -> None:
    golden = [{"id": "f", "question": "电池呢", "context": ["大家电保修几年"], "expect": {"kind": "refuse"}}]
    manager, settings = shop(tmp_path, golden)
    (found,) = observe(
        golden_evidence(load_golden(settings.knowledge_base)),
        manager.knowledge,
        day=TODAY,
        top_k=5,
        lowest=0.1,
    )
    assert found.asked.understanding.follow_up
    assert "保修" in found.asked.understanding.question


def test_without_anything_judged_it_says_what_is_needed(tmp_path: Path) -> None:
    manager, settings = shop(tmp_path, [])
    with pytest.raises(ContentError, match="golden questions, or wait for votes"):
        run(manager, settings, Budgets())


def test_the_report_shows_thresholds_routes_and_both_plots(tmp_path: Path) -> None:
    answer = {"kind": "answer", "intents": ["postage"]}
    manager, settings = shop(tmp_path, rows(RIGHT, answer, "r") + rows(WRONG, {"kind": "refuse"}, "w"))
    report = run(manager, settings, Budgets(0.2, 0.9))
    console = Console(record=True, width=160)
    console.print(as_tables(report))
    text = console.export_text()
    assert f"{report.languages[0].template.calibrated:.3f}" in text
    page = as_html(report)
    assert page.count("<svg") == 8
    assert "http" not in page.replace("http-equiv", "")
