"""What comes near a gap, and what is probably best done about it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from bot.conversation import ScoredIntent
from bot.knowledge import Knowledge
from bot.upkeep.gaps.report import Gap, NearArticle, Suggestion, Way
from bot.upkeep.gaps.unanswered import UnansweredTurn, Why

_LOOKED_AT = 20  # different questions of a gap, the last ones
_MOST = 0.5  # share of a gap's turns that makes their fault the gap's
_LIKELY = 0.5  # probability from which something is likelier than not


def with_suggestion(gap: Gap, knowledge: Knowledge, *, day: date) -> tuple[Gap, Suggestion]:
    """The gap with the nearest intent and article and what is suggested, and that alone.

    Args:
        gap: with at least one turn.
        knowledge: what answers today.
        day: articles that are not valid then are not near.
    """
    intent, article = _nearest_intent(gap.turns, knowledge), _nearest_article(gap, knowledge, day)
    found = replace(gap, intent=intent, article=article)
    suggestion = _suggestion(found)
    return replace(found, suggestion=suggestion), suggestion


def _nearest_intent(turns: Sequence[UnansweredTurn], knowledge: Knowledge) -> ScoredIntent | None:
    """The intent with the highest mean probability over the questions; one whose answer disappointed does not count."""
    questions = list(dict.fromkeys(turn.question for turn in turns))[:_LOOKED_AT]
    disappointed = {turn.answered_by for turn in turns}
    total: defaultdict[str, float] = defaultdict(float)
    vectors = knowledge.reader.encoder.encode_queries(questions)
    for question, vector in zip(questions, vectors, strict=True):
        for scored in knowledge.reader.head.classify(question, vector).intents:
            total[scored.intent] += scored.score / len(questions)
    known = {name: score for name, score in total.items() if f"intent {name}" not in disappointed}
    if not known:
        return None
    best = max(known, key=lambda name: known[name])
    return ScoredIntent(best, known[best])


def _nearest_article(gap: Gap, knowledge: Knowledge, day: date) -> NearArticle | None:
    language = gap.turns[0].language
    for hit in knowledge.find(gap.stored.title, language, top_k=1, day=day):
        passage = hit.passage
        return NearArticle(passage.article_id, passage.language, passage.title, hit.score)
    return None


def _suggestion(gap: Gap) -> Suggestion:
    """What people wrote is best; then what disappointed is to be mended; then what probably is meant."""
    if gap.stored.outcome:
        return Suggestion(Way.MEND, f"look why {gap.stored.outcome} does not answer it", gap.stored.outcome)
    answers = sum(turn.correction is not None for turn in gap.turns)
    if answers:
        return Suggestion(Way.AS_ARTICLE, f"accept what people answered ({answers}), as an article")
    voted_down = Counter(
        turn.answered_by for turn in gap.turns if turn.why is Why.VOTED_DOWN and turn.answered_by
    )
    if voted_down and voted_down.total() > _MOST * len(gap.turns):
        worst = voted_down.most_common(1)[0][0]
        return Suggestion(Way.MEND, f"mend {worst}, whose answer was voted down", worst)
    intent = 0.0 if gap.intent is None else gap.intent.score
    article = 0.0 if gap.article is None else gap.article.score
    if gap.article is not None and article >= max(_LIKELY, intent):
        text = f"add this to what article {gap.article.id} says, or to its questions ({article:.0%})"
        return Suggestion(Way.MEND, text, f"article {gap.article.id}")
    if gap.intent is not None and intent >= _LIKELY:
        text = f"perhaps add this as an example of intent {gap.intent.intent} ({intent:.0%})"
        return Suggestion(Way.INTO_INTENT, text, gap.intent.intent)
    return Suggestion(Way.AS_ARTICLE, "write an article")
