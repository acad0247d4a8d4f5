"""What thresholds are learned from: questions of which somebody has said what the right answer is, or that one was wrong.

Golden questions say what must come of them. Of a logged turn people only judged what was served: a vote up says that it was
right, a vote down or a correction that it was wrong; what another answer would have been worth, nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.conversation import ConversationId, Route, Turn
from bot.golden import Golden
from bot.memory.reading import LoggedTurn
from bot.turns import ABANDONED, Redact, failed
from bot.upkeep.stand_ins import readable

GOLDEN, LOG = "golden", "log"


@dataclass(frozen=True)
class Evidence:
    """A question with what is known of its answers."""

    id: str
    origin: str  # GOLDEN or LOG
    text: str
    context: tuple[str, ...] = ()  # of a golden question: what the customer said before
    past: tuple[Turn, ...] = ()  # of a logged one: the turns before
    golden: Golden | None = None
    served_intent: str | None = None
    served_article: str | None = None
    served_right: bool = True

    def template_wrong(self, intent: str) -> bool | None:
        """Whether the template of `intent` is a mistake here; None: nobody knows."""
        if self.golden is not None:
            return intent not in self.golden.intents
        return self._judged(intent, self.served_intent)

    def article_wrong(self, article: str) -> bool | None:
        """Whether an answer from `article` is a mistake here; None: nobody knows."""
        if self.golden is not None:
            return article not in self.golden.articles
        return self._judged(article, self.served_article)

    def _judged(self, answer: str, served: str | None) -> bool | None:
        if served is None:
            return None
        if answer == served:
            return not self.served_right
        # Where one template was right another is wrong; where one was wrong another may be right.
        return True if self.served_right and self.served_intent is not None else None


def golden_evidence(questions: Iterable[Golden]) -> list[Evidence]:
    """Of golden questions."""
    return [Evidence(each.id, GOLDEN, each.question, context=each.context, golden=each) for each in questions]


def logged_evidence(logged: Iterable[LoggedTurn], redact: Redact) -> Iterator[Evidence]:
    """Of logged turns, in order of time, that were answered and judged. A correction counts as a vote down.

    `redact` masks personal data; what it masked when a turn was stored is made readable again.
    """
    past: dict[ConversationId, list[Turn]] = {}
    for entry in logged:
        turn = entry.turn
        before = past.setdefault(turn.conversation_id, [])
        vote = -1 if entry.correction is not None else (None if entry.rating is None else entry.rating.value)
        if vote is not None and not failed(turn) and ABANDONED not in turn.flags:
            if turn.route is Route.TEMPLATE and turn.missing_slot is None and turn.intent is not None:
                yield _served(turn, before, vote, redact, intent=turn.intent)
            elif turn.route is Route.GROUNDED and turn.sources:
                yield _served(turn, before, vote, redact, article=turn.sources[0].article_id)
        before.append(turn)


def _served(
    turn: Turn,
    before: list[Turn],
    vote: int,
    redact: Redact,
    *,
    intent: str | None = None,
    article: str | None = None,
) -> Evidence:
    return Evidence(
        id=turn.id,
        origin=LOG,
        text=readable(turn.customer_text, turn.language, redact),
        past=tuple(before),
        served_intent=intent,
        served_article=article,
        served_right=vote > 0,
    )
