"""What answers are made from, and the way from a message to its answer: without the log and the clock, which are handed in.

Who serves customers and who asks a logged question again go this one way, so that the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Generator as Stream
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from bot.answering.answerer import OFF_TOPIC, Answerer, Question, Said
from bot.answering.grounded import DECLINED
from bot.content import Content, Intent
from bot.conversation import ConversationId, Language, Provenance, Turn
from bot.desk.suggestions import LEAST, SuggestedReply, likely_intent, suggested, turn_in_question
from bot.insight.recommend import Because, Interest, Recommendation, Recommender, interests_of, is_welcome
from bot.policy import decide, dialog_state
from bot.safety.wordlist import NO_WORDS, WordList
from bot.stopwatch import Stopwatch
from bot.thresholds import ThresholdTable
from bot.turns import Asked, prompt_history
from bot.understanding.intents import normalise
from bot.understanding.reader import Reader
from bot.understanding.slots import values
from retrieval.documents import Hit
from retrieval.search import SearchIndex

PAST_TURNS = 8  # how far back a turn looks


@dataclass(frozen=True)
class Knowledge:
    """All that an answer is made from, as one value: a turn sees one state of it, however often it changes."""

    content: Content
    index: SearchIndex
    reader: Reader
    answerer: Answerer
    thresholds: ThresholdTable
    provenance: Provenance
    recommender: Recommender | None = None  # None: there is no catalog
    person_words: WordList = NO_WORDS  # each calls a person

    def find(self, question: str, language: Language, *, top_k: int, day: date) -> Sequence[Hit]:
        """Passages for `question` that may be quoted on `day`, best first, in the customer's language where there are any."""
        return self.index.search(question, top_k=top_k, prefer=language.content.value, day=day)

    def serving(self, day: date) -> Mapping[str, Intent]:
        """The intents whose answers hold on `day`: of the articles behind one, at least one must be valid.

        Who is always handed to a person needs no article.
        """
        valid = {article.id for article in self.index.articles() if article.is_valid(day)}
        return {
            name: intent
            for name, intent in self.content.intents.items()
            if not intent.articles or intent.handoff == "always" or valid.intersection(intent.articles)
        }

    def consider(
        self,
        message: str,
        past: Sequence[Turn],
        *,
        conversation: ConversationId,
        at: datetime,
        day: date,
        top_k: int,
        watch: Stopwatch,
        taken_over: Sequence[str] = (),
    ) -> Asked:
        """Read a message, search, and decide: the first half of a turn.

        Args:
            message: the customer's, already checked.
            past: the last `PAST_TURNS` turns of the conversation, oldest first.
            conversation: which one it is.
            at: when the message came, UTC.
            day: articles that are not valid then are not quoted.
            top_k: how many articles the search returns.
            watch: times the steps `understand` and `search`.
            taken_over: messages just before this one that are answered together with it, oldest first.
        """
        with watch.step("understand"):
            understanding = self.reader.read(message, past, at, taken_over=taken_over)
        question, language = understanding.question, understanding.language
        with watch.step("search"):
            hits = self.find(question, language, top_k=top_k, day=day)
            expired = self.index.expired(question, prefer=language.content.value, day=day)
        state = dialog_state(past)
        thresholds, serving = self.thresholds.of(language), self.serving(day)
        words = self.person_words.find("\n".join((*taken_over, message)))
        decision = decide(understanding, hits, state, serving, thresholds, expired=expired, words=words)
        return Asked(
            conversation=conversation,
            at=at,
            text=message,
            understanding=understanding,
            hits=tuple(hits),
            decision=decision,
            state=state,
            slots={**state.known_slots, **values(understanding.slots)},
            history=prompt_history(past),
            serving=serving,
        )

    def person_intents(self) -> frozenset[str]:
        """The intents by which a customer only asks for a person: those that the button for it leads to, by its words."""
        messages = self.content.messages
        button = {normalise(messages.zh.talk_to_person), normalise(messages.en.talk_to_person)}
        return frozenset(
            name
            for name, intent in self.content.intents.items()
            if intent.handoff == "always"
            and button.intersection(
                map(normalise, (intent.title.zh, intent.title.en, *intent.examples.all()))
            )
        )

    def suggest(self, past: Sequence[Turn], *, day: date, top_k: int) -> tuple[SuggestedReply, ...]:
        """Replies that a person may send to the customer's last question.

        None if they only asked for a person, or for what is not our business.

        Args:
            past: the last turns of the conversation, oldest first.
            day: what is not valid then is not suggested.
            top_k: how many articles the search returns.
        """
        turn = turn_in_question(past, self.person_intents())
        if turn is None or turn.reason == OFF_TOPIC:
            return ()
        known = dialog_state(past).known_slots
        found = self.find(turn.question, turn.language, top_k=top_k, day=day)
        hits = tuple(hit for hit in found if hit.score >= LEAST)
        question = Question(turn.question, turn.language, hits, turn.score, known, ())
        intent = likely_intent(turn, self.serving(day), self.person_intents())
        approved = None if intent is None else self.answerer.approved(intent, question)
        return suggested(approved, intent, self.answerer.quoted(question))

    def warm_up(self) -> None:
        """Do once what would make the first recommendation slow."""
        if self.recommender is not None:
            self.recommender.prepare()

    def recommend(self, past: Sequence[Turn], text: str, *, top_k: int) -> list[Recommendation]:
        """What fits the customer's interest; none if nothing does, or after a trouble that a person should see to.

        Args:
            past: the last turns of the conversation, oldest first.
            text: what else they are interested in, e.g. the title of the page that they are on; may be empty.
            top_k: how many at most.
        """
        troubles = [name for name, intent in self.content.intents.items() if intent.handoff != "never"]
        if self.recommender is None or not is_welcome(past, troubles):
            return []
        interests = interests_of(past)
        if text.strip():
            interests.append(Interest(Because.ASKED, text.strip()))
        return self.recommender.recommend(interests, top_k=top_k)

    def answer(self, asked: Asked) -> Stream[str, None, tuple[Asked, Said]]:
        """Yield the answer part by part; return both halves of the turn.

        If the model finds no answer in the passages, the turn goes another way without them: then the first half that
        is returned is not the one that was given.
        """
        said = yield from self.answerer.say(asked.decision, asked.as_question())
        if said.generation != DECLINED:
            return asked, said
        thresholds = self.thresholds.of(asked.understanding.language)
        without = decide(asked.understanding, (), asked.state, asked.serving, thresholds)
        asked = replace(asked, decision=without)
        said = yield from self.answerer.say(without, asked.as_question())
        return asked, replace(said, generation=DECLINED)
