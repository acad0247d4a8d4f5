"""Teaches the search what people judged: kept only if it then does better on questions that it did not learn.

What is learned is made anew of each training set: what was forgotten, or is too old to be kept, goes with the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.content import load_content
from bot.factory import rebuild
from bot.golden import load_golden
from bot.judged import read_judged, write_judged
from bot.learning import open_index
from bot.settings import Settings
from finetune.curation.dataset import Dataset
from finetune.errors import TooFewJudged
from finetune.evaluation.canaries import SOURCE as CANARY
from finetune.evaluation.measures import Score
from finetune.examples.judged_questions import JudgedQuestion, judged_questions
from finetune.examples.passage_finder import library_of
from finetune.examples.real_turns import real_turns
from finetune.records import Conversation
from finetune.search_comparison import Stages, compare_searches, golden_questions
from finetune.tongues import TOLD, Told, filled, joined, read_words
from retrieval.encoder import Encoder
from retrieval.publish import current, read_manifest

_WORDS = read_words(TOLD)
FEWEST = 40  # judged questions; of fewer, a third is too little to learn from and to measure with
_SOME = 10  # questions; of fewer, the bootstrap takes chance for certainty
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class SearchTraining:
    """What came of it. `scores` compare with a search that learned from the team's content alone."""

    judged: tuple[JudgedQuestion, ...]
    scores: tuple[Score, ...]

    @property
    def better(self) -> bool:
        """Whether something is better beyond noise, and nothing worse, in no language."""
        return any(score.gained for score in self.told if score.scope == "all") and not any(
            score.lost for score in self.told
        )

    @property
    def told(self) -> list[Score]:
        """The scores of so many questions that they say something."""
        return [score for score in self.scores if score.difference.count >= _SOME]


def teach_search(
    dataset: Dataset, settings: Settings, encoder: Encoder, stages: Stages = lambda *_: None
) -> SearchTraining:
    """Learn from what people judged in a training set; if that helps, it is kept, and the index is built with it.

    If it does not help, or no more, the search learns from the team's content alone.

    Args:
        dataset: the set; its test side is not learned from.
        settings: the bot's; its index must exist.
        encoder: the bot's.
        stages: told how far it is.

    Raises:
        TooFewJudged: too few questions were judged.
        BotError, RetrievalError: the knowledge base or the index cannot be read, or cannot be written; what was there
            before stays.
    """
    content = load_content(settings.knowledge_base)
    index = open_index(settings, encoder)
    turns = real_turns(_learned(dataset))
    judged = tuple(judged_questions(turns, library_of(index, settings), content.intents))
    if len(judged) < FEWEST:
        unlearn(settings, encoder, stages)
        raise TooFewJudged(filled(_WORDS["search"]["too_few"], found=len(judged), needed=FEWEST))
    golden = golden_questions(load_golden(settings.knowledge_base), judged)
    scores = compare_searches(judged, golden, content, index, settings, encoder, stages)
    training = SearchTraining(judged, scores)
    _keep(judged if training.better else (), settings, encoder, stages)
    return training


def unlearn(settings: Settings, encoder: Encoder, stages: Stages = lambda *_: None) -> None:
    """Have the search learn from the team's content alone, as long as nothing else is kept.

    Raises:
        BotError, RetrievalError: as `teach_search`.
    """
    _keep((), settings, encoder, stages)


def told(training: SearchTraining) -> Told:
    """What came of it, in a few sentences."""
    worse = any(score.lost for score in training.told)
    outcome = "learned" if training.better else "worse" if worse else "no_better"
    shown = [score for score in training.told if score.scope == "all" or score.lost]
    figures = joined(map(_in_figures, shown), {"zh": "；", "en": "; "})
    return filled(_WORDS["search"][outcome], count=len(training.judged), figures=figures)


def _learned(dataset: Dataset) -> Iterator[Conversation]:
    """What is learned from, oldest first: neither invented customers nor varied questions."""
    sides = sorted(
        (*dataset.train, *dataset.validation),
        key=lambda talk: _BEFORE_ALL if talk.started_at is None else talk.started_at,
    )
    for conversation in sides:
        varied = any("variant" in exchange.metadata for exchange in conversation.exchanges)
        if conversation.source != CANARY and not varied:
            yield conversation


def _keep(judged: Sequence[JudgedQuestion], settings: Settings, encoder: Encoder, stages: Stages) -> None:
    """Write what is learned from now on, and build the index with it, unless nothing changes."""
    path = settings.judged_questions_path
    before, now = read_judged(path), [each.labelled for each in judged]
    published = current(settings.index_path)
    built = None if published is None else read_manifest(published)["counts"].get("judged", 0)
    if set(now) == set(before) and built == len(now):  # else a night was killed before it built the index
        return
    write_judged(path, now)
    try:
        rebuild(settings, encoder, stages)
    except BaseException:  # the index that serves has learned from what was there before
        write_judged(path, before)
        raise


def _in_figures(score: Score) -> Told:
    off = score.difference
    return filled(
        _WORDS["search"]["figure"],
        metric=_WORDS["metrics"][score.metric],
        scope=_WORDS["scopes"][score.scope],
        before=f"{score.current.mean:.3f}",
        after=f"{score.candidate.mean:.3f}",
        low=f"{off.low:+.3f}",
        high=f"{off.high:+.3f}",
        count=off.count,
    )
