"""What the named endpoints answer with, as the plain JSON types that Gradio publishes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from bot.conversation import ConversationId, Language, Option, Reply, Source, Turn
from bot.insight.recommend import Recommendation
from bot.turns import in_script
from bot.web.page_text import page_text
from bot.web.render import MarkdownRenderer
from retrieval.documents import Hit

_LONGEST_REASON = 60  # characters of what the customer asked


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
    """An answer so far; whole, and on disk, once `done` is true. The fields from `turn_id` on are filled then.

    `answer` is Markdown, `html` the same as harmless HTML with its citations linked. With the route "person" a person
    of the team has the talk: the answer is empty, and what they say comes with /history.
    """

    conversation_id: str
    answer: str
    html: str
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
    """Whether what was sent was kept."""

    recorded: bool


class PastTurn(TypedDict):
    """One exchange of a conversation; personal data is masked.

    `said_by` is "assistant", "person" (one of the team, under `name`; `message` is empty then) or "notice" (a person
    came or left). `rating` is the customer's last vote: 1, -1, or 0 for none.
    """

    turn_id: str
    asked_at: str
    message: str
    answer: str
    html: str
    said_by: str
    name: str
    language: str
    route: str
    rating: int
    sources: list[SourceInfo]
    options: list[OptionInfo]
    actions: list[str]


class HandoffState(TypedDict):
    """Where a call for a person stands: `state` is "waiting", "taken" or "none"; `text` is what to tell the customer.

    `staffed` says whether somebody is there now; `opening_hours` are written as OpenStreetMap writes them.
    """

    state: str
    staffed: bool
    opening_hours: str
    text: str


class ConversationInfo(TypedDict):
    """A conversation of a user that a site vouches for; `last_text` is what was said last, masked."""

    conversation_id: str
    opened_at: str
    last_text: str


class RecommendedItem(TypedDict):
    """Something of the catalog that fits the customer's interest, and the reason to tell them; `url` only for articles.

    `price` is 0.0 where the catalog names none.
    """

    id: str
    kind: str
    title: str
    text: str
    language: str
    url: str
    price: float
    score: float
    reason: str


class SearchHit(TypedDict):
    """A passage of the knowledge base; `score` is the probability, 0 to 1, that its article answers."""

    id: str
    title: str
    language: str
    url: str
    text: str
    score: float


def answer_so_far(
    conversation: ConversationId, text: str, reply: Reply | None, renderer: MarkdownRenderer
) -> ChatAnswer:
    """An event of /chat: the text so far, or the whole reply."""
    return ChatAnswer(
        conversation_id=conversation,
        answer=text,
        html=renderer.html(text, () if reply is None else reply.sources),
        done=reply is not None,
        turn_id="" if reply is None else reply.turn_id,
        language="" if reply is None else reply.language.value,
        route="" if reply is None else reply.route.value,
        intent="" if reply is None or reply.intent is None else reply.intent,
        score=0.0 if reply is None else reply.score,
        sources=[] if reply is None else source_infos(reply.sources),
        options=[] if reply is None else option_infos(reply.options),
        actions=[] if reply is None else [action.value for action in reply.actions],
    )


def past_turn(turn: Turn, rating: int, renderer: MarkdownRenderer) -> PastTurn:
    """A stored turn as /history shows it."""
    return PastTurn(
        turn_id=turn.id,
        asked_at=turn.asked_at.isoformat(),
        message=turn.customer_text,
        answer=turn.answer,
        html=renderer.html(turn.answer, turn.sources),
        said_by="assistant",
        name="",
        language=turn.language.value,
        route=turn.route.value,
        rating=rating,
        sources=source_infos(turn.sources),
        options=option_infos(turn.options),
        actions=[action.value for action in turn.actions],
    )


def source_infos(sources: Sequence[Source]) -> list[SourceInfo]:
    """Sources as JSON."""
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


def option_infos(options: Sequence[Option]) -> list[OptionInfo]:
    """Quick replies as JSON."""
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


def recommended_item(found: Recommendation, language: Language) -> RecommendedItem:
    """A recommendation in the customer's language."""
    item = found.item
    reason = page_text(language)[f"because_{found.because}"].replace("{what}", found.what[:_LONGEST_REASON])
    title, text = (in_script(face.face(language), language) for face in (item.title, item.text))
    return RecommendedItem(
        id=item.id,
        kind=item.kind,
        title=title,
        text=text,
        language=language.value,
        url=f"/articles/{language}/{item.id}" if item.kind == "article" else "",
        price=0.0 if item.price is None else item.price,
        score=found.score,
        reason=reason,
    )
