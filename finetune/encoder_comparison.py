"""Two encoders side by side, on a team's own questions: intents of held-out examples, and what search finds for golden ones.

Each encoder gets its own intent head and its own index, made as `kefu index` makes them, so that nothing but the encoder
differs. What is reported is paired: the same questions, the difference with its bootstrap interval.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.content import Content
from bot.golden import Golden
from bot.learning import english_encoder, intent_encoder, labelled_questions, said_to_intents
from bot.settings import Settings
from bot.understanding.intents import TrainingSet, fit_head
from bot.understanding.language import detect, to_simplified
from finetune.evaluation.measures import SCOPES, Score
from finetune.evaluation.statistics import Estimate, estimate, paired_difference
from finetune.examples.passage_finder import library_of
from finetune.training.intent_training import put_right
from retrieval.build import build_index
from retrieval.encoder import Encoder
from retrieval.joined_encoder import parts_of
from retrieval.search import SearchIndex

INTENTS = "intents"  # share of the held-out questions that are put to their class
SEARCH = "hit@3"  # share of the golden questions of which an article that answers is among the first three
_DEPTH = 3
_NAMES: Mapping[str, str] = {"all": "", "zh": "Chinese ", "en": "English "}

Stages = Callable[[str, int, int], None]  # stage, done, of how many


@dataclass(frozen=True)
class Questions:
    """What encoders are compared on. The head learns from `seen`; neither head nor encoder from `held_out`."""

    content: Content
    seen: TrainingSet
    held_out: TrainingSet
    golden: tuple[Golden, ...]


def judged_by_search(questions: Sequence[Golden]) -> tuple[Golden, ...]:
    """The golden questions that an article answers; follow-ups are left out, because they are searched with what was before."""
    return tuple(each for each in questions if each.kind == "answer" and each.articles and not each.context)


def compare_encoders(
    tuned: Encoder, now: Encoder, questions: Questions, settings: Settings, stages: Stages
) -> tuple[Score, ...]:
    """Both measures over all questions and by language (zh, en), shares of 0 to 1.

    Args:
        tuned: the candidate.
        now: what serves.
        questions: what they are asked.
        settings: the bot's: how it searches and reads.
        stages: told how far the two indexes are.
    """
    right, right_now = (_put_right(encoder, questions, settings) for encoder in (tuned, now))
    found, found_now = (_found(encoder, questions, settings, stages) for encoder in (tuned, now))
    return (
        *_scores(INTENTS, questions.held_out.texts, right, right_now),
        *_scores(SEARCH, [each.question for each in questions.golden], found, found_now),
    )


def why_not(scores: Sequence[Score]) -> tuple[str, ...]:
    """Why the tuned encoder should not serve, in sentences; none if it should.

    It must put more held-out questions right beyond noise over all, and fewer beyond noise in neither language; search,
    for which it was not trained, must not find less over all, and not less beyond noise in either language.
    """
    reasons = []
    for score in scores:
        whole = score.scope == "all"
        if score.metric == INTENTS and whole and not score.gained:
            reasons.append(
                f"Held-out questions are not put right more often beyond noise: {in_figures(score)}."
            )
        elif score.metric == INTENTS and score.lost:
            reasons.append(f"Fewer {_NAMES[score.scope]}questions are put right: {in_figures(score)}.")
        elif score.metric == SEARCH and (score.lost or (whole and score.difference.mean < 0)):
            reasons.append(
                f"Search finds less for {_NAMES[score.scope]}golden questions, {SEARCH}: {in_figures(score)}."
            )
    return tuple(reasons)


def in_figures(score: Score) -> str:
    """A score as people read it: 91.0 % → 93.2 %, +2.2 points (+0.8 … +3.6) on 480 questions."""
    before, after = (f"{100 * share.mean:.1f} %" for share in (score.current, score.candidate))
    return f"{before} → {after}, {points(score.difference)} on {score.difference.count} questions"


def points(difference: Estimate) -> str:
    """A difference of shares in points, with its 95 % interval: +2.2 points (+0.8 … +3.6)."""
    mean, low, high = (f"{100 * share:+.1f}" for share in (difference.mean, difference.low, difference.high))
    return f"{mean} points ({low} … {high})"


def _put_right(encoder: Encoder, questions: Questions, settings: Settings) -> list[bool]:
    seen = questions.seen
    reading = intent_encoder(settings, encoder, seen.texts)
    head = fit_head(seen, reading.encode_queries(seen.texts), parts_of(reading))
    return put_right(head, questions.held_out, reading)


def _found(encoder: Encoder, questions: Questions, settings: Settings, stages: Stages) -> list[bool]:
    """For each golden question whether an article that answers is among the first, in an index that nobody keeps."""
    english = english_encoder(settings, encoder)
    with tempfile.TemporaryDirectory() as scratch:
        build_index(
            settings.knowledge_base,
            Path(scratch),
            encoder,
            english=english,
            labelled=labelled_questions(questions.content),
            said=said_to_intents(questions.content),
            passage_limit=settings.retrieval.passage_characters,
            progress=stages,
        )
        library = replace(
            library_of(SearchIndex.open(Path(scratch), encoder, english), settings), top_k=_DEPTH
        )
        return [
            any(
                hit.passage.article_id in golden.articles
                for hit in library.find(to_simplified(golden.question), golden.content_language)
            )
            for golden in questions.golden
        ]


def _scores(metric: str, texts: Sequence[str], tuned: Sequence[bool], now: Sequence[bool]) -> list[Score]:
    languages = [detect(text).language.content.value for text in texts]
    scores = []
    for scope in SCOPES:
        rows = [row for row, language in enumerate(languages) if scope in ("all", language)]
        ours, theirs = ([float(right[row]) for row in rows] for right in (tuned, now))
        difference = paired_difference(ours, theirs)
        scores.append(
            Score(metric, scope, estimate(ours), estimate(theirs), difference, better="higher", slack=0.0)
        )
    return scores
