"""What a person answered becomes a lesson: the better answer to the question that Kefu could not answer itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import structlog

from bot.conversation import Correction, Route, TurnId
from bot.errors import BotError
from bot.memory.calls import DeskEvent, DeskEventKind
from bot.memory.store import Store

_log = structlog.get_logger(__name__)

# Turns that Kefu left without an answer; what a person says after any other is no correction of it.
_UNANSWERED = (Route.PERSON, Route.HANDOFF, Route.NO_ANSWER, Route.CLARIFY)
_SPOKEN = (DeskEventKind.CUSTOMER, DeskEventKind.PERSON)


class Lessons:
    """Keeps people's answers as corrections of the turns that they answer, for the export."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def learn(self, said: Sequence[DeskEvent]) -> None:
        """Keep what was said in one call, masked. A log that cannot be written costs the lesson, not the talk."""
        for turn_id, answer, author in answers(said):
            try:
                if self._store.turn(turn_id).route in _UNANSWERED:
                    self._store.add_correction(Correction(turn_id, answer, author))
            except BotError as error:
                _log.error("lesson_lost", turn_id=turn_id, error=str(error))


def answers(said: Sequence[DeskEvent]) -> Iterator[tuple[TurnId, str, str]]:
    """Each customer's turn that a person answered: its id, the whole answer, and who gave it.

    Several messages of a customer in a row are answered together, by what the person says after the last of them.
    """
    asked: TurnId | None = None
    spoken = (event for event in said if event.kind in _SPOKEN)
    for kind, events in groupby(spoken, key=lambda event: event.kind):
        group = list(events)
        if kind is DeskEventKind.CUSTOMER:
            asked = group[-1].turn_id
        elif asked is not None:
            yield asked, "\n".join(event.text for event in group), group[-1].name
            asked = None
