"""The small shop with a log of turns that were not answered, and the review of them, with an encoder for both languages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.conversation import ConversationId, Correction, Option, Rating, Route, TurnId
from bot.memory.reading import LoggedTurn
from bot.memory.store import Store
from bot.safety.redact import redact
from bot.understanding.language import detect
from bot.upkeep.gaps.review import GapReview
from bot.upkeep.gaps.unanswered import UnansweredTurn, Why
from retrieval.encoder import Vectors
from tests.example_turns import example_turn
from tests.fakes import WordEncoder
from tests.small_shop import ANNA, TODAY, build_shop

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_SAME = {"student": "学生", "discount": "优惠", "engrave": "刻字", "rent": "租用", "kettle": "水壶"}


class BilingualEncoder(WordEncoder):
    """A word encoder that knows some words of both languages as one."""

    def _encode(self, texts: Sequence[str]) -> Vectors:
        return super()._encode([self._translated(text) for text in texts])

    def _translated(self, text: str) -> str:
        for english, chinese in _SAME.items():
            text = text.replace(english, f" {chinese} ")
        return text


def unanswered(question: str, number: int = 1, **changes: Any) -> UnansweredTurn:
    """A turn without an answer, asked `number` minutes before now in a talk of its own."""
    values: dict[str, Any] = {
        "id": TurnId(f"turn-{number}"),
        "conversation": ConversationId(f"talk-{number}"),
        "asked_at": NOW - timedelta(minutes=number),
        "question": question,
        "language": detect(question).language,
        "why": Why.NO_ANSWER,
    }
    return UnansweredTurn(**{**values, **changes})


def logged(talk: str, number: int, text: str, route: Route = Route.NO_ANSWER, **changes: Any) -> LoggedTurn:
    """A turn as the log gives it; `rating` and `correction` are what people said of it."""
    rating, correction = changes.pop("rating", None), changes.pop("correction", None)
    ordinary: dict[str, Any] = {"question": text, "intent": None, "reason": "nothing found", "options": ()}
    turn = example_turn(
        ConversationId(talk), number, customer_text=text, route=route, **{**ordinary, **changes}
    )
    return LoggedTurn(
        turn=turn,
        rating=None if rating is None else Rating(turn.id, rating),
        correction=None if correction is None else Correction(turn.id, correction, "Li"),
        channel="web",
        opened_at=turn.asked_at,
        visitor_sha256="",
    )


def buttons(*labels: str) -> tuple[Option, ...]:
    """Buttons under an answer."""
    return tuple(Option(label, label) for label in labels)


def ask(store: Store, text: str, **changes: Any) -> TurnId:
    """Log a turn without an answer, in a conversation of its own; its id. `correction` is what a person wrote."""
    conversation = store.open_conversation(ANNA, channel="web")
    correction = changes.pop("correction", None)
    at = changes.pop("asked_at", datetime.now(UTC))
    each = logged(conversation, 1, text, language=detect(text).language, asked_at=at, **changes)
    store.append_turn(each.turn)
    if correction is not None:
        store.add_correction(Correction(each.turn.id, correction, "Li"))
    return each.turn.id


def review_of(folder: Path) -> GapReview:
    """The review of the small shop in `folder`, built if it is not there; its log is `folder/kefu.db`."""
    encoder = BilingualEncoder()
    manager = build_shop(folder, encoder=encoder)
    manager._store.close()
    return GapReview(
        knowledge=manager.knowledge,
        encoder=encoder,
        store=Store(folder / "kefu.db"),
        knowledge_base=folder / "knowledge_base",
        mask=redact,
        day=TODAY,
    )
