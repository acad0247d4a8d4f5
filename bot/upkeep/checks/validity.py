"""Articles that are over, have not begun, or end soon, and templates whose articles are all over.

A customer never reads an article on a day on which it is not valid. A template has no dates of its own: it is as valid as
the articles that it names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from bot.content import Intent
from bot.upkeep.checks.diagnostics import Diagnostic, Kind, Severity
from bot.upkeep.checks.materials import Materials
from bot.upkeep.checks.said import Words, listed, said
from retrieval.documents import Article


def check_validity(materials: Materials) -> Iterator[Diagnostic]:
    """Every article and template that is not valid today, or will not be soon."""
    for faces in materials.faces.values():
        if len({(face.valid_from, face.valid_until) for face in faces}) > 1:
            yield _differing(faces, materials)
        yield from _dated(faces, materials)
    for intent in materials.content.intents.values():
        unknown = [name for name in intent.articles if name not in materials.faces]
        if unknown:
            yield _unknown(intent, unknown, materials)
        elif _lapsed(intent, materials):
            yield _template(intent, materials)


def _dated(faces: tuple[Article, ...], materials: Materials) -> Iterator[Diagnostic]:
    """One diagnostic for all faces that have the same dates."""
    groups: dict[tuple[date | None, date | None], list[Article]] = {}
    for face in faces:
        groups.setdefault((face.valid_from, face.valid_until), []).append(face)
    for group in groups.values():
        found = _of_dates(group[0], materials)
        if found is not None:
            kind, severity, message, remedy = found
            places = tuple(materials.in_article(face, _written(face, kind)) for face in group)
            yield Diagnostic(kind, severity, message, places, remedy)


def _of_dates(face: Article, materials: Materials) -> tuple[Kind, Severity, Words, Words] | None:
    today = materials.today
    if face.valid_until is not None and face.valid_until < today:
        return (
            Kind.EXPIRED,
            Severity.WARNING,
            said("expired", day=str(face.valid_until), n=(today - face.valid_until).days),
            said("expired_do"),
        )
    if face.valid_from is not None and today < face.valid_from:
        return (
            Kind.NOT_YET_VALID,
            Severity.HINT,
            said("not_yet_valid", day=str(face.valid_from), n=(face.valid_from - today).days),
            said("not_yet_valid_do"),
        )
    if face.valid_until is None or (left := (face.valid_until - today).days) > materials.soon:
        return None
    resting = [
        intent.id for intent in materials.content.intents.values() if set(intent.articles) == {face.id}
    ]
    soon = said("expires_soon" if left else "expires_today", day=str(face.valid_until), n=left)
    return (
        Kind.EXPIRES_SOON,
        Severity.WARNING,
        said("resting", soon=soon, intents=listed(resting)) if resting else soon,
        said("expires_soon_do"),
    )


def _differing(faces: tuple[Article, ...], materials: Materials) -> Diagnostic:
    return Diagnostic(
        Kind.VALIDITY_DIFFERS,
        Severity.WARNING,
        said(
            "validity_differs",
            spans=listed(
                (said("face_span", language=said(face.language), span=_span(face)) for face in faces), "then"
            ),
        ),
        tuple(materials.in_article(face) for face in faces),
        said("validity_differs_do"),
    )


def _lapsed(intent: Intent, materials: Materials) -> bool:
    """Whether a template names articles, and none of them is valid today in any language."""
    named = [face for name in intent.articles for face in materials.faces.get(name, ())]
    return bool(named) and not any(face.is_valid(materials.today) for face in named)


def _unknown(intent: Intent, names: Sequence[str], materials: Materials) -> Diagnostic:
    return Diagnostic(
        Kind.UNKNOWN_ARTICLE,
        Severity.ERROR,
        said("unknown_article", names=listed(names, "or")),
        (materials.in_intent(intent, text="articles:"),),
        said("unknown_article_do"),
    )


def _template(intent: Intent, materials: Materials) -> Diagnostic:
    named = [face for name in intent.articles for face in materials.faces.get(name, ())]
    return Diagnostic(
        Kind.EXPIRED_TEMPLATE,
        Severity.ERROR,
        said(
            "expired_template",
            day=str(materials.today),
            faces=listed(
                said("face", article=face.id, language=said(face.language), span=_span(face))
                for face in named
            ),
        ),
        (
            materials.in_intent(intent, "zh", intent.answer.zh),
            materials.in_intent(intent, "en", intent.answer.en),
            *(materials.in_article(face) for face in named),
        ),
        said("expired_template_do"),
    )


def _written(face: Article, kind: Kind) -> str:
    """The line of the front matter that says so."""
    if kind is Kind.NOT_YET_VALID:
        return f"valid_from: {face.valid_from}"
    return f"valid_until: {face.valid_until}"


def _span(face: Article) -> Words:
    first, last = face.valid_from, face.valid_until
    if first is not None and last is not None:
        return said("span_both", first=str(first), last=str(last))
    if first is not None:
        return said("span_from", first=str(first))
    return said("span_always") if last is None else said("span_until", last=str(last))
