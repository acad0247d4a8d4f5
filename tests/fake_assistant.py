"""A scripted assistant for everything above it: it keeps its conversations, streams, and does as it is told."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from bot.conversation import (
    Action,
    ConversationId,
    Delta,
    Language,
    Option,
    Provenance,
    Reply,
    Route,
    Source,
    Turn,
    TurnId,
    VisitorId,
)
from bot.errors import ConversationUnknown, InputRefused, TurnUnknown
from bot.understanding.language import detect, to_traditional
from retrieval.documents import Article, Hit, Passage

_WORDING: Mapping[str, Mapping[str, Any]] = {
    "zh": {
        "greeting": "您好，我是开帆电器的智能客服。订单、退换、保修的问题都可以直接问我。",
        "suggested": [
            "我的快递三天没动了，怎么办？",
            "退货怎么操作？",
            "怎么开发票？",
            "保修期是多久？",
        ],
        "technical_problem": "抱歉，系统出了点问题，您的消息没有丢失，请稍后再试。",
        "ai_label": "AI 生成",
        "sources": "参考来源",
        "talk_to_person": "转人工",
        "new_chat": "新对话",
        "rate_up": "有帮助",
        "rate_down": "没帮助",
        "rated_thanks": "感谢您的反馈",
        "placeholder": "请输入您的问题…",
        "send": "发送",
        "empty_message": "请先输入您的问题。",
        "too_long": "消息太长了，请控制在 {limit} 字以内。",
        "too_fast": "您发得太快了，请稍等一会儿再发。",
        "off_line_notice": "网络已断开，您写的内容还在，恢复后再发送即可。",
    },
    "en": {
        "greeting": "Hello! I'm the assistant of Kaifan Home. Ask me anything about orders, returns or warranty.",
        "suggested": [
            "My parcel hasn't moved for three days",
            "Can I return opened earphones?",
            "How do I get an invoice?",
            "How long is the warranty?",
        ],
        "technical_problem": "Sorry, something went wrong on our side. Your message is not lost; please try again.",
        "ai_label": "AI-generated",
        "sources": "Sources",
        "talk_to_person": "Talk to a person",
        "new_chat": "New chat",
        "rate_up": "Helpful",
        "rate_down": "Not helpful",
        "rated_thanks": "Thank you for your feedback",
        "placeholder": "Type your question…",
        "send": "Send",
        "empty_message": "Please type your question first.",
        "too_long": "That message is too long. Please keep it under {limit} characters.",
        "too_fast": "You are sending messages very fast. Please wait a moment.",
        "off_line_notice": "You are off line. What you wrote is kept; send it when you are back.",
    },
}

_ARTICLES = {
    ("zh", "parcel-stuck"): Article(
        id="parcel-stuck",
        language="zh",
        title="快递长时间没有更新怎么办",
        body="# 快递长时间没有更新怎么办\n\n## 先确认物流状态\n\n1. 打开 **「我的订单」**，点击物流详情。\n2. 超过 **72 小时**没有更新，可以申请催件。\n\n"
        "| 地区 | 正常时效 |\n|---|---|\n| 省内 | 1–2 天 |\n| 跨省 | 2–4 天 |\n\n> **注意：**节假日时效会顺延。\n\n更多见 [退换货](/articles/zh/returns)。",
        path="articles/zh/parcel-stuck.md",
        updated=date(2026, 10, 12),
    ),
    ("en", "returns-opened"): Article(
        id="returns-opened",
        language="en",
        title="Returning opened items",
        body="## Earphones\n\nFor hygiene reasons opened in-ear earphones can only be returned if they are **faulty**.\n\n"
        "- Keep the box\n- Take photos",
        path="articles/en/returns-opened.md",
        updated=date(2026, 9, 1),
    ),
}

_ZH_ANSWER = (
    "包裹超过 **72 小时**没有更新，可以这样处理：[1]\n\n"
    "1. 在「我的订单」里点击 **催件**，快递公司会在 24 小时内回复。[1]\n"
    "2. 仍然没有进展时，我们会为您**补发或退款**。[2]\n\n"
    "**注意：**节假日的时效会顺延。[1]"
)
_EN_ANSWER = (
    "Opened earphones can be returned **within 7 days** if they are faulty. [1]\n\n"
    "- Keep the original box and all accessories. [1]\n"
    "- In-ear models without a fault cannot be returned once the seal is broken. [2]\n\n"
    "The refund arrives in 3–5 working days. [1]"
)


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

    A scripted value is Markdown to answer with, or an exception to raise after the first words.
    """

    script: dict[str, str | Exception] = field(default_factory=dict)
    pause_seconds: float = 0.0  # between deltas
    max_characters: int = 2000
    conversations: dict[str, tuple[VisitorId, str, list[Turn]]] = field(default_factory=dict)
    ratings: list[Rated] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    parts: dict[str, bool] = field(default_factory=lambda: {"index": True, "model": True})
    articles: dict[tuple[str, str], Article] = field(default_factory=lambda: dict(_ARTICLES))
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open_conversation(self, visitor: VisitorId, *, channel: str) -> ConversationId:
        conversation_id = ConversationId(secrets.token_urlsafe(24))
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
        scripted = self.script.get(text)
        for piece in _pieces(reply.text):
            time.sleep(self.pause_seconds)
            yield Delta(piece)
            if isinstance(scripted, Exception):
                raise scripted
        turns.append(_turn(reply, text))
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

    def article(self, language: str, article_id: str) -> Article | None:
        return self.articles.get((language, article_id))

    def wording(self, language: Language) -> Mapping[str, Any]:
        wording = _WORDING[language.content.value]
        if language is not Language.ZH_HANT:
            return wording
        return {
            key: to_traditional(value) if isinstance(value, str) else [to_traditional(item) for item in value]
            for key, value in wording.items()
        }

    def ready(self) -> Mapping[str, bool]:
        return self.parts

    def _turns(self, conversation_id: str, visitor: VisitorId | None) -> list[Turn]:
        owner, channel, turns = self.conversations.get(conversation_id, (None, "", []))
        if (
            owner is None
            or (visitor is None and channel != "api")
            or (visitor is not None and owner != visitor)
        ):
            raise ConversationUnknown(f"No conversation has the id {conversation_id!r}.")
        return turns

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
        answer = scripted if isinstance(scripted, str) else _ZH_ANSWER if chinese else _EN_ANSWER
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
            actions=(Action.OFFER_PERSON,) if text == "nobody knows" else (),
        )


def _pieces(text: str) -> list[str]:
    return [text[start : start + 12] for start in range(0, len(text), 12)]


def _turn(reply: Reply, text: str) -> Turn:
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
