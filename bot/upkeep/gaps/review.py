"""What a person does with gaps: list them, look at one, accept, dismiss, merge, open again. For the command and for pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from bot.conversation import Turn, TurnId
from bot.errors import GapUnknown
from bot.knowledge import Knowledge
from bot.memory.gaps import (
    GapId,
    GapState,
    StoredGap,
    decide_on,
    first_asked,
    gap_log,
    gap_of_turns,
    merge_gaps,
    one_write,
    read_gap,
    read_gaps,
)
from bot.memory.store import Store
from bot.turns import Redact
from bot.upkeep.gaps.accepting import Choice, Plan, drafts_of, plan
from bot.upkeep.gaps.drafts import Draft
from bot.upkeep.gaps.gathering import gather
from bot.upkeep.gaps.material import Material, material_of
from bot.upkeep.gaps.placing import check, placed
from bot.upkeep.gaps.report import Gap, GapReport, Suggestion, Way, is_open, ranked
from bot.upkeep.gaps.space import known_topics, learn_space
from bot.upkeep.gaps.suggesting import with_suggestion
from bot.upkeep.gaps.unanswered import read_unanswered
from retrieval.encoder import Encoder


@dataclass(frozen=True)
class Talk:
    """A conversation with the turns of it that were not answered. Masked, as it was logged."""

    turns: tuple[Turn, ...]  # oldest first
    unanswered: frozenset[TurnId]
    corrections: Mapping[TurnId, str]  # what people would have answered


@dataclass(frozen=True)
class Closer:
    """A gap looked at closely."""

    gap: Gap
    talks: tuple[Talk, ...]  # the latest first
    drafts: tuple[Draft, ...]  # an intent, or articles


@dataclass(frozen=True)
class GapReview:
    """The gaps of one Kefu. `mask` masks personal data, `day` is today where the shop is."""

    knowledge: Knowledge
    encoder: Encoder
    store: Store
    knowledge_base: Path
    mask: Redact
    day: date

    def report(self, *, since: datetime | None, limit: int, everything: bool = False) -> GapReport:
        """Gather what was not answered since a moment, and list the gaps that matter most.

        Args:
            since: with time zone; None: from the beginning.
            limit: most gaps that are listed.
            everything: list also what was accepted or dismissed.

        Raises:
            StoreError: the log cannot be read or written.
        """
        at = datetime.now(UTC)
        with gap_log(self.store.path) as log:
            chosen = gap_of_turns(log)
        found = read_unanswered(self.store.logged(since=since), chosen=chosen)
        space = learn_space(
            known_topics(self.knowledge.content, self.knowledge.index.articles()), self.encoder
        )
        with gap_log(self.store.path) as log:
            gather(log, found.turns, space, self.encoder, at=at)
            gaps = ranked(read_gaps(log), found.turns, gap_of_turns(log), at)
        shown = [gap for gap in gaps if everything or is_open(gap)]
        hidden = [gap.stored.state for gap in gaps if not (everything or is_open(gap))]
        return GapReport(
            since=since,
            at=at,
            gaps=tuple(map(self._suggested, shown[:limit])),
            total=len(shown),
            accepted=hidden.count(GapState.ACCEPTED),
            dismissed=hidden.count(GapState.DISMISSED),
            unanswered=len(found.turns),
            failures=found.failures,
            cut=space.cut,
            topics=space.topics,
        )

    def look(self, gap: GapId, *, way: Way | None = None, talks: int = 5) -> Closer:
        """One gap with all its turns, its latest talks, and drafts.

        Args:
            gap: its id.
            way: what is drafted, an intent or articles; default: what is suggested, and articles where that is neither.
            talks: most conversations.

        Raises:
            GapUnknown: there is none with this id.
            StoreError: the log cannot be read.
        """
        found, suggestion = self._find(gap)
        drafts = drafts_of(suggestion.way if way is None else way, self._material(found), day=self.day)
        return Closer(found, self._talks(found, talks), drafts)

    def accept(self, gap: GapId, choice: Choice) -> tuple[StoredGap, Plan]:
        """Write what was chosen into the knowledge base and mark the gap, both or neither; a running server picks it up.

        Raises:
            GapUnknown: there is none with this id.
            ContentError: a draft is not finished, or the content would be wrong; nothing has been changed.
            StoreError: the log cannot be read or written; nothing has been changed.
        """
        found, suggestion = self._find(gap)
        made = plan(
            choice,
            suggestion,
            self._material(found),
            self.knowledge.content,
            self.knowledge_base,
            day=self.day,
        )
        articles = {(article.id, article.language) for article in self.knowledge.index.articles()}
        check(self.knowledge_base, made.changes, articles)
        with (
            gap_log(self.store.path) as log,
            placed(self.knowledge_base, made.changes),
            one_write(log),
        ):
            stored = decide_on(log, found.id, GapState.ACCEPTED, at=datetime.now(UTC), outcome=made.outcome)
        return stored, made

    def _find(self, gap: GapId) -> tuple[Gap, Suggestion]:
        at = datetime.now(UTC)
        with gap_log(self.store.path) as log:
            stored, belongs = read_gap(log, gap), gap_of_turns(log)
            since = first_asked(log, stored.id)
        turns = read_unanswered(self.store.logged(since=since), chosen=belongs).turns
        found = ranked([stored], turns, belongs, at)
        if not found:
            raise GapUnknown(
                f"Gap {stored.id} has no turn left that was not answered: {stored.title!r}. Dismiss it."
            )
        whole, suggestion = with_suggestion(found[0], self.knowledge, day=self.day)
        return whole, suggestion

    def _suggested(self, gap: Gap) -> Gap:
        return with_suggestion(gap, self.knowledge, day=self.day)[0]

    def _material(self, gap: Gap) -> Material:
        return material_of(
            gap, self.knowledge, self.encoder, mask=lambda text: self.mask(text).text, day=self.day
        )

    def _talks(self, gap: Gap, most: int) -> tuple[Talk, ...]:
        own = frozenset(turn.id for turn in gap.turns)
        latest = list(dict.fromkeys(turn.conversation for turn in gap.turns))[:most]
        return tuple(
            Talk(tuple(self.store.turns(conversation)), own, _corrections(gap)) for conversation in latest
        )


def dismiss(log_path: Path, gap: GapId, reason: str) -> StoredGap:
    """Say that nothing is to be done about a gap; what falls into it later does not bring it back.

    Raises:
        GapUnknown: there is none with this id.
        StoreError: the log cannot be written.
    """
    return _decide(log_path, gap, GapState.DISMISSED, reason)


def reopen(log_path: Path, gap: GapId) -> StoredGap:
    """Take back that a gap was dismissed or accepted; content that was written stays.

    Raises:
        GapUnknown: there is none with this id.
        StoreError: the log cannot be written.
    """
    return _decide(log_path, gap, GapState.NEW, "")


def merge(log_path: Path, stays: GapId, gone: GapId) -> StoredGap:
    """Make two gaps one, under the id and the state of `stays`.

    Raises:
        GapUnknown: one of them does not exist, or both are one already.
        StoreError: the log cannot be written.
    """
    with gap_log(log_path) as log:
        return merge_gaps(log, stays, gone)


def _decide(log_path: Path, gap: GapId, state: GapState, reason: str) -> StoredGap:
    with gap_log(log_path) as log, one_write(log):
        return decide_on(log, gap, state, at=datetime.now(UTC), reason=reason)


def _corrections(gap: Gap) -> dict[TurnId, str]:
    return {turn.id: turn.correction for turn in gap.turns if turn.correction is not None}
