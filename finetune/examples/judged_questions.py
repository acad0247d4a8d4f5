"""Customers' questions of which people said what answers them: by a vote, a correction, or by answering themselves.

What a person wrote, and what a customer voted up, belongs to the article that supports it, by the check that drafts must pass when
serving; a template that was voted up to the articles that its intent names. An answer that no article supports says nothing of
any article, and is left out. Where the bot found none and somebody agreed, no article answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.content import Intent
from bot.conversation import Language
from finetune.examples.dataset_examples import looked_at, supported_part
from finetune.examples.passage_finder import Library
from finetune.examples.real_turns import RealTurn
from retrieval.calibration import LabelledQuestion


@dataclass(frozen=True)
class JudgedQuestion:
    """A question as it is searched, with the articles that answer it; none if no article does."""

    text: str
    articles: frozenset[str]
    language: Language  # zh or en
    conversation: str

    @property
    def labelled(self) -> LabelledQuestion:
        """As the search learns from it."""
        return LabelledQuestion(self.text, self.articles)


def judged_questions(
    turns: Iterable[RealTurn], library: Library, intents: Mapping[str, Intent]
) -> list[JudgedQuestion]:
    """What people judged, in the order of the turns; of the same question twice, what was said last.

    Args:
        turns: of curated conversations.
        library: whose articles answer.
        intents: the team's, by id.
    """
    found: dict[str, JudgedQuestion] = {}
    for turn in turns:
        articles = _articles(turn, library, intents) if turn.judged else None
        if articles is not None:
            found.pop(turn.question, None)
            found[turn.question] = JudgedQuestion(turn.question, articles, turn.language, turn.conversation)
    return list(found.values())


def _articles(turn: RealTurn, library: Library, intents: Mapping[str, Intent]) -> frozenset[str] | None:
    """The articles that answer; None where that is not known."""
    if not turn.answer:
        return frozenset()
    if turn.template is not None:
        intent = intents.get(turn.template)
        return frozenset(intent.articles) if intent is not None and intent.articles else None
    passages = looked_at([hit.passage for hit in library.find(turn.question, turn.language)], turn, library)
    part = supported_part(turn.answer, passages)
    return None if part is None else frozenset({passages[part.passage].article_id})
