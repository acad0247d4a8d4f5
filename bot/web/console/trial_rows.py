"""What of an answer an edit would change, side by side, in the words of the console's language."""

from __future__ import annotations

from bot.filled import filled
from bot.upkeep.backtest.marking import Part, marked
from bot.upkeep.backtest.outcomes import Outcome
from bot.upkeep.backtest.reports import Change
from bot.web.console.text import Text

TrialRow = tuple[
    str, tuple[Part, ...], tuple[Part, ...]
]  # its name in `knowledge.trial_rows`, and both sides


def trial_rows(change: Change, text: Text) -> list[TrialRow]:
    """The rows of a change, with what differs marked; what neither side has is left out."""
    left, right = _lines(change.before, text), _lines(change.after, text)
    return [(name, *marked(left[name], right[name])) for name in left if left[name] or right[name]]


def _lines(outcome: Outcome, text: Text) -> dict[str, str]:
    words, comma = text["knowledge"], text["config"]["comma"]
    intent = outcome.intent or ""
    if outcome.missing_slot is not None:
        slot = words["slot_names"].get(outcome.missing_slot, outcome.missing_slot)
        intent = comma.join(filter(None, (intent, filled(words["asks_for"], slot=slot))))
    answer = words["not_written"] if outcome.answer is None else outcome.answer
    if outcome.partial and outcome.answer is not None:
        answer += f" … {words['customer_left']}"
    return {
        "route": text["routes"][outcome.route.value],
        "intent": intent,
        "offers": " | ".join(outcome.offers),
        "articles": comma.join(outcome.articles),
        "answer": answer,
        "score": f"{outcome.score:.2f}",
    }
