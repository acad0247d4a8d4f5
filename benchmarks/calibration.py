"""Whether calibrated thresholds keep their budget: learned on one half of the golden questions, measured on the other.

    python benchmarks/calibration.py                  # at 1, 2 and 5 % wrong templates
    python benchmarks/calibration.py --budgets 2 5 --answers 8
    python benchmarks/calibration.py --html FILE      # reliability, and coverage against risk, at the first budget
    python benchmarks/calibration.py --json FILE      # the figures as JSON, too

Every question is asked once, with the model that serves; thresholds only decide what becomes of it. Peers in the same run:
the defaults, one fixed threshold for both languages chosen on the same half by the empirical risk alone, as is usually
done, and no threshold at all (the likeliest template, else the best article).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from golden_questions import half_of
from rich.console import Console
from rich.table import Table

from bot.conversation import Route
from bot.factory import load_knowledge
from bot.golden import load_golden
from bot.logs import configure_logs
from bot.models import make_encoder, make_generator
from bot.policy import Thresholds
from bot.progress_bars import Bars
from bot.settings import load_settings
from bot.thresholds import ThresholdTable
from bot.upkeep.calibration.evidence import golden_evidence
from bot.upkeep.calibration.fitting import (
    LOWEST_GROUNDED,
    LOWEST_TEMPLATE,
    Budgets,
    LanguageCalibration,
    fit_thresholds,
)
from bot.upkeep.calibration.observing import Observed, observe
from bot.upkeep.calibration.report import CalibrationReport, as_html
from retrieval.vector_cache import RecentTexts

_STEPS = np.round(np.arange(LOWEST_TEMPLATE, 1.0001, 0.01), 2)

Choice = Callable[[Observed], Thresholds]


def measure(observed: Sequence[Observed], chosen: Choice) -> dict[str, float]:
    """Shares of all questions, 0 to 1."""
    decisions = [(each, each.decide(chosen(each))) for each in observed]
    templates = [
        (each, d.intent) for each, d in decisions if d.route is Route.TEMPLATE and d.intent is not None
    ]
    grounded = [each for each, d in decisions if d.route is Route.GROUNDED]
    wrong_templates = sum(bool(each.evidence.template_wrong(intent)) for each, intent in templates)
    wrong_answers = sum(
        each.article is None or bool(each.evidence.article_wrong(each.article)) for each in grounded
    )
    count = len(observed)
    return {
        "templates": len(templates) / count,
        "wrong templates": wrong_templates / count,
        "grounded": len(grounded) / count,
        "wrong answers": wrong_answers / count,
        "answered rightly": (len(templates) + len(grounded) - wrong_templates - wrong_answers) / count,
        **{
            str(route): sum(d.route is route for _, d in decisions) / count
            for route in (Route.CLARIFY, Route.HANDOFF, Route.NO_ANSWER)
        },
    }


def by_empirical_risk(learned: Sequence[Observed], present: Thresholds, budget: float) -> Thresholds:
    """The lowest of a hundred template thresholds whose share of mistakes on what was learned is within the budget."""
    for step in _STEPS:
        chosen = replace(present, template_score=float(step))
        if measure(learned, lambda _, chosen=chosen: chosen)["wrong templates"] <= budget:
            return chosen
    return replace(present, template_score=1.0)


def applied(found: Sequence[LanguageCalibration], present: ThresholdTable) -> Choice:
    """The calibrated thresholds of a question's language."""
    tables = {each.language: each for each in found}

    def choose(observed: Observed) -> Thresholds:
        own = tables[observed.language]
        return replace(
            present.of(observed.language),
            template_score=own.template.calibrated,
            grounded_score=own.grounded.calibrated,
        )

    return choose


def main() -> None:
    """Ask once, calibrate on one half, measure on the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--budgets", type=float, nargs="+", default=[1.0, 2.0, 5.0], help="percent wrong templates"
    )
    parser.add_argument("--answers", type=float, default=8.0, help="percent wrong answers from articles")
    parser.add_argument("--html", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    configure_logs("error")
    settings = load_settings().patient()
    with Bars() as bars:
        encoder = RecentTexts(make_encoder(settings, bars.stage))
        knowledge = load_knowledge(settings, encoder, make_generator(settings, bars.stage))
        evidence = golden_evidence(load_golden(settings.knowledge_base))
        everything = observe(
            evidence,
            knowledge,
            day=datetime.now(ZoneInfo(settings.time_zone)).date(),
            top_k=settings.retrieval.top_k,
            lowest=LOWEST_GROUNDED,
            tick=lambda done: bars.stage("judged questions", done, len(evidence)),
        )
    learned, held = (
        [each for each in everything if half_of(each.evidence.id) == half] for half in ("dev", "test")
    )
    present = knowledge.thresholds
    anything = replace(present.zh, template_score=0.0, template_margin=0.0, grounded_score=0.0)
    rows = {
        "no threshold": measure(held, lambda _: anything),
        "the defaults": measure(held, lambda each: present.of(each.language)),
    }
    for percent in options.budgets:
        fixed = by_empirical_risk(learned, present.zh, percent / 100)
        rows[f"fixed, empirical risk {percent:g} %"] = measure(held, lambda _, fixed=fixed: fixed)
        budgets = Budgets(percent / 100, options.answers / 100)
        found = fit_thresholds(learned, present, budgets)
        rows[f"Kefu, budget {percent:g} %"] = measure(held, applied(found, present))
        report = CalibrationReport(
            datetime.now(UTC).isoformat(timespec="seconds"), budgets, len(learned), 0, 0, found
        )
        for line in report.warnings():
            Console(stderr=True).print(f"{percent:g} %: {line}")
        if options.html is not None and percent == options.budgets[0]:
            options.html.write_text(as_html(report), "utf-8")
    table = Table(
        title=f"Learned on {len(learned)} questions, measured on {len(held)} others; shares of all, %"
    )
    for column in ("", *next(iter(rows.values()))):
        table.add_column(column, justify="right" if column else "left")
    for name, figures in rows.items():
        table.add_row(name, *(f"{100 * value:.1f}" for value in figures.values()))
    Console(width=150).print(table)
    if options.json is not None:
        options.json.write_text(json.dumps({"benchmark": "calibration", "figures": rows}, indent=2), "utf-8")


if __name__ == "__main__":
    main()
