"""Templates that nobody hit and articles that nobody found, since a moment. With a few turns that says nothing yet."""

from __future__ import annotations

from collections.abc import Iterator

from bot.upkeep.checks.diagnostics import Diagnostic, Kind, Severity
from bot.upkeep.checks.materials import LogWindow, Materials
from bot.upkeep.checks.said import Words, listed, said

ENOUGH = 200  # turns, below which nearly everything is unused by chance


def check_unused(materials: Materials) -> Iterator[Diagnostic]:
    """What no turn in the log's window used; one hint where there are too few turns to say."""
    log = materials.log
    if log is None or log.total < ENOUGH:
        yield _too_early(log)
        return
    asked = said("asked", n=log.total, languages=_by_language(log), day=f"{log.since:%Y-%m-%d}")
    for intent in materials.content.intents.values():
        if not log.hits.get(intent.id):
            yield Diagnostic(
                Kind.TEMPLATE_UNUSED,
                Severity.HINT,
                said("template_unused", titles=f"{intent.title.zh} · {intent.title.en}", asked=asked),
                (materials.in_intent(intent),),
                said("template_unused_do"),
            )
    for faces in materials.faces.values():
        valid = [face for face in faces if face.is_valid(materials.today)]
        if valid and not log.found.get(valid[0].id):
            yield Diagnostic(
                Kind.ARTICLE_UNFOUND,
                Severity.HINT,
                said("article_unfound", titles=" · ".join(face.title for face in valid), asked=asked),
                tuple(materials.in_article(face) for face in valid),
                said("article_unfound_do"),
            )


def _too_early(log: LogWindow | None) -> Diagnostic:
    if log is None:
        seen = said("no_log", enough=ENOUGH)
    else:
        seen = said("few_turns", n=log.total, day=f"{log.since:%Y-%m-%d}", enough=ENOUGH)
    return Diagnostic(Kind.LOG_TOO_SHORT, Severity.HINT, seen, (), said("few_turns_do"))


def _by_language(log: LogWindow) -> Words:
    counts = sorted(log.turns.items(), reverse=True)
    return listed(said("turns_in", language=said(language), n=count) for language, count in counts)
