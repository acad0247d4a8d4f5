"""A calibration, told in order: gather what people judged, ask it again, fit the thresholds, and write them down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial

from bot.errors import ContentError
from bot.golden import load_golden
from bot.judged import read_judged
from bot.knowledge import Knowledge
from bot.memory.reading import LoggedTurn
from bot.safety.redact import redact
from bot.settings import Settings
from bot.thresholds import grounded_name, read_certificate, write_calibrated
from bot.upkeep.calibration.evidence import GOLDEN, LOG, golden_evidence, logged_evidence
from bot.upkeep.calibration.fitting import LOWEST_GROUNDED, Budgets, fit_thresholds
from bot.upkeep.calibration.observing import observe
from bot.upkeep.calibration.report import CalibrationReport

Progress = Callable[[str, int, int], None]  # what, done, total


def calibrate(
    knowledge: Knowledge,
    settings: Settings,
    logged: Iterable[LoggedTurn],
    budgets: Budgets,
    *,
    day: date,
    progress: Progress = lambda *_: None,
) -> CalibrationReport:
    """Learn thresholds from the golden questions and the judged turns of the log. Nothing is written: see `keep`.

    Args:
        knowledge: what answers are made from, with the thresholds that serve now.
        settings: the bot's.
        logged: turns in order of time with what people said about them.
        budgets: the mistakes that are allowed.
        day: of articles' validity.
        progress: told how far it is.

    Raises:
        ContentError: a golden question is wrong, or nothing was judged at all.
    """
    mask = partial(redact, allow=settings.safety.shown_contacts)
    evidence = [*golden_evidence(load_golden(settings.knowledge_base)), *logged_evidence(logged, mask)]
    if not evidence:
        raise ContentError(
            f"Thresholds are learned from judged questions, and there are none: {settings.knowledge_base} has no "
            "golden.jsonl, and in the log no answer was voted on or corrected. Write golden questions, or wait for votes."
        )
    observed = observe(
        evidence,
        knowledge,
        day=day,
        top_k=settings.retrieval.top_k,
        lowest=LOWEST_GROUNDED,
        learned=[each.text for each in read_judged(settings.judged_questions_path)],
        tick=lambda done: progress("judged questions", done, len(evidence)),
    )
    origins = [each.evidence.origin for each in observed]
    return CalibrationReport(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        budgets=budgets,
        golden=origins.count(GOLDEN),
        logged=origins.count(LOG),
        left_out=len(evidence) - len(observed),
        languages=fit_thresholds(observed, knowledge.thresholds, budgets),
    )


def keep(report: CalibrationReport, knowledge: Knowledge, settings: Settings, *, reads: bool) -> None:
    """Write the thresholds, with what they were learned on; a running bot takes them up.

    Raises:
        SettingsError: they cannot be written; what was there before stays.
    """
    values = {
        each.language: {
            "template_score": each.template.calibrated,
            grounded_name(reads=reads): each.grounded.calibrated,
        }
        for each in report.languages
    }
    certificate = {
        "at": report.at,
        "budgets": asdict(report.budgets),
        "judged": {GOLDEN: report.golden, LOG: report.logged},
        "made_with": asdict(knowledge.provenance),
        "warnings": list(report.warnings()),
    }
    write_calibrated(settings.thresholds_path, values, certificate)


def stated_budgets(settings: Settings) -> Budgets | None:
    """The budgets of the last calibration, for the next; None if there was none.

    Raises:
        SettingsError: what it wrote is damaged.
    """
    budgets = read_certificate(settings.thresholds_path).get("budgets")
    return None if budgets is None else Budgets(**budgets)
