"""Shows gaps in a terminal: the list, and one looked at closely."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bot.conversation import Turn
from bot.memory.gaps import GapState, StoredGap
from bot.upkeep.gaps.drafts import Draft
from bot.upkeep.gaps.report import HALF_LIFE, Gap, GapReport, is_open
from bot.upkeep.gaps.review import Closer, Talk
from bot.upkeep.gaps.space import FEW_TOPICS, MIXED

_MOMENT = "%Y-%m-%d %H:%M"


def list_as_text(report: GapReport, zone: tzinfo) -> RenderableType:
    """The list with what is worth knowing about it, times in `zone`."""
    gaps = [line for gap in report.gaps for line in _listed(gap, zone)]
    notes = [Text(note, style="dim") for note in _notes(report, zone)]
    return Group(Text("What could not be answered", style="bold"), *gaps, *notes) if gaps else Group(*notes)


def closer_as_text(closer: Closer, zone: tzinfo) -> RenderableType:
    """One gap: what is known of it, its latest talks, what is suggested, and the drafts."""
    gap = closer.gap
    lines = Text(gap.stored.title, style="bold")
    for name, value in _facts(gap, zone):
        lines.append(f"\n{name}: ", style="dim")
        lines.append(value, style="not bold")
    talks = [Panel(_talk(talk), title=_opened(talk, zone), title_align="left") for talk in closer.talks]
    left = gap.talks - len(closer.talks)
    more = [Text(f"… and {left} more talk(s): --talks {gap.talks}", style="dim")] if left > 0 else []
    return Group(lines, *talks, *more, *(_draft(draft) for draft in closer.drafts))


def decision_as_text(stored: StoredGap) -> str:
    """What has become of a gap, in a sentence."""
    if stored.state is GapState.NEW:
        return f"Gap {stored.id} is open again: {stored.title}"
    because = f" ({stored.reason})" if stored.reason else ""
    return f"Gap {stored.id} is {stored.state}{because}: {stored.title}"


def _listed(gap: Gap, zone: tzinfo) -> Iterator[RenderableType]:
    """A gap in a few lines that fit a narrow terminal, too."""
    yield Text.assemble((f"\n{gap.id:>4}  ", "cyan"), (gap.stored.title, "bold"))
    last = gap.turns[0].asked_at.astimezone(zone).strftime("%Y-%m-%d")
    asked = f"{len(gap.turns)} × ({_counts(gap.languages, ', ')}), last {last}; {_counts(gap.why, ', ')}"
    suggested = gap.suggestion.text if gap.suggestion is not None and is_open(gap) else ""
    for line, style in (
        (asked, "dim"),
        (_state(gap), "dim"),
        (_nearest(gap), "dim"),
        (f"→ {suggested}" if suggested else "", ""),
    ):
        if line:
            yield Padding(Text(line, style=style), (0, 0, 0, 6))


def _notes(report: GapReport, zone: tzinfo) -> Iterator[str]:
    since = "ever" if report.since is None else f"since {report.since.astimezone(zone).strftime(_MOMENT)}"
    if not report.gaps:
        yield f"Nothing is open of {report.unanswered} turns without an answer {since}."
    elif report.total > len(report.gaps):
        yield f"… and {report.total - len(report.gaps)} more: --limit {report.total}"
    if report.accepted or report.dismissed:
        yield f"Not listed: {report.accepted} accepted, {report.dismissed} dismissed (--all lists them)."
    if report.gaps:
        yield (
            f"{report.unanswered} turns without an answer {since}, ranked by their talks; one counts half after "
            f"{HALF_LIFE.days} days. Questions are together if their average cosine is {report.cut:.2f} or more: at that, "
            f"of the team's own examples at most {MIXED:.0%} are put among others."
        )
    if report.topics < FEW_TOPICS:
        yield f"That was learned from {report.topics} topics only, so expect mistakes: `merge` mends them."
    failures = report.failures
    if failures.last_at is not None:
        kinds = ", ".join(f"{count} × {kind}" for kind, count in failures.kinds.items())
        last = failures.last_at.astimezone(zone).strftime(_MOMENT)
        yield f"Technical problems, not listed: {len(failures.turns)} turns, the last on {last}: {kinds}."


def _facts(gap: Gap, zone: tzinfo) -> Iterator[tuple[str, str]]:
    stored = gap.stored
    yield (
        "gap",
        f"{gap.id}, {stored.state}{f' ({stored.reason or stored.outcome})' if gap.stored.decided else ''}",
    )
    first, last = (turn.asked_at.astimezone(zone).strftime(_MOMENT) for turn in (gap.turns[-1], gap.turns[0]))
    yield (
        "asked",
        f"{len(gap.turns)} times in {gap.talks} talk(s) ({_counts(gap.languages, ', ')}), {first} to {last}",
    )
    yield "why", _counts(gap.why, ", ")
    if gap.intent is not None:
        yield "nearest intent", f"{gap.intent.intent} ({gap.intent.score:.0%})"
    if gap.article is not None:
        yield "nearest article", f"{gap.article.id}, {gap.article.title} ({gap.article.score:.0%})"
    if gap.suggestion is not None:
        yield "suggestion", gap.suggestion.text


def _talk(talk: Talk) -> Text:
    text = Text()
    for turn in talk.turns:
        missed = turn.id in talk.unanswered
        text.append("▶ " if missed else "  ", style="bold red")
        text.append(f"{turn.customer_text}\n", style="bold" if missed else "")
        text.append(f"    {turn.route}: {' '.join(turn.answer.split())}\n", style="dim")
        if turn.id in talk.corrections:
            text.append(f"    a person: {' '.join(talk.corrections[turn.id].split())}\n", style="green")
    text.rstrip()
    return text


def _opened(talk: Talk, zone: tzinfo) -> str:
    first: Turn = talk.turns[0]
    return first.asked_at.astimezone(zone).strftime(_MOMENT)


def _draft(draft: Draft) -> RenderableType:
    return Group(Text(f"\nDraft of {draft.name}:", style="bold"), Padding(Text(draft.text), (0, 0, 0, 2)))


def _state(gap: Gap) -> str:
    """What people decided on it; empty as long as they have not."""
    stored = gap.stored
    if stored.state is GapState.ACCEPTED:
        return f"accepted as {stored.outcome}; asked since: {gap.again}"
    if stored.state is GapState.DISMISSED:
        return f"dismissed: {stored.reason}" if stored.reason else "dismissed"
    return ""


def _nearest(gap: Gap) -> str:
    near = [] if gap.intent is None else [(gap.intent.score, f"intent {gap.intent.intent}")]
    near += [] if gap.article is None else [(gap.article.score, f"article {gap.article.id}")]
    names = ", ".join(f"{name} {score:.0%}" for score, name in sorted(near, reverse=True))
    return f"nearest: {names}" if names else ""


def _counts(counts: dict[str, int], between: str) -> str:
    return between.join(f"{name} {count}" for name, count in counts.items())
