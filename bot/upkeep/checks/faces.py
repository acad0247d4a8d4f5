"""The Chinese face of an article or template against its English one: numbers, times, money, contacts and links must agree.

A translation leaves small numbers out ("once", 「次日」) and moves them about, so a number that only one face states is no
mistake yet. It is a contradiction if the other face states another number of the same kind in the same place, which the
first one does not state: 「7 天」 here and "10 days" there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from bot.answering.facts import facts, numbers
from bot.content import Intent
from bot.upkeep.checks.diagnostics import Diagnostic, Kind, Location, Severity
from bot.upkeep.checks.materials import Materials
from bot.upkeep.checks.said import amount, listed, said
from bot.upkeep.checks.values import CONTACTS, Value, unmatched, values
from retrieval.documents import Article
from retrieval.sentences import sentences

_SAME_PLACE = 0.25  # of a text; a translation keeps the order
_STATED_IN_BOTH = CONTACTS | {"yuan", "percent", "date", "clock"}  # what no translation leaves out


@dataclass(frozen=True)
class _Sentence:
    text: str
    place: float  # in its text, 0 to 1
    values: frozenset[Value]


@dataclass(frozen=True)
class _Difference:
    zh: tuple[_Sentence, Value]
    en: tuple[_Sentence, Value]

    @property
    def distance(self) -> float:
        """How far apart the two sentences stand in their texts, 0 to 1; sentences that share another value stand together."""
        mine, theirs = self.zh[0], self.en[0]
        shared = len(mine.values) - len(unmatched(mine.values, theirs.values))
        return 0.0 if shared else abs(mine.place - theirs.place)


def check_faces(materials: Materials) -> Iterator[Diagnostic]:
    """Every article and template whose two faces do not agree."""
    for faces in materials.faces.values():
        by_language = {face.language: face for face in faces}
        if "zh" in by_language and "en" in by_language:
            yield from _article(by_language["zh"], by_language["en"], materials)
    for intent in materials.content.intents.values():
        yield from _template(intent, materials)


def _article(zh: Article, en: Article, materials: Materials) -> Iterator[Diagnostic]:
    chinese, english = _sentences(zh.body), _sentences(en.body)
    differences = list(_differences(chinese, english))
    for each in differences:
        places = (materials.in_article(zh, each.zh[0].text), materials.in_article(en, each.en[0].text))
        yield _contradiction(each, places)
    told = {each.zh[1] for each in differences} | {each.en[1] for each in differences}
    for face, other, mine, theirs in ((zh, en, chinese, english), (en, zh, english, chinese)):
        missing = [
            each for each in _only_here(mine, theirs) if each[1] not in told and _belongs_in_both(each[1])
        ]
        if missing:
            yield _one_sided(face, other, missing, materials)


def _belongs_in_both(value: Value) -> bool:
    """Whether a translation would not leave this out; "every yuan" for 「每 1 元」 it may."""
    return value.kind in _STATED_IN_BOTH and value.number != "1"


def _template(intent: Intent, materials: Materials) -> Iterator[Diagnostic]:
    """A template is held to more than an article: Kefu itself refuses one whose faces state different numbers or links."""
    zh, en = intent.answer.zh, intent.answer.en
    differences = list(_differences(_sentences(zh), _sentences(en)))
    for each in differences:
        texts = (each.zh[0].text, each.en[0].text)
        yield _contradiction(
            each, (materials.in_intent(intent, "zh", texts[0]), materials.in_intent(intent, "en", texts[1]))
        )
    unequal = sorted(numbers(zh) ^ numbers(en)) + sorted(facts(zh).links ^ facts(en).links)
    if unequal and not differences:
        yield Diagnostic(
            Kind.ONE_LANGUAGE_ONLY,
            Severity.ERROR,
            said("one_face_of_template", stated=listed(unequal)),
            (materials.in_intent(intent, "zh", zh), materials.in_intent(intent, "en", en)),
            said("one_face_of_template_do"),
        )


def _differences(zh: Sequence[_Sentence], en: Sequence[_Sentence]) -> Iterator[_Difference]:
    """Values of one kind that stand in the same place and only in one face each; the nearest first, each value once."""
    candidates = [
        _Difference(mine, theirs)
        for mine, theirs in product(_only_here(zh, en), _only_here(en, zh))
        if mine[1].same_kind(theirs[1])
    ]
    told: set[Value] = set()
    for each in sorted(candidates, key=lambda one: (one.distance, one.zh[1].shown, one.en[1].shown)):
        if each.distance <= _SAME_PLACE and not told & {each.zh[1], each.en[1]}:
            told |= {each.zh[1], each.en[1]}
            yield each


def _only_here(mine: Sequence[_Sentence], theirs: Sequence[_Sentence]) -> list[tuple[_Sentence, Value]]:
    """What a face states and the other does not, each with the first sentence that states it."""
    others = _all_values(theirs)
    found: dict[Value, _Sentence] = {}
    for sentence in mine:
        for value in sorted(unmatched(sentence.values, others), key=lambda each: each.shown):
            found.setdefault(value, sentence)
    return [(sentence, value) for value, sentence in found.items()]


def _all_values(text: Iterable[_Sentence]) -> frozenset[Value]:
    return frozenset(value for sentence in text for value in sentence.values)


def _sentences(text: str) -> list[_Sentence]:
    parts = sentences(text)
    return [_Sentence(part, number / max(len(parts), 1), values(part)) for number, part in enumerate(parts)]


def _contradiction(difference: _Difference, places: tuple[Location, Location]) -> Diagnostic:
    return Diagnostic(
        Kind.LANGUAGES_CONTRADICT,
        Severity.ERROR,
        said("languages_contradict", zh=amount(difference.zh[1]), en=amount(difference.en[1])),
        places,
        said("mend_one"),
    )


def _one_sided(
    face: Article, other: Article, missing: Sequence[tuple[_Sentence, Value]], materials: Materials
) -> Diagnostic:
    contact = any(value.kind in CONTACTS for _, value in missing)
    stated = listed(amount(value) for _, value in missing)
    places = [materials.in_article(face, text) for text in dict.fromkeys(each.text for each, _ in missing)]
    return Diagnostic(
        Kind.ONE_LANGUAGE_ONLY,
        Severity.WARNING if contact else Severity.HINT,
        said("one_face", language=said(face.language), stated=stated),
        (*places, materials.in_article(other)),
        said("one_face_do", file=other.path),
    )
