"""A scripted assistant for everything above it: it keeps its conversations, streams, and does as it is told."""

from __future__ import annotations

import itertools
import secrets
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.conversation import (
    Action,
    ConversationId,
    Delta,
    Language,
    Option,
    Reply,
    Route,
    Source,
    Turn,
    TurnId,
    VisitorId,
)
from bot.desk.candidates import said_already
from bot.desk.desk import Desk
from bot.desk.hours import Hours
from bot.desk.suggestions import SuggestedReply
from bot.errors import ConversationUnknown, InputRefused, TurnUnknown
from bot.insight.recommend import Because, Recommendation
from bot.memory.calls import Call, CallReason, DeskEvent
from bot.memory.store import Store
from bot.memory.visits import Customer
from bot.understanding.language import detect, to_traditional
from retrieval.documents import Article, Hit, Passage
from tests.fake_texts import ARTICLES, EN_ANSWER, ITEMS, WORDING, ZH_ANSWER
from tests.fake_turns import turn_of


@dataclass
class Rated:
    """A rating as it was asked for."""

    conversation_id: str
    turn_id: str
    value: int
    reason: str


@dataclass
class FakeAssistant:
    """Answers from a script (by the exact message), else from its two stock answers; remembers all it was asked.

    A scripted value is Markdown to answer with, or an exception to raise after the first words. The desk beside it is a
    real one, on a log of its own.
    """

    script: dict[str, str | Exception] = field(default_factory=dict)
    pause_seconds: float = 0.0  # between deltas
    max_characters: int = 2000
    conversations: dict[str, tuple[VisitorId, str, list[Turn]]] = field(default_factory=dict)
    ratings: list[Rated] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    parts: dict[str, bool] = field(default_factory=lambda: {"index": True, "model": True})
    articles: dict[tuple[str, str], Article] = field(default_factory=lambda: dict(ARTICLES))
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="kefu-fake-")))
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.store = Store(self.folder / "kefu.db")
        self.desk = Desk(
            self.store.path, Hours("24/7", time_zone="Asia/Shanghai", country=None), lambda text: text
        )

    def open_conversation(self, visitor: VisitorId, *, channel: str) -> ConversationId:
        conversation_id = self.store.open_conversation(visitor, channel=channel)
        self.conversations[conversation_id] = (visitor, channel, [])
        return conversation_id

    def answer(
        self, conversation_id: ConversationId, text: str, *, visitor: VisitorId | None
    ) -> Iterator[Delta | Reply]:
        turns = self._turns(conversation_id, visitor)
        self._check(text)
        self.asked.append(text)
        language = detect(text).language
        reply = self._reply(conversation_id, text, language)
        if self.desk.holds(conversation_id):
            silent = replace(reply, text="", route=Route.PERSON, sources=(), options=(), actions=())
            self._keep(turns, turn_of(silent, text), text)
            yield silent
            return
        scripted = self.script.get(text)
        for piece in _pieces(reply.text):
            time.sleep(self.pause_seconds)
            yield Delta(piece)
            if isinstance(scripted, Exception):
                raise scripted
        if Action.CALL_PERSON in reply.actions:
            self.desk.call(conversation_id, CallReason.ASKED, detail="talk-to-person", language=language)
        self._keep(turns, turn_of(reply, text), text)
        yield reply

    def rate(
        self,
        conversation_id: ConversationId,
        turn_id: TurnId,
        value: int,
        reason: str,
        *,
        visitor: VisitorId | None,
    ) -> None:
        if turn_id not in {turn.id for turn in self._turns(conversation_id, visitor)}:
            raise TurnUnknown(f"No turn has the id {turn_id!r}.")
        self.ratings.append(Rated(conversation_id, turn_id, value, reason))

    def last_ratings(
        self, conversation_id: ConversationId, *, visitor: VisitorId | None
    ) -> Mapping[TurnId, int]:
        self._turns(conversation_id, visitor)
        return {TurnId(rated.turn_id): rated.value for rated in self.ratings}

    def history(self, conversation_id: ConversationId, *, visitor: VisitorId | None) -> Sequence[Turn]:
        return tuple(self._turns(conversation_id, visitor))

    def call_person(self, conversation_id: ConversationId, *, visitor: VisitorId | None) -> Call:
        turns = self._turns(conversation_id, visitor)
        language = turns[-1].language if turns else Language.ZH
        return self.desk.call(conversation_id, CallReason.ASKED, language=language)

    def leave_contact(
        self, conversation_id: ConversationId, contact: str, *, visitor: VisitorId | None
    ) -> Call:
        self._check(contact)
        self._turns(conversation_id, visitor)
        return self.desk.leave_contact(conversation_id, contact, language=Language.ZH)

    def events(
        self, conversation_id: ConversationId, after: int, *, visitor: VisitorId | None
    ) -> Sequence[DeskEvent]:
        self._turns(conversation_id, visitor)
        return self.desk.events(conversation_id, after)

    def note_page(
        self, conversation_id: ConversationId, page: str, title: str, *, visitor: VisitorId | None
    ) -> None:
        self._turns(conversation_id, visitor)
        self.desk.note_page(conversation_id, page, title)

    def identify(
        self, conversation_id: ConversationId, customer: Customer, *, visitor: VisitorId | None
    ) -> None:
        self._turns(conversation_id, visitor)
        self.desk.identify(conversation_id, customer)

    def conversations_of(self, customer_id: str) -> Sequence[ConversationId]:
        return self.desk.conversations_of(customer_id)

    def search(self, question: str, *, top_k: int) -> Sequence[Hit]:
        self._check(question)
        hits = []
        for (language, article_id), article in self.articles.items():
            passage = Passage(
                id=f"{article_id}:{language}:0",
                article_id=article_id,
                language=language,
                title=article.title,
                headings=(),
                text=article.body,
                ordinal=0,
                content_hash="0",
            )
            hits.append(Hit(passage, score=0.9, vector_score=0.8, keyword_score=3.0))
        return hits[:top_k]

    def recommend(
        self, conversation_id: ConversationId | None, text: str, *, visitor: VisitorId | None, top_k: int
    ) -> Sequence[Recommendation]:
        turns = [] if conversation_id is None else self._turns(conversation_id, visitor)
        if conversation_id is not None and self.desk.open_call(conversation_id) is not None:
            return ()
        about = text or (turns[-1].customer_text if turns else "")
        found = [Recommendation(item, 0.1, Because.ASKED, about) for item in ITEMS if about]
        return found[:top_k]

    def article(self, language: str, article_id: str) -> Article | None:
        return self.articles.get((language, article_id))

    def wording(self, language: Language) -> Mapping[str, Any]:
        wording = WORDING[language.content.value]
        if language is not Language.ZH_HANT:
            return wording
        return {
            key: to_traditional(value) if isinstance(value, str) else [to_traditional(item) for item in value]
            for key, value in wording.items()
        }

    def intent_title(self, intent: str, language: Language) -> str:
        return f"{intent} ({language})"

    def person_intents(self) -> frozenset[str]:
        return frozenset({"talk-to-person"})

    def suggestions(self, conversation_id: ConversationId) -> Sequence[SuggestedReply]:
        turns = self.conversations[conversation_id][2]
        if not turns:
            return ()
        source = Source(0, "parcel-stuck", "", "快递长时间没有更新怎么办", Language.ZH, 0.9)
        answer = EN_ANSWER if turns[-1].language is Language.EN else ZH_ANSWER
        return (
            SuggestedReply(WORDING[turns[-1].language.content]["suggested"][0], (source,), "parcel-stuck"),
            SuggestedReply(answer, (source,)),
        )

    def template_like(self, answer: str, language: Language) -> str | None:
        return said_already(answer, {"parcel-stuck": EN_ANSWER if language is Language.EN else ZH_ANSWER})

    def ready(self) -> Mapping[str, bool]:
        return self.parts

    def _turns(self, conversation_id: str, visitor: VisitorId | None) -> list[Turn]:
        owner, channel, turns = self.conversations.get(conversation_id, (None, "", []))
        if (
            owner is None
            or (visitor is None and channel not in {"api", "widget", "openai"})
            or (visitor is not None and owner != visitor)
        ):
            raise ConversationUnknown(f"No conversation has the id {conversation_id!r}.")
        return turns

    def _keep(self, turns: list[Turn], turn: Turn, text: str) -> None:
        turns.append(turn)
        self.store.append_turn(turn)
        self.desk.hear(turn.conversation_id, text, turn.id)

    def _check(self, text: str) -> None:
        if not text.strip():
            raise InputRefused("empty_message", "The message is empty.")
        if len(text) > self.max_characters:
            raise InputRefused(
                "too_long", f"The message has {len(text)} characters.", limit=self.max_characters
            )

    def _reply(self, conversation_id: ConversationId, text: str, language: Language) -> Reply:
        scripted = self.script.get(text)
        chinese = language is not Language.EN
        answer = scripted if isinstance(scripted, str) else ZH_ANSWER if chinese else EN_ANSWER
        titles = (
            [("parcel-stuck", "快递长时间没有更新怎么办"), ("refund-time", "补发与退款的时效说明")]
            if chinese
            else [("returns-opened", "Returning opened items"), ("refund-time", "When the refund arrives")]
        )
        options = (
            (
                Option("催一下快递", "帮我催一下快递"),
                Option("申请退款", "我想申请退款"),
                Option("改收货地址", "怎么改收货地址？"),
            )
            if chinese
            else (
                Option("Start a return", "I want to start a return"),
                Option("Refund time", "When do I get my money back?"),
            )
        )
        convert = to_traditional if language is Language.ZH_HANT else str
        with self._lock:
            number = next(self._numbers)
        return Reply(
            turn_id=TurnId(f"turn-{number}-{secrets.token_hex(4)}"),
            conversation_id=conversation_id,
            text=convert(answer),
            language=language,
            route=Route.GROUNDED,
            intent="parcel-stuck",
            score=0.91,
            margin=0.4,
            sources=tuple(
                Source(place, article_id, f"{article_id}:0", convert(title), language, 0.9)
                for place, (article_id, title) in enumerate(titles, start=1)
            ),
            options=tuple(Option(convert(option.label), convert(option.text)) for option in options),
            actions=_actions(text),
        )


def _actions(text: str) -> tuple[Action, ...]:
    if text in {wording["talk_to_person"] for wording in WORDING.values()}:
        return (Action.CALL_PERSON,)
    return (Action.OFFER_PERSON,) if text == "nobody knows" else ()


def _pieces(text: str) -> list[str]:
    return [text[start : start + 12] for start in range(0, len(text), 12)]
