"""What two adapters are compared on: questions with what the real search finds for them, and what is known of the answer.

Golden questions say which articles answer, or that none does; real turns that were held out from training bring the
answer that somebody gave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.answering.generator import DEFAULT_SHAPE
from bot.answering.prompt import PromptMessage
from bot.conversation import Language
from bot.golden import Golden
from bot.understanding.language import detect, to_simplified
from finetune.examples.dataset_examples import supported_part
from finetune.examples.passage_finder import Library
from finetune.examples.real_turns import RealTurn
from retrieval.documents import Hit

SHOWN = DEFAULT_SHAPE.passages  # hits that a prompt shows at most


@dataclass(frozen=True)
class Case:
    """One question with what was found for it. `right` are the positions of hits that answer."""

    id: str
    origin: Literal["golden", "talks"]
    language: Language  # zh or en
    question: str
    history: tuple[PromptMessage, ...]
    hits: tuple[Hit, ...]
    answerable: bool | None  # None: nobody knows
    right: frozenset[int] = frozenset()
    reference: str = ""  # the answer that somebody gave; empty if there is none


@dataclass(frozen=True)
class Cases:
    """Cases, and what became of the other questions, by reason."""

    cases: tuple[Case, ...]
    left_out: Mapping[str, int]


def golden_cases(questions: Iterable[Golden], library: Library) -> Cases:
    """Golden questions to be answered or refused, as far as the search lets them be judged.

    Follow-ups are left out, because the answers before them are not known, and so are questions whose article the
    search does not bring among the first passages: whatever is said to them tells more about the search.
    """
    cases: list[Case] = []
    left_out: Counter[str] = Counter()
    for golden in questions:
        if golden.kind not in ("answer", "refuse"):
            continue
        language = detect(golden.question).language.content
        question = to_simplified(golden.question)
        hits = library.find(question, language)
        right = frozenset(
            place for place, hit in enumerate(hits[:SHOWN]) if hit.passage.article_id in golden.articles
        )
        reason = _unfit(golden, hits, right)
        if reason:
            left_out[reason] += 1
            continue
        cases.append(Case(golden.id, "golden", language, question, (), hits, golden.kind == "answer", right))
    return Cases(tuple(cases), dict(left_out))


def talk_cases(turns: Iterable[RealTurn], library: Library) -> Cases:
    """Real turns; where no passage supports the answer that was given, nobody knows whether one could be."""
    cases: list[Case] = []
    left_out: Counter[str] = Counter()
    for turn in turns:
        hits = library.find(turn.question, turn.language)
        if not hits:
            left_out["nothing was found"] += 1
            continue
        right = _supporting(turn.answer, hits[:SHOWN])
        cases.append(
            Case(
                id=turn.id,
                origin="talks",
                language=turn.language,
                question=turn.question,
                history=turn.history,
                hits=hits,
                answerable=(True if right else None) if turn.answer else False,
                right=right,
                reference=turn.answer,
            )
        )
    return Cases(tuple(cases), dict(left_out))


def spread(cases: Sequence[Case], limit: int) -> tuple[Case, ...]:
    """At most `limit` cases, taking turns between languages, origins and whether they can be answered."""
    groups: dict[tuple[object, ...], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.language, case.origin, case.answerable), []).append(case)
    queues: list[Iterator[Case]] = [iter(group) for group in groups.values()]
    chosen: set[str] = set()
    while queues and len(chosen) < limit:
        for queue in list(queues):
            following = next(queue, None)
            if following is None:
                queues.remove(queue)
            elif len(chosen) < limit:
                chosen.add(following.id)
    return tuple(case for case in cases if case.id in chosen)


def _unfit(golden: Golden, hits: Sequence[Hit], right: frozenset[int]) -> str:
    """Why a golden question cannot be judged; empty if it can."""
    if golden.context:
        return "a follow-up"
    if not hits:
        return "nothing was found"
    if golden.kind == "answer" and not golden.articles:
        return "answered by a template alone"
    if golden.kind == "answer" and not right:
        return "the search did not bring its article"
    return ""


def _supporting(answer: str, hits: Sequence[Hit]) -> frozenset[int]:
    if not answer:
        return frozenset()
    return frozenset(
        place for place, hit in enumerate(hits) if supported_part(answer, [hit.passage]) is not None
    )
