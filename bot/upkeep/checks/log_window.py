"""What the log says about templates, articles and intents since a moment: turns in, figures out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from bot.content import Content
from bot.conversation import Route, Turn
from bot.memory.reading import LoggedTurn
from bot.understanding.intents import normalise
from bot.upkeep.checks.materials import LogWindow, MissedTurn

_IN_ITS_WORDING = (Route.TEMPLATE, Route.HANDOFF)
_GROUNDED = "grounded_score"  # among a turn's thresholds


def log_window(logged: Iterable[LoggedTurn], since: datetime, content: Content) -> LogWindow:
    """The figures of the turns `logged` since `since`; reads them once, one at a time."""
    turns: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    found: Counter[str] = Counter()
    missed: list[MissedTurn] = []
    intents = _by_answer(content)
    for each in logged:
        turn = each.turn
        if turn.route in (Route.MERGED, Route.PERSON):
            continue
        turns[turn.language.content.value] += 1
        if turn.intent is not None and turn.route in _IN_ITS_WORDING:
            hits[turn.intent] += 1
        found.update(_answering(turn))
        missed += _missed(each, intents)
    return LogWindow(since, turns, hits, found, tuple(missed))


def _answering(turn: Turn) -> set[str]:
    """Articles that this turn's answer rests on, or that were found likely enough to answer."""
    least = turn.thresholds.get(_GROUNDED)
    likely = {
        passage.article_id
        for passage in turn.passages
        if passage.cited or (least is not None and passage.score >= least)
    }
    return likely | {source.article_id for source in turn.sources}


def _missed(each: LoggedTurn, intents: Mapping[str, str]) -> Iterator[MissedTurn]:
    """A template that was voted down, or that a person replaced by another one's wording."""
    turn = each.turn
    if turn.intent is None or turn.route is not Route.TEMPLATE:
        return
    corrected = None if each.correction is None else intents.get(normalise(each.correction.text))
    if corrected is not None and corrected != turn.intent:
        yield MissedTurn(turn.question, turn.intent, corrected, corrected=True)
    elif each.rating is not None and each.rating.value < 0:
        others = (scored.intent for scored in turn.intents if scored.intent != turn.intent)
        yield MissedTurn(turn.question, turn.intent, next(others, None), corrected=False)


def _by_answer(content: Content) -> dict[str, str]:
    """Approved wording → the intent that it belongs to."""
    return {
        normalise(text): intent.id
        for intent in content.intents.values()
        for text in (intent.answer.zh, intent.answer.en)
    }
