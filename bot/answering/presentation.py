"""What stands around an answer: its sources, the buttons under it, and what the page should do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.content import Content, Intent
from bot.conversation import Action, Decision, Language, Option, PassageUsed, Route, Source
from retrieval.documents import Article, Hit

_MOST_OPTIONS = 3


def cited_sources(hits: Sequence[Hit], positions: Sequence[int]) -> tuple[Source, ...]:
    """The sources of a grounded answer, numbered from 1 as its text cites them."""
    return tuple(
        Source(
            number=number,
            article_id=hits[position].passage.article_id,
            passage_id=hits[position].passage.id,
            title=hits[position].passage.title,
            language=Language(hits[position].passage.language),
            score=hits[position].score,
        )
        for number, position in enumerate(positions, start=1)
    )


def backing_sources(articles: Sequence[Article], score: float) -> tuple[Source, ...]:
    """The articles that back a template, listed without numbers."""
    return tuple(
        Source(0, article.id, "", article.title, Language(article.language), score) for article in articles
    )


def passages_used(hits: Sequence[Hit], cited: Sequence[int]) -> tuple[PassageUsed, ...]:
    """What was retrieved, for the log."""
    return tuple(
        PassageUsed(
            rank=rank,
            passage_id=hit.passage.id,
            article_id=hit.passage.article_id,
            content_hash=hit.passage.content_hash,
            score=hit.score,
            cited=rank - 1 in cited,
        )
        for rank, hit in enumerate(hits, start=1)
    )


def options(
    decision: Decision, content: Content, language: Language, cited_articles: Sequence[str]
) -> tuple[Option, ...]:
    """The buttons under an answer: candidates of a question back, or what usually comes next."""
    intents = content.intents
    wording = content.wording(language)
    if decision.route is Route.CLARIFY:
        asked = tuple(_option(intents[name], language) for name in decision.candidates)
        return (*asked, Option(wording.clarify_none, wording.clarify_none))
    if decision.route is Route.TEMPLATE and decision.missing_slot is None and decision.intent is not None:
        return tuple(_option(intents[name], language) for name in intents[decision.intent].quick_replies)
    if decision.route is Route.GROUNDED:
        return _related(intents, language, cited_articles)
    return ()


def actions(decision: Decision) -> tuple[Action, ...]:
    """What the page or program should do beside showing the text."""
    found = []
    if decision.missing_slot is not None:
        found.append(Action.ASK_SLOT)
    if decision.route is Route.HANDOFF:
        found.append(Action.CALL_PERSON)
    elif decision.offer_person:
        found.append(Action.OFFER_PERSON)
    return tuple(found)


def _related(
    intents: Mapping[str, Intent], language: Language, articles: Sequence[str]
) -> tuple[Option, ...]:
    """Intents that rest on the same articles, those for which an article comes first before the others."""
    ranked = sorted(
        (intent.articles.index(article), intent.id)
        for article in articles
        for intent in intents.values()
        if article in intent.articles and intent.handoff != "always"
    )
    unique = dict.fromkeys(name for _, name in ranked)
    return tuple(_option(intents[name], language) for name in list(unique)[:_MOST_OPTIONS])


def _option(intent: Intent, language: Language) -> Option:
    title = intent.title.face(language)
    return Option(title, title)
