"""Turns to store and export, whole enough to be real, and a hypothesis strategy of arbitrary ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from bot.conversation import (
    Action,
    ConversationId,
    Language,
    Option,
    PassageUsed,
    Provenance,
    Route,
    ScoredIntent,
    Source,
    Turn,
    TurnId,
)

NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)


def example_turn(conversation: ConversationId, number: int = 1, **changes: Any) -> Turn:
    """Turn `number` of a conversation, asked `number` minutes after noon."""
    turn = Turn(
        id=TurnId(f"turn-{conversation}-{number}"),
        conversation_id=conversation,
        asked_at=NOON + timedelta(minutes=number),
        customer_text=f"我的快递三天没动了,怎么办? <PHONE> #{number}",
        question=f"快递三天没动怎么办 #{number}",
        answer=f"48 小时没有更新可以申请查件[1]。 We answer within 24 h. #{number}",
        language=Language.ZH,
        mixed=True,
        route=Route.GROUNDED,
        reason="best passage 0.83 ≥ 0.5",
        intent="delivery-no-update",
        score=0.4321,
        margin=0.1 + 0.2,  # no round number
        in_scope=0.97,
        thresholds={"template_score": 0.6, "grounded_score": 0.0},
        intents=(ScoredIntent("delivery-no-update", 0.4321), ScoredIntent("order-status", 0.1321)),
        slots={"order_number": "KF20261103-0042"},
        missing_slot=None,
        options=(Option("查快递", "我的快递到哪了"),),
        actions=(Action.OFFER_PERSON,),
        passages=(PassageUsed(1, "delivery-no-update-zh-0", "delivery-no-update", "ab12", 0.83, cited=True),),
        sources=(
            Source(1, "delivery-no-update", "delivery-no-update-zh-0", "快递不更新", Language.ZH, 0.83),
        ),
        provenance=Provenance("0.1.0", "index-7", "e5-small", "gemma-270m", None, 1),
        timings_ms={"search": 12.5, "total": 1830.0},
        generation="draft",
        masked={"PHONE": 1},
        flags=("injection",),
    )
    return replace(turn, **changes)


_scores = st.floats(0, 1)
_words = st.text(max_size=30)
_names = st.one_of(st.none(), _words)


def turns(conversation: ConversationId) -> st.SearchStrategy[Turn]:
    """Any turn of a conversation."""
    return st.builds(
        Turn,
        id=st.uuids().map(lambda key: TurnId(str(key))),
        conversation_id=st.just(conversation),
        asked_at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        customer_text=_words,
        question=_words,
        answer=_words,
        language=st.sampled_from(Language),
        mixed=st.booleans(),
        route=st.sampled_from(Route),
        reason=_words,
        intent=_names,
        score=_scores,
        margin=_scores,
        in_scope=_scores,
        thresholds=st.dictionaries(_words, _scores, max_size=3),
        intents=st.lists(st.builds(ScoredIntent, _words, _scores), max_size=3).map(tuple),
        slots=st.dictionaries(_words, _words, max_size=3),
        missing_slot=_names,
        options=st.lists(st.builds(Option, _words, _words), max_size=3).map(tuple),
        actions=st.lists(st.sampled_from(Action), max_size=3).map(tuple),
        passages=st.lists(
            st.builds(PassageUsed, st.integers(1, 50), _words, _words, _words, _scores, st.booleans()),
            max_size=3,
        ).map(tuple),
        sources=st.lists(
            st.builds(Source, st.integers(0, 9), _words, _words, _words, st.sampled_from(Language), _scores),
            max_size=3,
        ).map(tuple),
        provenance=st.builds(
            Provenance, _words, _words, _words, _names, _names, st.one_of(st.none(), st.integers(0, 99))
        ),
        timings_ms=st.dictionaries(_words, st.floats(0, 1e6), max_size=3),
        generation=_names,
        masked=st.dictionaries(_words, st.integers(0, 99), max_size=3),
        flags=st.lists(_words, max_size=3).map(tuple),
    )
