"""A conversation's past as /history shows it: the turns, and between them what people of the team said and did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.conversation import Language, Route, Turn, TurnId
from bot.memory.calls import DeskEvent, DeskEventKind
from bot.web.api_types import PastTurn, past_turn
from bot.web.page_text import happened
from bot.web.render import MarkdownRenderer


def past_turns(
    turns: Sequence[Turn],
    events: Sequence[DeskEvent],
    ratings: Mapping[TurnId, int],
    renderer: MarkdownRenderer,
) -> list[PastTurn]:
    """Turns and events in order of time. The customer's words at the desk are turns already, so they are not repeated."""
    language = turns[-1].language if turns else Language.ZH
    dated = [(turn.asked_at, past_turn(turn, ratings.get(turn.id, 0), renderer)) for turn in turns]
    dated += [
        (event.sent_at, _past_event(event, language, renderer))
        for event in events
        if event.kind is not DeskEventKind.CUSTOMER
    ]
    return [past for _, past in sorted(dated, key=lambda item: item[0])]


def _past_event(event: DeskEvent, language: Language, renderer: MarkdownRenderer) -> PastTurn:
    by_person = event.kind is DeskEventKind.PERSON
    text = event.text if by_person else happened(event, language)
    return PastTurn(
        turn_id=event.id,
        asked_at=event.sent_at.isoformat(),
        message="",
        answer=text,
        html=renderer.html(text),
        said_by="person" if by_person else "notice",
        name=event.name,
        language=language.value,
        route=Route.PERSON.value,
        rating=0,
        sources=[],
        options=[],
        actions=[],
    )
