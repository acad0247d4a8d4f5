"""What the named endpoints answer with, as the plain JSON types that Gradio publishes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from bot.conversation import ConversationId, Language, Option, Reply, Source, Turn
from retrieval.documents import Hit


class SourceInfo(TypedDict):
    """An article that an answer rests on; the text cites it as [number], 0 when it is only listed."""

    number: int
    id: str
    title: str
    language: str
    url: str
    score: float


class OptionInfo(TypedDict):
    """A quick reply: show `label`, send `text`."""

    label: str
    text: str


class ChatAnswer(TypedDict):
    """An answer so far; whole, and on disk, once `done` is true. The fields from `turn_id` on are filled then."""

    conversation_id: str
    answer: str
    done: bool
    turn_id: str
    language: str
    route: str
    intent: str
    score: float
    sources: list[SourceInfo]
    options: list[OptionInfo]
    actions: list[str]


class Recorded(TypedDict):
    """Whether a rating was kept."""

    recorded: bool


class PastTurn(TypedDict):
    """One exchange of a conversation; personal data is masked."""

    turn_id: str
    asked_at: str
    message: str
    answer: str
    language: str
    route: str
    sources: list[SourceInfo]
    options: list[OptionInfo]


class SearchHit(TypedDict):
    """A passage of the knowledge base; `score` is the probability, 0 to 1, that its article answers."""

    id: str
    title: str
    language: str
    url: str
    text: str
    score: float


def answer_so_far(conversation: ConversationId, text: str, reply: Reply | None) -> ChatAnswer:
    """An event of /chat: the text so far, or the whole reply."""
    return ChatAnswer(
        conversation_id=conversation,
        answer=text,
        done=reply is not None,
        turn_id="" if reply is None else reply.turn_id,
        language="" if reply is None else reply.language.value,
        route="" if reply is None else reply.route.value,
        intent="" if reply is None or reply.intent is None else reply.intent,
        score=0.0 if reply is None else reply.score,
        sources=[] if reply is None else _sources(reply.sources),
        options=[] if reply is None else _options(reply.options),
        actions=[] if reply is None else [action.value for action in reply.actions],
    )


def past_turn(turn: Turn) -> PastTurn:
    """A stored turn as /history shows it."""
    return PastTurn(
        turn_id=turn.id,
        asked_at=turn.asked_at.isoformat(),
        message=turn.customer_text,
        answer=turn.answer,
        language=turn.language.value,
        route=turn.route.value,
        sources=_sources(turn.sources),
        options=_options(turn.options),
    )


def _sources(sources: Sequence[Source]) -> list[SourceInfo]:
    return [
        SourceInfo(
            number=source.number,
            id=source.article_id,
            title=source.title,
            language=source.language.value,
            url=source.url,
            score=source.score,
        )
        for source in sources
    ]


def _options(options: Sequence[Option]) -> list[OptionInfo]:
    return [OptionInfo(label=option.label, text=option.text) for option in options]


def search_hit(hit: Hit) -> SearchHit:
    """A found passage as /search shows it."""
    passage = hit.passage
    language = Language(passage.language)
    source = Source(0, passage.article_id, passage.id, passage.title, language, hit.score)
    return SearchHit(
        id=passage.article_id,
        title=passage.title,
        language=passage.language,
        url=source.url,
        text=passage.text,
        score=hit.score,
    )
