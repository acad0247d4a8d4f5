"""Replays the log: what customers asked then, answered from today's knowledge, and what of it is different."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from bot.knowledge import Knowledge
from bot.models import Reporter
from bot.upkeep.backtest.asking import How, completed, considered
from bot.upkeep.backtest.outcomes import outcome_of
from bot.upkeep.backtest.questions import PastQuestion, PastQuestions
from bot.upkeep.backtest.reports import Change, ReplayReport, change_of, report

ASKING = "ask again"  # the stage that is reported while questions are asked

log = structlog.get_logger(__name__)


def replay(
    questions: PastQuestions, knowledge: Knowledge, how: How, progress: Reporter = lambda *_: None
) -> ReplayReport:
    """Ask each question again and compare what comes of it with what the customer got. Nothing is stored.

    Args:
        questions: of the log, without turns that failed.
        knowledge: what answers come from now.
        how: on which day, and whether answers are written (about as long as a customer would wait for each).
        progress: called with stage, done and total.
    """

    def ask(question: PastQuestion) -> Change | None:
        after = completed(considered(question, knowledge, how), knowledge, how)
        return change_of(
            question,
            outcome_of(question.turn, quick=how.quick),
            outcome_of(after, quick=how.quick),
            quick=how.quick,
        )

    began = time.perf_counter()
    changes, broke = asked_all(questions.questions, ask, progress)
    return report(
        "replay",
        ("then", "today"),
        questions,
        changes,
        knowledge.provenance,
        quick=how.quick,
        seconds=time.perf_counter() - began,
        broke=broke,
    )


def asked_all(
    questions: tuple[PastQuestion, ...], ask: Callable[[PastQuestion], Change | None], progress: Reporter
) -> tuple[list[Change], int]:
    """The changes that `ask` finds, and how many questions it broke on: one must not cost the others."""
    changes, broke = [], 0
    progress(ASKING, 0, len(questions))
    for done, question in enumerate(questions, start=1):
        try:
            change = ask(question)
        except Exception as error:  # whatever breaks in a turn, a customer would have got an apology
            log.exception("question_not_asked_again", turn=question.turn.id, kind=type(error).__name__)
            broke += 1
        else:
            if change is not None:
                changes.append(change)
        progress(ASKING, done, len(questions))
    return changes, broke
