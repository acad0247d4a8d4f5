"""Says what an edit would change before it is saved: past questions, asked of the present and of the edited knowledge.

Both sides are answered now, so that the edit is all that differs between them. Deciding takes a few hundredths of a
second, writing with the language model most of one; so an answer is written only where the two sides do not decide the
same on the same passages (see `_alike`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from bot.conversation import Route
from bot.knowledge import Knowledge
from bot.models import Reporter
from bot.turns import Asked
from bot.upkeep.backtest.asking import How, completed, considered
from bot.upkeep.backtest.edits import Touched
from bot.upkeep.backtest.outcomes import outcome_of
from bot.upkeep.backtest.questions import PastQuestion, PastQuestions
from bot.upkeep.backtest.replay import asked_all
from bot.upkeep.backtest.reports import Change, ReplayReport, change_of, report
from retrieval.chunking import embedded_text
from retrieval.encoder import Vectors

_SAME_SCORE = 0.01  # an edit moves every score a little, because the search learns its probabilities anew
_BATCH = 64  # questions that are encoded at a time


def diff(
    questions: PastQuestions,
    present: Knowledge,
    edited: Knowledge,
    touched: Touched,
    how: How,
    *,
    limit: int,
    progress: Reporter = lambda *_: None,
) -> ReplayReport:
    """Ask past questions of both and compare what comes of them. Nothing is stored.

    Args:
        questions: of the log.
        present: what answers come from now.
        edited: what they would come from.
        touched: what the edit changes.
        how: on which day, and whether answers are written.
        limit: most questions that are asked. First come those that were answered from what the edit touches, then those
            that are nearest to its texts.
        progress: called with stage, done and total.
    """

    def ask(question: PastQuestion) -> Change | None:
        before, after = considered(question, present, how), considered(question, edited, how)
        if not touched.messages and _alike(before, after):
            return None
        return change_of(
            question,
            outcome_of(completed(before, present, how), quick=how.quick),
            outcome_of(completed(after, edited, how), quick=how.quick),
            quick=how.quick,
        )

    began = time.perf_counter()
    chosen = _concerned(questions.questions, present, edited, touched, limit, progress)
    changes, broke = asked_all(chosen, ask, progress)
    return report(
        "diff",
        ("now", "edited"),
        questions,
        changes,
        edited.provenance,
        quick=how.quick,
        seconds=time.perf_counter() - began,
        broke=broke,
        not_asked=len(questions.questions) - len(chosen),
        touched=touched,
    )


def _alike(before: Asked, after: Asked) -> bool:
    """Whether both are answered from the same passages for the same reasons: then, but for a tie, with the same words."""
    return (
        before.decision.route is Route.GROUNDED
        and before.decision == after.decision
        and before.as_question().text == after.as_question().text
        and [hit.passage.content_hash for hit in before.hits]
        == [hit.passage.content_hash for hit in after.hits]
        and all(
            abs(mine.score - other.score) < _SAME_SCORE
            for mine, other in zip(before.hits, after.hits, strict=True)
        )
    )


def _concerned(
    questions: tuple[PastQuestion, ...],
    present: Knowledge,
    edited: Knowledge,
    touched: Touched,
    limit: int,
    progress: Reporter,
) -> tuple[PastQuestion, ...]:
    """At most `limit` of the questions, those that the edit concerns most, in order of time."""
    if len(questions) <= limit:
        return questions
    nearness = _nearness(questions, present, edited, touched, progress)
    used = [_used(question, touched) for question in questions]
    ranked = sorted(range(len(questions)), key=lambda row: (not used[row], -nearness[row], -row))
    return tuple(questions[row] for row in sorted(ranked[:limit]))


def _used(question: PastQuestion, touched: Touched) -> bool:
    """Whether the answer then rested on something that is touched."""
    turn = question.turn
    return turn.intent in touched.intents or any(
        source.article_id in touched.articles for source in turn.sources
    )


def _nearness(
    questions: Sequence[PastQuestion],
    present: Knowledge,
    edited: Knowledge,
    touched: Touched,
    progress: Reporter,
) -> Vectors:
    """Cosine of each question to the nearest text that is touched; equal for all if only wording is. Shape (n,)."""
    encoder = present.reader.encoder
    passages = list(dict.fromkeys(chain(_passages(present, touched), _passages(edited, touched))))
    asked = list(dict.fromkeys(chain(_examples(present, touched), _examples(edited, touched))))
    targets = np.concatenate((encoder.encode_passages(passages), encoder.encode_queries(asked)))
    nearness = np.zeros(len(questions), dtype=np.float32)
    for start in range(0, len(questions) if len(targets) else 0, _BATCH):
        texts = [question.turn.question for question in questions[start : start + _BATCH]]
        nearness[start : start + len(texts)] = (encoder.encode_queries(texts) @ targets.T).max(axis=1)
        progress("choose", start + len(texts), len(questions))
    return nearness


def _passages(knowledge: Knowledge, touched: Touched) -> Iterator[str]:
    for passage in knowledge.index.passages():
        if passage.article_id in touched.articles:
            yield embedded_text(passage)


def _examples(knowledge: Knowledge, touched: Touched) -> Iterator[str]:
    for name in touched.intents:
        intent = knowledge.content.intents.get(name)
        if intent is not None:
            yield from intent.examples.all()
    if touched.out_of_scope:
        yield from knowledge.content.out_of_scope.all()
