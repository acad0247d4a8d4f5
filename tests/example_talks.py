"""Conversations to learn from: one by hand, a shop's worth of them, and a hypothesis strategy of arbitrary ones."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from bot.conversation import Language
from bot.understanding.language import detect
from finetune.records import Conversation, Exchange, ShownPassage

MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def talk(name: str, *pairs: tuple[str, str], day: float | None = 0, **changes: Any) -> Conversation:
    """A conversation of these questions and answers, `day` days after a Monday morning; None: without a time.

    Changes that an exchange has a field for are made to each exchange, the others to the conversation.
    """
    start = None if day is None else MONDAY + timedelta(days=day)
    fields = Exchange.__dataclass_fields__
    own = {key: value for key, value in changes.items() if key in fields and key != "language"}
    exchanges = tuple(
        Exchange(
            **{  # type: ignore[arg-type]
                "id": f"{name}-{number}",
                "question": question,
                "answer": answer,
                "language": detect(question).language,
                "author": "agent",
                "at": None if start is None else start + timedelta(minutes=number),
                **own,
            }
        )
        for number, (question, answer) in enumerate(pairs, start=1)
    )
    rest = {key: value for key, value in changes.items() if key not in fields}
    language = exchanges[0].language if exchanges else Language.ZH
    return Conversation(
        **{
            "id": name,
            "source": "csv",
            "language": language,
            "exchanges": exchanges,
            "started_at": start,
            **rest,
        }  # type: ignore[arg-type]
    )


def shop_talks() -> list[Conversation]:
    """120 conversations of 60 customers over 120 days, half of them Chinese, no two questions alike."""
    return [
        talk(
            f"talk{number:03}",
            (
                unlike(number),
                f"请看帮助中心第{number}页。" if number % 2 else f"See page {number} of our help.",
            ),
            day=(number // 2) + (0.5 if number % 2 else 0) + number // 60,
            customer=f"customer{number // 2}",
            intent=f"intent{number % 6}",
        )
        for number in range(120)
    ]


def unlike(number: int) -> str:
    """A question like no other of another number; Chinese if it is odd, else English."""
    chance = random.Random(number)  # noqa: S311 — variety, no secret
    if number % 2:
        return "请问" + "".join(chr(chance.randrange(0x4E00, 0x9000)) for _ in range(10)) + "怎么办"
    return "about " + " ".join("".join(chance.choices("abcdefghijklmnoprstuvwy", k=7)) for _ in range(4))


_words = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
_said = st.none() | _words.filter(bool)
_moments = st.none() | st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC]),
)
_json_values = st.none() | st.booleans() | st.integers(-9, 9) | _words | st.lists(_words, max_size=2)
exchanges = st.builds(
    Exchange,
    id=_words,
    question=_words,
    answer=_words,
    language=st.sampled_from(Language),
    author=st.sampled_from(["bot", "agent"]),
    at=_moments,
    rating=st.sampled_from([None, 1, -1]),
    rejected=_said,
    intent=_said,
    route=_said,
    passages=st.lists(st.builds(ShownPassage, _words, _words), max_size=2).map(tuple),
    selected=st.booleans(),
    metadata=st.dictionaries(_words, _json_values, max_size=2),
)
conversations = st.builds(
    Conversation,
    id=_words,
    source=_words,
    language=st.sampled_from(Language),
    exchanges=st.lists(exchanges, max_size=3).map(tuple),
    customer=_said,
    started_at=_moments,
    channel=_words,
)
