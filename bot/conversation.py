"""The nouns of a conversation. Frozen values, next to no behaviour; every other room speaks in these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

ConversationId = NewType("ConversationId", str)
TurnId = NewType("TurnId", str)
VisitorId = NewType("VisitorId", str)


class Language(StrEnum):
    """A language that Kefu answers in. Content is written in `zh` and `en`; `zh-Hant` is converted from `zh`."""

    ZH = "zh"
    ZH_HANT = "zh-Hant"
    EN = "en"

    @property
    def content(self) -> Language:
        """The language that content for this one is written in (`zh-Hant` reads `zh`)."""
        return Language.EN if self is Language.EN else Language.ZH


class Route(StrEnum):
    """How a turn was answered. This field, never a phrase of the text, says what happened."""

    TEMPLATE = "template"  # approved wording
    GROUNDED = "grounded"  # written from retrieved passages
    CLARIFY = "clarify"  # "did you mean …"
    HANDOFF = "handoff"  # goes to a person
    NO_ANSWER = "no_answer"  # says that it does not know and offers a person
    MERGED = "merged"  # a part of a burst: answered together with the next message
    PERSON = "person"  # a person has the talk: Kefu says nothing


class Action(StrEnum):
    """What a page or program should do beside showing the text."""

    ASK_SLOT = "ask_slot"  # the answer asks for one more fact
    OFFER_PERSON = "offer_person"  # show "talk to a person" prominently
    CALL_PERSON = "call_person"  # a person has been asked to come


@dataclass(frozen=True)
class Slot:
    """A fact found in the customer's words: `value` normalised, `start`/`end` where it stood in the text."""

    name: str
    value: str
    start: int
    end: int


@dataclass(frozen=True)
class ScoredIntent:
    """An intent with its probability, 0 to 1."""

    intent: str
    score: float


@dataclass(frozen=True)
class Understanding:
    """What a customer's words mean.

    `question` is the text that is matched and searched: the message itself, joined with the burst before it, or,
    for a follow-up, with the question that it follows. `intents` are ranked, best first; `in_scope` is the
    probability (0 to 1) that the question is this company's business at all. A `vague` question ("card?", 「多久」) is so
    short that a good guess is still a guess. `alone` are the intents of the message without what it was joined with; none
    if it says nothing by itself.
    """

    question: str
    language: Language
    mixed: bool
    intents: tuple[ScoredIntent, ...]
    in_scope: float
    alone: tuple[ScoredIntent, ...] = ()
    slots: tuple[Slot, ...] = ()
    follow_up: bool = False
    burst: bool = False
    vague: bool = False

    @property
    def score(self) -> float:
        """Probability of the best intent; 0.0 when there is none."""
        return self.intents[0].score if self.intents else 0.0

    @property
    def margin(self) -> float:
        """Distance to the runner-up; equals `score` when there is none."""
        return self.score - self.intents[1].score if len(self.intents) > 1 else self.score


@dataclass(frozen=True)
class Source:
    """An article that an answer rests on. `number` is what the text cites as [1]; 0 when only listed."""

    number: int
    article_id: str
    passage_id: str
    title: str
    language: Language
    score: float

    @property
    def url(self) -> str:
        """Path of the article's page on Kefu's own server."""
        return f"/articles/{self.language}/{self.article_id}"


@dataclass(frozen=True)
class Option:
    """A button under an answer: `label` is shown, `text` is sent as the customer's next message."""

    label: str
    text: str


@dataclass(frozen=True)
class Decision:
    """Which route a turn takes and why. Made by `bot.policy.decide` alone."""

    route: Route
    reason: str
    intent: str | None = None
    candidates: tuple[str, ...] = ()  # intents to offer when the route is CLARIFY
    missing_slot: str | None = None  # slot to ask for when the route is TEMPLATE
    offer_person: bool = False
    word: str = ""  # of the team's list, if it is what calls a person


@dataclass(frozen=True)
class Delta:
    """A part of an answer that is ready to be shown: append it to what is there."""

    text: str


@dataclass(frozen=True)
class Reply:
    """A whole answer, as the customer gets it. By the time it exists, its turn is on disk."""

    turn_id: TurnId
    conversation_id: ConversationId
    text: str  # Markdown
    language: Language
    route: Route
    intent: str | None
    score: float
    margin: float
    sources: tuple[Source, ...] = ()
    options: tuple[Option, ...] = ()
    actions: tuple[Action, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Provenance:
    """Which parts made an answer; enough to make it again."""

    kefu: str
    index: str
    encoder: str
    model: str | None = None
    adapter: str | None = None
    prompt_version: int | None = None


@dataclass(frozen=True)
class PassageUsed:
    """A passage that was retrieved for a turn, in rank order from 1, and whether the answer cites it."""

    rank: int
    passage_id: str
    article_id: str
    content_hash: str
    score: float
    cited: bool


@dataclass(frozen=True)
class Turn:
    """One exchange as it is stored: what was asked, what was answered, and all that decided it. Never changes."""

    id: TurnId
    conversation_id: ConversationId
    asked_at: datetime  # UTC
    customer_text: str  # masked
    question: str  # what was matched and searched; masked
    answer: str  # masked
    language: Language
    mixed: bool
    route: Route
    reason: str
    intent: str | None
    score: float
    margin: float
    in_scope: float
    thresholds: Mapping[str, float]
    intents: tuple[ScoredIntent, ...]
    slots: Mapping[str, str]  # masked
    missing_slot: str | None
    options: tuple[Option, ...]
    actions: tuple[Action, ...]
    passages: tuple[PassageUsed, ...]
    sources: tuple[Source, ...]
    provenance: Provenance
    timings_ms: Mapping[str, float]
    generation: str | None = None  # "draft", "composed", or why the draft was not used
    masked: Mapping[str, int] = field(default_factory=dict)  # kinds of personal data masked, and how many
    flags: tuple[str, ...] = ()  # e.g. "injection"


@dataclass(frozen=True)
class Rating:
    """A customer's or agent's judgement of one turn."""

    turn_id: TurnId
    value: int  # +1 or -1
    reason: str = ""


@dataclass(frozen=True)
class Correction:
    """A better answer to a turn, written by a person."""

    turn_id: TurnId
    text: str
    author: str
