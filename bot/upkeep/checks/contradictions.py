"""Sentences of one language that speak of the same thing and cannot both be true: another number, or yes against no.

Two sentences are about the same thing if they share their content words, are near in meaning under their headings, and
none names what the other leaves out: not another product, not another subject of its own heading. What they then differ in
is a contradiction if the rest of the source does not say what the other one says. (Price lists and grades say everything
somewhere, and so contradict nobody.)

Found are pairs worth a person's look. What reads like another subject is passed over: a list of doubts is read by nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from bot.content import Intent
from bot.upkeep.checks.diagnostics import Diagnostic, Kind, Location, Severity
from bot.upkeep.checks.materials import Materials
from bot.upkeep.checks.nearness import centred
from bot.upkeep.checks.polarity import FREE, NO, PAID, YES, negated_conditions, polarity
from bot.upkeep.checks.said import Words, amount, said
from bot.upkeep.checks.statements import Clause, Source, Statement, statements
from bot.upkeep.checks.values import CONTACTS, Value, unmatched
from bot.upkeep.checks.wording import Overlap, Wording
from retrieval.chunking import embedded_text
from retrieval.encoder import Vectors

_SENTENCES = Overlap(0.5, 0.3)  # least that two sentences share
_CLAUSES = Overlap(0.6, 0.2)  # least that the clauses around two numbers share
_NEAR = 0.55  # least cosine of two sentences under their headings, what all texts share taken out
_NEAR_ITS_ARTICLE = 0.45  # the same for a template and an article that it names
_YES_AND_NO = Overlap(0.9, 0.5)
_DENIED = 0.8  # share of a denying clause's words that the other sentence affirms
_EXAMPLE = re.compile(r"例如|比如|举例|(?<![A-Za-z])(?:for example|for instance|e\.g\.)", re.IGNORECASE)


@dataclass(frozen=True)
class _Conflict:
    one: Statement
    other: Statement
    said: tuple[Words, Words]  # 7 days and 10 days; yes and no


def check_contradictions(materials: Materials) -> Iterator[Diagnostic]:
    """Statements that contradict each other, within a language, between any two articles or templates."""
    everything = [each for each in statements(materials) if not _EXAMPLE.search(each.text)]
    for language in ("zh", "en"):
        spoken = [each for each in everything if each.source.language == language]
        possible = list(_possible(spoken))
        for conflict in _near(possible, language, materials):
            yield _told(conflict, materials)


def _possible(spoken: Sequence[Statement]) -> Iterator[_Conflict]:
    """What contradicts each other by its words alone."""
    wording = Wording([each.words for each in spoken])
    stated: dict[tuple[str, ...], set[Value]] = {}
    for each in spoken:
        stated.setdefault(each.source.key, set()).update(each.values)
    for first, second in wording.pairs(_SENTENCES):
        one, other = spoken[first], spoken[second]
        if one.source.key == other.source.key or _about_different_things(one, other):
            continue
        both = _numbers(one, other, stated, wording) or _yes_and_no(one, other, wording)
        if both is not None:
            yield _Conflict(one, other, both)


def _about_different_things(one: Statement, other: Statement) -> bool:
    """Whether each names a subject of its own heading, or a product, that the other knows nothing of."""
    if one.named - other.known and other.named - one.known:
        return True
    return bool(one.codes - other.codes and other.codes - one.codes)


def _numbers(
    one: Statement, other: Statement, stated: dict[tuple[str, ...], set[Value]], wording: Wording
) -> tuple[Words, Words] | None:
    """Two amounts of one unit beside the same words, each of which the other's whole source does not state."""
    for mine, theirs in product(one.clauses, other.clauses):
        if not _at_least(_CLAUSES, wording.overlap(mine.words, theirs.words)):
            continue
        here = unmatched(_amounts(mine), stated[other.source.key])
        there = unmatched(_amounts(theirs), stated[one.source.key])
        for value, counter in product(sorted(here, key=str), sorted(there, key=str)):
            if value.kind == counter.kind and value.unit == counter.unit:
                return amount(value), amount(counter)
    return None


def _amounts(clause: Clause) -> set[Value]:
    return {value for value in clause.values if value.kind not in CONTACTS}


def _yes_and_no(one: Statement, other: Statement, wording: Wording) -> tuple[Words, Words] | None:
    """One sentence denies what nearly the same words of the other affirm, or charges for what is free there.

    A sentence that says both, of two cases, is passed over: which of them the other one means cannot be told. So is a table's
    row, which affirms nothing by itself.
    """
    if one.is_row or other.is_row or not _at_least(_YES_AND_NO, wording.overlap(one.words, other.words)):
        return None
    if _cases(one) != _cases(other):
        return None
    if unmatched(one.values, other.values) and unmatched(other.values, one.values):
        return None
    sides = [[(clause, polarity(clause.text)) for clause in each.clauses] for each in (one, other)]
    for yes, no in ((YES, NO), (FREE, PAID)):
        for (mine, theirs), both in ((sides, (no, yes)), (sides[::-1], (yes, no))):
            denying = [clause for clause, says in mine if no in says]
            if any(no in says for _, says in theirs) or (no is PAID and any(yes in says for _, says in mine)):
                continue
            affirming = [clause for clause, says in theirs if yes in says]
            if any(
                wording.share(d.own or d.words, a.words) >= _DENIED for d, a in product(denying, affirming)
            ):
                return said(both[0]), said(both[1])
    return None


def _cases(statement: Statement) -> int:
    return sum(negated_conditions(clause.text) for clause in statement.clauses)


def _near(possible: Sequence[_Conflict], language: str, materials: Materials) -> Iterator[_Conflict]:
    """Those whose sentences are near in meaning, too; of one difference between two sources the nearest sentences."""
    texts = list(dict.fromkeys(each.in_context for pair in possible for each in (pair.one, pair.other)))
    if not texts:
        return
    vectors = dict(zip(texts, _centred(texts, language, materials), strict=True))

    def cosine(conflict: _Conflict) -> float:
        return float(vectors[conflict.one.in_context] @ vectors[conflict.other.in_context])

    told: set[tuple[object, ...]] = set()
    for conflict in sorted(possible, key=cosine, reverse=True):
        one, other = conflict.one.source, conflict.other.source
        difference = (one.key, other.key, conflict.said)
        if difference not in told and cosine(conflict) >= _least(one, other):
            told.add(difference)
            yield conflict


def _centred(texts: Sequence[str], language: str, materials: Materials) -> Vectors:
    """Unit vectors of texts around the middle of the language's passages, shape (len(texts), dimension)."""
    passages = [embedded_text(each) for each in materials.passages if each.language == language]
    middle = materials.encoder.encode_passages(passages).mean(axis=0) if passages else None
    return centred(materials.encoder.encode_passages(texts), middle)


def _least(one: Source, other: Source) -> float:
    """The least cosine; a template and an article that it names speak of the same thing anyway."""
    template_and_article = isinstance(one.owner, Intent) != isinstance(other.owner, Intent)
    return _NEAR_ITS_ARTICLE if template_and_article and one.articles & other.articles else _NEAR


def _at_least(least: Overlap, found: Overlap) -> bool:
    return found.of_less >= least.of_less and found.of_more >= least.of_more


def _told(conflict: _Conflict, materials: Materials) -> Diagnostic:
    one, other = conflict.said
    return Diagnostic(
        Kind.CONTRADICTION,
        Severity.WARNING,
        said("contradiction", one=one, other=other),
        (_place(conflict.one, materials), _place(conflict.other, materials)),
        said("contradiction_do"),
    )


def _place(statement: Statement, materials: Materials) -> Location:
    owner, language = statement.source.owner, statement.source.language
    if isinstance(owner, Intent):
        return materials.in_intent(owner, language, statement.text)
    return materials.in_article(owner, statement.text)
