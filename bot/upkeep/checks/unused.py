"""Templates that nobody hit and articles that nobody found, since a moment. With a few turns that says nothing yet."""

from __future__ import annotations

from collections.abc import Iterator

from bot.upkeep.checks.diagnostics import Diagnostic, Kind, Severity
from bot.upkeep.checks.materials import LogWindow, Materials

ENOUGH = 200  # turns, below which nearly everything is unused by chance


def check_unused(materials: Materials) -> Iterator[Diagnostic]:
    """What no turn in the log's window used; one hint where there are too few turns to say."""
    log = materials.log
    if log is None or log.total < ENOUGH:
        yield _too_early(log)
        return
    asked = f"in {log.total} turns ({_by_language(log)}) since {log.since:%Y-%m-%d}"
    for intent in materials.content.intents.values():
        if not log.hits.get(intent.id):
            yield Diagnostic(
                Kind.TEMPLATE_UNUSED,
                Severity.HINT,
                f"{intent.title.zh} · {intent.title.en}: nobody got this template {asked}.",
                (materials.in_intent(intent),),
                "Look whether its examples are what customers type; delete it if nobody needs it.",
            )
    for faces in materials.faces.values():
        valid = [face for face in faces if face.is_valid(materials.today)]
        if valid and not log.found.get(valid[0].id):
            yield Diagnostic(
                Kind.ARTICLE_UNFOUND,
                Severity.HINT,
                f"{' · '.join(face.title for face in valid)}: no question led to this article {asked}.",
                tuple(materials.in_article(face) for face in valid),
                "List under `questions` what customers would ask; delete it if nobody needs it.",
            )


def _too_early(log: LogWindow | None) -> Diagnostic:
    seen = "There is no log yet" if log is None else f"{log.total} turns since {log.since:%Y-%m-%d}"
    return Diagnostic(
        Kind.LOG_TOO_SHORT,
        Severity.HINT,
        f"{seen}; {ENOUGH} are needed to say which templates and articles nobody uses.",
        (),
        "Wait, or look further back with --since.",
    )


def _by_language(log: LogWindow) -> str:
    return ", ".join(f"{language} {count}" for language, count in sorted(log.turns.items(), reverse=True))
