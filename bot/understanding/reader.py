"""Reads a message in its conversation: language, slots, what it follows, and which intents it may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.conversation import Language, Route, Turn, Understanding
from bot.understanding import context
from bot.understanding.intents import Classified, IntentHead
from bot.understanding.language import detect, to_simplified
from bot.understanding.slots import SlotFinder
from retrieval.encoder import Encoder

_MEMORY = timedelta(minutes=30)  # a later message opens a new subject
_SURE = 0.85  # a short message with a clear intent of its own is no follow-up
_UNANSWERED = (Route.CLARIFY, Route.NO_ANSWER)


def _as_typed(text: str) -> str:
    return text


@dataclass(frozen=True)
class Reader:
    """What turns a customer's message into an `Understanding`."""

    head: IntentHead
    encoder: Encoder
    slots: SlotFinder
    burst: timedelta  # how soon a fragment must follow
    meant: Callable[[str], str] = _as_typed  # gives Chinese characters for what was typed in pinyin

    def read(
        self, text: str, past: Sequence[Turn], now: datetime, *, taken_over: Sequence[str] = ()
    ) -> Understanding:
        """Understand `text`.

        Args:
            text: the customer's message, already checked.
            past: the conversation's turns, oldest first.
            now: this moment, UTC.
            taken_over: messages just before this one that are answered together with it, oldest first.
        """
        recent = [turn for turn in past if now - turn.asked_at <= _MEMORY]
        default = recent[-1].language if recent else Language.ZH
        detected = detect(text, default=default)
        typed = to_simplified(text) if detected.language is Language.ZH_HANT else text
        own = self.meant(typed)
        if own != typed and detected.language is Language.EN:  # whoever types pinyin speaks Chinese
            detected = detect(own, default=default)
        # Whoever chooses "Postage" from what was offered says all there is to say, be it a second after the vague question.
        unanswered = () if self.head.knows(own) else self._unanswered(recent, now)
        fragments = tuple(map(self.meant, (*unanswered, *map(to_simplified, taken_over))))
        question = " ".join((*fragments, own))
        alone = self._classify(own)
        before = _question_before(recent) if not fragments else None
        leans = before is not None and context.continues(own)  # says nothing by itself
        follow_up = leans or (before is not None and context.looks_like_follow_up(own) and not _sure(alone))
        if before is not None and follow_up:
            question = context.with_context(own, before)
        classified = alone if question == own else self._classify(question)
        return Understanding(
            question=question,
            language=detected.language,
            mixed=detected.mixed,
            intents=classified.intents,
            in_scope=classified.in_scope,
            alone=() if leans or question == own else alone.intents,
            slots=self.slots.find(" ".join((*fragments, text))),
            follow_up=follow_up,
            burst=bool(fragments),
            vague=not follow_up and context.is_vague(question),
        )

    def _classify(self, question: str) -> Classified:
        return self.head.classify(question, self.encoder.encode_queries([question])[0])

    def _unanswered(self, recent: Sequence[Turn], now: datetime) -> tuple[str, ...]:
        """The fragments just before this message that got no answer of their own, oldest first."""
        fragments: list[str] = []
        for turn in reversed(recent):
            if turn.route not in _UNANSWERED or now - turn.asked_at > self.burst:
                break
            fragments.insert(0, turn.customer_text)
        return tuple(fragments)


def _sure(classified: Classified) -> bool:
    """Whether a message means something by itself, be it nobody's business here: 「写首诗」 is not about the kettle before it."""
    if classified.out_of_scope >= _SURE:
        return True
    return bool(classified.intents) and classified.intents[0].score >= _SURE


def _question_before(recent: Sequence[Turn]) -> str | None:
    """The last question that got an answer; a follow-up of a follow-up leads back to what both are about."""
    return next(
        (turn.question for turn in reversed(recent) if turn.route in (Route.TEMPLATE, Route.GROUNDED)), None
    )
