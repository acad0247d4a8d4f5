"""A turn as the log would hold it, made from what a scripted assistant replied."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.conversation import Provenance, Reply, Turn


def turn_of(reply: Reply, text: str) -> Turn:
    """The record of a reply to `text`."""
    return Turn(
        id=reply.turn_id,
        conversation_id=reply.conversation_id,
        asked_at=datetime.now(UTC),
        customer_text=text,
        question=text,
        answer=reply.text,
        language=reply.language,
        mixed=False,
        route=reply.route,
        reason="scripted",
        intent=reply.intent,
        score=reply.score,
        margin=reply.margin,
        in_scope=1.0,
        thresholds={},
        intents=(),
        slots={},
        missing_slot=None,
        options=reply.options,
        actions=reply.actions,
        passages=(),
        sources=reply.sources,
        provenance=Provenance(kefu="0", index="0", encoder="fake"),
        timings_ms={},
    )
