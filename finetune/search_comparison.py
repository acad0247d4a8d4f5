"""A search that learned from what people judged, beside one that learned from the team's content alone.

The judged questions are parted in three by conversation; each part is asked of a search that learned from the other two, so
that no question is asked that was learned. The golden questions are asked of one that learned from all. Of every answer it is
measured whether the right article comes first, where there is one, and what it is worth: 1 if right and stated for sure, -1 if
wrong and stated for sure, 0 if nothing is stated, and best on average if the probability is true. It is the benefit of
answering from a threshold t up, 1 - t for a right answer and -t for a wrong one, over all thresholds, twice; or: whether it is
right, minus the squared error of its probability (Brier 1950). Both searches are asked the same, so differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.content import Content
from bot.golden import Golden
from bot.learning import english_encoder, labelled_questions, said_to_intents
from bot.settings import Settings
from bot.understanding.intents import normalise
from bot.understanding.language import to_simplified
from finetune.evaluation.measures import SCOPES, Score
from finetune.evaluation.statistics import estimate, paired_difference
from finetune.examples.judged_questions import JudgedQuestion
from finetune.examples.passage_finder import library_of
from retrieval.build import VECTOR_CACHE
from retrieval.encoder import Encoder
from retrieval.evidence import Contents
from retrieval.learning import learn_parts
from retrieval.publish import current
from retrieval.search import SearchIndex
from retrieval.vector_cache import CachedEncoder

RIGHT_FIRST = "right article first"  # share of the questions that an article answers
WORTH = "worth of the answer"
_PARTS = 3

Stages = Callable[[str, int, int], None]  # stage, done, of how many


@dataclass(frozen=True)
class Told:
    """What ranks first for a question: whether it answers, None where no article does, and its worth, -1 to 1."""

    right: float | None
    worth: float


def golden_questions(golden: Sequence[Golden], judged: Sequence[JudgedQuestion]) -> list[JudgedQuestion]:
    """The golden questions that an article answers, or nothing, unless they were judged, too.

    Follow-ups are left out, because they are searched with what was before.
    """
    known = {normalise(each.text) for each in judged}
    return [
        JudgedQuestion(to_simplified(each.question), each.articles, each.content_language, each.id)
        for each in golden
        if not each.context
        and (each.kind == "refuse" or (each.kind == "answer" and each.articles))
        and normalise(to_simplified(each.question)) not in known
    ]


def compare_searches(
    judged: Sequence[JudgedQuestion],
    golden: Sequence[JudgedQuestion],
    content: Content,
    index: SearchIndex,
    settings: Settings,
    encoder: Encoder,
    stages: Stages,
) -> tuple[Score, ...]:
    """Both measures of both kinds of questions, over all and by language (zh, en).

    Args:
        judged: what people judged, oldest first.
        golden: from `golden_questions`.
        content: the team's.
        index: holds the articles.
        settings: the bot's: how it searches.
        encoder: the bot's.
        stages: told how far it is.
    """
    made = _Maker(content, index, settings, encoder)
    plain = made.search(())
    stages("search", 1, _PARTS + 2)
    part_of = _parts(judged)
    learned: list[Told] = []
    asked: list[JudgedQuestion] = []
    for part in range(_PARTS):
        own = [each for each in judged if part_of[each.conversation] == part]
        asked += own
        learned += _ask(
            made.search([each for each in judged if part_of[each.conversation] != part]), own, settings
        )
        stages("search", part + 2, _PARTS + 2)
    scores = _scores("judged", asked, learned, _ask(plain, asked, settings))
    if golden:
        after, before = (_ask(search, golden, settings) for search in (made.search(judged), plain))
        scores += _scores("golden", golden, after, before)
    stages("search", _PARTS + 2, _PARTS + 2)
    return tuple(scores)


@dataclass(frozen=True)
class _Maker:
    content: Content
    index: SearchIndex
    settings: Settings
    encoder: Encoder

    def search(self, judged: Sequence[JudgedQuestion]) -> SearchIndex:
        """A search that learned from the team's content, and from these questions, in an index that nobody keeps."""
        published = current(self.settings.index_path)
        cached = CachedEncoder(self.encoder, None if published is None else published / VECTOR_CACHE)
        english = english_encoder(self.settings, self.encoder)
        parts = learn_parts(
            Contents.of(self.index.articles(), self.index.passages()),
            cached,
            english=english,
            labelled=labelled_questions(self.content),
            judged=[each.labelled for each in judged],
            said=said_to_intents(self.content),
            progress=lambda *_: None,
        )
        return SearchIndex({}, parts.finder, parts.languages, parts.calibration, self.encoder, english)


def _parts(judged: Sequence[JudgedQuestion]) -> dict[str, int]:
    """Conversation → its part, so that each part has conversations of every time."""
    conversations = list(dict.fromkeys(each.conversation for each in judged))
    return {conversation: number % _PARTS for number, conversation in enumerate(conversations)}


def _ask(search: SearchIndex, asked: Sequence[JudgedQuestion], settings: Settings) -> list[Told]:
    library = library_of(search, settings)
    told = []
    for each in asked:
        hits = library.find(each.text, each.language)
        first = hits[0] if hits else None
        right = first is not None and first.passage.article_id in each.articles
        score = 0.0 if first is None else first.score
        told.append(Told(float(right) if each.articles else None, right - (score - right) ** 2))
    return told


def _scores(
    kind: str, asked: Sequence[JudgedQuestion], learned: Sequence[Told], plain: Sequence[Told]
) -> list[Score]:
    figures: tuple[tuple[str, Callable[[Told], float | None]], ...] = (
        (RIGHT_FIRST, lambda told: told.right),
        (WORTH, lambda told: told.worth),
    )
    scores = []
    for metric, read in figures:
        for scope in SCOPES:
            rows = [row for row, each in enumerate(asked) if scope in ("all", each.language.value)]
            ours, theirs = ([read(told[row]) for row in rows] for told in (learned, plain))
            scores.append(
                Score(
                    f"{kind}, {metric}",
                    scope,
                    estimate([value for value in ours if value is not None]),
                    estimate([value for value in theirs if value is not None]),
                    paired_difference(ours, theirs),
                    better="higher",
                    slack=0.0,
                )
            )
    return scores
