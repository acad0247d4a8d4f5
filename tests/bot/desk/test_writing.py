"""Who is writing where."""

from __future__ import annotations

from bot.conversation import ConversationId
from bot.desk.bell import Bell
from bot.desk.writing import SECONDS, Writing

TALK, OTHER = ConversationId("talk"), ConversationId("other")


def test_somebody_writes_for_some_seconds_after_the_last_key_or_until_they_send() -> None:
    moment = [100.0]
    writing = Writing(Bell(), clock=lambda: moment[0])
    assert not writing.is_on(TALK)
    writing.note(TALK)
    assert writing.is_on(TALK)
    assert not writing.is_on(OTHER)
    moment[0] += SECONDS - 0.1
    assert writing.is_on(TALK)
    writing.note(TALK)
    moment[0] += SECONDS - 0.1
    assert writing.is_on(TALK)
    moment[0] += 0.2
    assert not writing.is_on(TALK)
    writing.note(TALK)
    writing.stop(TALK)
    assert not writing.is_on(TALK)
