"""Approved wording that says a word which the team does not want to be said.

Such wording is said all the same, because a person has approved it; drafts with such a word are not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from bot.content import Intent, Wording
from bot.upkeep.checks.diagnostics import Diagnostic, Kind, Location, Severity
from bot.upkeep.checks.materials import Materials
from bot.upkeep.checks.said import listed, said
from retrieval.documents import Article
from retrieval.sentences import sentences

_Placed = tuple[str, Callable[[str], Location]]  # a text, and what finds its place


def check_unwanted(materials: Materials) -> Iterator[Diagnostic]:
    """Every article, template and message with a word of the list, one diagnostic for each place that is edited as one."""
    for faces in materials.faces.values():
        yield from _found(_of_articles(faces, materials), materials)
    for intent in materials.content.intents.values():
        yield from _found(_of_intent(intent, materials), materials)
    yield from _found(_of_messages(materials), materials)


def _found(texts: Iterable[_Placed], materials: Materials) -> Iterator[Diagnostic]:
    words: dict[str, None] = {}
    places = []
    for text, place in texts:
        held = materials.unwanted.find(text)
        if held:
            words.update(dict.fromkeys(held))
            places.append(place(text))
    if places:
        yield Diagnostic(
            Kind.UNWANTED_WORD,
            Severity.WARNING,
            said("unwanted", words=listed(map(repr, words))),
            tuple(places),
            said("unwanted_do"),
        )


def _of_articles(faces: Iterable[Article], materials: Materials) -> Iterator[_Placed]:
    for face in faces:
        for text in (face.title, *sentences(face.body)):
            yield text, partial(materials.in_article, face)


def _of_intent(intent: Intent, materials: Materials) -> Iterator[_Placed]:
    asks = (rule.ask for rule in intent.slots.values() if rule.ask is not None)
    for faces in (intent.title, intent.answer, *asks):
        for language, text in (("zh", faces.zh), ("en", faces.en)):
            yield text, partial(materials.in_intent, intent, language)


def _of_messages(materials: Materials) -> Iterator[_Placed]:
    messages = materials.content.messages
    for language, wording in (("zh", messages.zh), ("en", messages.en)):
        for text in _texts(wording):
            yield text, partial(materials.in_messages, language)


def _texts(wording: Wording) -> Iterator[str]:
    for value in wording.model_dump().values():
        yield from (value,) if isinstance(value, str) else value
