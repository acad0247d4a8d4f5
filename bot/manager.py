"""One customer's turn, told in order: read, search, decide, answer, remember. Orchestration only, no rules of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import structlog

from bot.answering.answerer import Said
from bot.conversation import (
    Action,
    ConversationId,
    Delta,
    Language,
    Reply,
    Turn,
    VisitorId,
)
from bot.conversations import Conversations
from bot.desk.candidates import said_already
from bot.desk.desk import Desk
from bot.desk.suggestions import SuggestedReply
from bot.desk.webhooks import Announce, announce_nothing
from bot.errors import StoreError
from bot.insight.recommend import Recommendation
from bot.knowledge import PAST_TURNS, Knowledge
from bot.memory.store import Store
from bot.policy import calling_word
from bot.safety.guard import check_message
from bot.stopwatch import Stopwatch
from bot.turns import (
    ABANDONED,
    TAKEN_OVER,
    Asked,
    Redact,
    broken,
    call_reason,
    in_script,
    left_to_person,
    merged,
    reply_of,
    turn_of,
)
from bot.understanding.bursts import Bursts, Pending
from bot.understanding.language import detect, to_traditional
from retrieval.documents import Article, Hit

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Limits:
    """What a turn may use."""

    top_k: int
    max_characters: int


class Manager(Conversations):
    """Answers customers, and keeps their conversations.

    Safe to share between threads; `use` swaps its knowledge between two turns.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        store: Store,
        desk: Desk,
        redact: Redact,
        limits: Limits,
        today: Callable[[], date],
        announce: Announce = announce_nothing,
    ) -> None:
        super().__init__(store, desk, redact, announce)
        self._knowledge = knowledge
        self._limits = limits
        self._today = today
        self._bursts = Bursts()

    @property
    def knowledge(self) -> Knowledge:
        """What the next turn is answered from."""
        return self._knowledge

    def use(self, knowledge: Knowledge) -> None:
        """Answer from `knowledge` from the next turn on; turns under way finish with what they began with."""
        self._knowledge = knowledge

    def answer(
        self, conversation_id: ConversationId, text: str, *, visitor: VisitorId | None
    ) -> Iterator[Delta | Reply]:
        """Answer one message: parts of the text as they are ready, then the whole `Reply`, whose turn is on disk.

        While a person has the talk, nothing is answered: the reply's text is empty and its route `PERSON`.

        Raises:
            InputRefused: the message is empty, too long or unreadable. Nothing is stored.
            ConversationUnknown: the conversation does not exist or is another visitor's.
        """
        message = check_message(text, max_characters=self._limits.max_characters)
        self._store.check_owner(conversation_id, visitor)
        if self._desk.holds(conversation_id):
            return self._leave_to_person(conversation_id, message)
        return self._turn(conversation_id, message)

    def search(self, question: str, *, top_k: int) -> Sequence[Hit]:
        """What the knowledge base has for `question`, best first.

        Raises:
            InputRefused: the question is empty or too long.
        """
        message = check_message(question, max_characters=self._limits.max_characters)
        return self._knowledge.find(message, detect(message).language, top_k=top_k, day=self._today())

    def recommend(
        self, conversation_id: ConversationId | None, text: str, *, visitor: VisitorId | None, top_k: int
    ) -> Sequence[Recommendation]:
        """What of the catalog fits the customer's interest, best first; nothing while a person has the talk.

        Args:
            conversation_id: whose turns tell the interest; None for `text` alone.
            text: what else they are interested in; may be empty.
            visitor: who asks, as for `answer`.
            top_k: how many at most.

        Raises:
            InputRefused: the text is too long.
            ConversationUnknown: the conversation does not exist or is another visitor's.
        """
        message = check_message(text, max_characters=self._limits.max_characters) if text.strip() else ""
        past: Sequence[Turn] = ()
        if conversation_id is not None:
            self._store.check_owner(conversation_id, visitor)
            if self._desk.open_call(conversation_id) is not None:
                return ()
            past = self._store.turns(conversation_id, last=PAST_TURNS)
        return self._knowledge.recommend(past, message, top_k=top_k)

    def article(self, language: str, article_id: str) -> Article | None:
        """One article's face; None if there is none in that language."""
        return self._knowledge.index.article(article_id, language)

    def wording(self, language: Language) -> Mapping[str, object]:
        """The messages of `language`, converted to traditional characters for `zh-Hant`."""
        found = self._knowledge.content.wording(language).model_dump()
        if language is not Language.ZH_HANT:
            return found
        return {
            name: to_traditional(value) if isinstance(value, str) else tuple(map(to_traditional, value))
            for name, value in found.items()
        }

    def intent_title(self, intent: str, language: Language) -> str:
        """What an intent is called, for people; the name itself if there is no such intent any more."""
        found = self._knowledge.content.intents.get(intent)
        return intent if found is None else in_script(found.title.face(language), language)

    def person_intents(self) -> frozenset[str]:
        """The intents by which a customer only asks for a person."""
        return self._knowledge.person_intents()

    def suggestions(self, conversation_id: ConversationId) -> Sequence[SuggestedReply]:
        """Up to two replies that a person who has the talk may send, in the customer's language. For the team only."""
        past = self._store.turns(conversation_id, last=PAST_TURNS)
        found = self._knowledge.suggest(past, day=self._today(), top_k=self._limits.top_k)
        language = past[-1].language if past else Language.ZH
        return [replace(reply, text=in_script(reply.text, language)) for reply in found]

    def template_like(self, answer: str, language: Language) -> str | None:
        """The intent whose approved wording says what `answer` says; None if none does."""
        intents = self._knowledge.content.intents.items()
        return said_already(answer, {name: intent.answer.face(language) for name, intent in intents})

    def ready(self) -> Mapping[str, bool]:
        """Each part and whether it can work now. Without a language model answers are composed, so it is no part."""
        return {"knowledge": bool(self._knowledge.index.articles()), "log": self._store.trouble is None}

    # -- one turn

    def _turn(self, conversation: ConversationId, message: str) -> Iterator[Delta | Reply]:
        watch = Stopwatch()
        knowledge = self._knowledge
        pending = self._bursts.begin(conversation, message)
        shown = ""
        asked: Asked | None = None
        try:
            asked = self._read(knowledge, conversation, message, pending, watch)
            answer = knowledge.answer(asked)
            while True:
                try:
                    part = next(answer)
                except StopIteration as finished:
                    asked, said = finished.value
                    break
                if not self._bursts.show(pending):
                    yield self._remember(knowledge, merged(asked), Said(""), watch)
                    return
                if self._desk.holds(conversation):  # a person came in just now: not a word more
                    yield self._remember(
                        knowledge, left_to_person(asked), Said(shown), watch, flags=(TAKEN_OVER,)
                    )
                    return
                watch.mark("first_token")
                shown += part
                yield Delta(in_script(part, asked.understanding.language))
            yield self._remember(knowledge, asked, said, watch)
        except GeneratorExit:  # the customer left: what they had seen is kept
            if asked is not None and shown:
                self._remember(knowledge, asked, Said(shown), watch, flags=(ABANDONED,))
            raise
        except (
            Exception
        ) as error:  # the edge of a turn: whatever broke, the customer gets an answer and loses nothing
            log.exception("turn_failed", conversation=conversation, kind=type(error).__name__)
            yield from self._apologise(knowledge, broken(asked, conversation, message, error), watch)
        finally:
            self._bursts.end(conversation, pending)

    def _leave_to_person(self, conversation: ConversationId, message: str) -> Iterator[Delta | Reply]:
        """Read and keep a message that a person will answer: it is searched too, for what the person is shown."""
        watch = Stopwatch()
        knowledge = self._knowledge
        try:
            asked = self._read(knowledge, conversation, message, Pending(message, ()), watch)
        except Exception as error:  # whatever broke, the customer's words reach the person
            log.exception("turn_not_understood", conversation=conversation, kind=type(error).__name__)
            asked = broken(None, conversation, message, error)
        yield self._remember(knowledge, left_to_person(asked), Said(""), watch)

    def _read(
        self,
        knowledge: Knowledge,
        conversation: ConversationId,
        message: str,
        pending: Pending,
        watch: Stopwatch,
    ) -> Asked:
        at = datetime.now(UTC)
        return knowledge.consider(
            message,
            self._store.turns(conversation, last=PAST_TURNS),
            conversation=conversation,
            at=at,
            day=self._today(),
            top_k=self._limits.top_k,
            watch=watch,
            taken_over=pending.before,
        )

    def _apologise(self, knowledge: Knowledge, asked: Asked, watch: Stopwatch) -> Iterator[Delta | Reply]:
        language = asked.understanding.language
        text = knowledge.content.wording(language).technical_problem
        yield Delta(in_script(text, language))
        yield self._remember(knowledge, asked, Said(text), watch)

    def _remember(
        self, knowledge: Knowledge, asked: Asked, said: Said, watch: Stopwatch, flags: tuple[str, ...] = ()
    ) -> Reply:
        """Store the turn, masked, and tell the desk; only then hand the reply out."""
        thresholds = knowledge.thresholds.of(asked.understanding.language)
        turn = turn_of(asked, said, self._redact, knowledge.provenance, thresholds, watch.read(), flags)
        self._store.append_turn(turn)
        self._tell_desk(turn, asked.text)
        return reply_of(turn, in_script(said.text, turn.language))

    def _tell_desk(self, turn: Turn, text: str) -> None:
        """Call a person if the turn says so; who has or awaits the talk reads the customer's own words."""
        try:
            if Action.CALL_PERSON in turn.actions:
                self._desk.call(
                    turn.conversation_id,
                    call_reason(turn, self._knowledge.person_intents()),
                    detail=calling_word(turn) or turn.intent or "",
                    language=turn.language,
                )
            self._desk.hear(turn.conversation_id, text, turn.id)
        except (
            StoreError
        ) as error:  # the turn itself is kept; that nobody was called is for the log's watcher
            log.error("desk_not_told", conversation=turn.conversation_id, error=str(error))
