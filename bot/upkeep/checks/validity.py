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


def _of_dates(face: Article, materials: Materials) -> tuple[Kind, Severity, str, str] | None:
    today = materials.today
    if face.valid_until is not None and face.valid_until < today:
        return (
            Kind.EXPIRED,
            Severity.WARNING,
            f"Ended on {face.valid_until}, {_days((today - face.valid_until).days)} ago; customers who ask read that it is over.",
            "Renew its text and `valid_until`, or delete it.",
        )
    if face.valid_from is not None and today < face.valid_from:
        return (
            Kind.NOT_YET_VALID,
            Severity.HINT,
            f"Begins on {face.valid_from}, in {_days((face.valid_from - today).days)}; nobody reads it before.",
            "Nothing, if that is meant; else mend `valid_from`.",
        )
    if face.valid_until is None or (left := (face.valid_until - today).days) > materials.soon:
        return None
    resting = [
        intent.id for intent in materials.content.intents.values() if set(intent.articles) == {face.id}
    ]
    templates = f" The template of {', '.join(resting)} rests on it alone." if resting else ""
    return (
        Kind.EXPIRES_SOON,
        Severity.WARNING,
        f"Ends on {face.valid_until}, {'today' if left == 0 else f'in {_days(left)}'}.{templates}",
        "Write what holds afterwards, and renew `valid_until`.",
    )


def _differing(faces: tuple[Article, ...], materials: Materials) -> Diagnostic:
    return Diagnostic(
        Kind.VALIDITY_DIFFERS,
        Severity.WARNING,
        "; ".join(f"{face.language}: {_span(face)}" for face in faces) + ".",
        tuple(materials.in_article(face) for face in faces),
        "Give both faces the same `valid_from` and `valid_until`.",
    )


def _lapsed(intent: Intent, materials: Materials) -> bool:
    """Whether a template names articles, and none of them is valid today in any language."""
    named = [face for name in intent.articles for face in materials.faces.get(name, ())]
    return bool(named) and not any(face.is_valid(materials.today) for face in named)


def _unknown(intent: Intent, names: Sequence[str], materials: Materials) -> Diagnostic:
    return Diagnostic(
        Kind.UNKNOWN_ARTICLE,
        Severity.ERROR,
        f"There is no article {' or '.join(names)}; Kefu does not start with it.",
        (materials.in_intent(intent, text="articles:"),),
        "Mend the name under `articles`, or write the article.",
    )


def _template(intent: Intent, materials: Materials) -> Diagnostic:
    named = [face for name in intent.articles for face in materials.faces.get(name, ())]
    return Diagnostic(
        Kind.EXPIRED_TEMPLATE,
        Severity.ERROR,
        f"None of the articles behind this template is valid on {materials.today}: "
        + ", ".join(f"{face.id} ({face.language}, {_span(face)})" for face in named)
        + ".",
        (
            materials.in_intent(intent, "zh", intent.answer.zh),
            materials.in_intent(intent, "en", intent.answer.en),
            *(materials.in_article(face) for face in named),
        ),
        "Renew the articles and the template, or delete the intent.",
    )


def _written(face: Article, kind: Kind) -> str:
    """The line of the front matter that says so."""
    if kind is Kind.NOT_YET_VALID:
        return f"valid_from: {face.valid_from}"
    return f"valid_until: {face.valid_until}"


def _span(face: Article) -> str:
    if face.valid_from is None and face.valid_until is None:
        return "always"
    start = "" if face.valid_from is None else f"from {face.valid_from} "
    return f"{start}{'' if face.valid_until is None else f'until {face.valid_until}'}".strip()


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
