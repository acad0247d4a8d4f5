"""What came of the golden questions when they were asked, judged: the figures of golden.py."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import opencc
from golden_questions import article_languages, crosses

from bot.answering.support import check
from bot.conversation import Language, Reply, Route, Turn, VisitorId
from bot.factory import Kefu
from bot.golden import Golden
from retrieval.sentences import sentences

_SIMPLIFIED = opencc.OpenCC("tw2sp")
ANSWERED = (Route.TEMPLATE, Route.GROUNDED)


@dataclass(frozen=True)
class Outcome:
    """What came of it. The times are measured from outside, around the manager."""

    golden: Golden
    crosses: bool  # languages: its article exists only in the other one
    turn: Turn
    first_token_ms: float
    total_ms: float
    unsupported: int

    @property
    def answered(self) -> bool:
        """Whether the customer got an answer at all."""
        return self.turn.route in ANSWERED

    @property
    def right(self) -> bool:
        """Whether what the customer got is what the golden set asks for."""
        golden, turn = self.golden, self.turn
        if golden.kind == "answer":
            return self._right_answer()
        if golden.kind == "refuse":
            return not self.answered
        if golden.kind == "clarify":
            return turn.route is Route.CLARIFY
        return turn.route is Route.HANDOFF

    @property
    def wrong_answer(self) -> bool:
        """Whether the customer was told something that does not answer the question."""
        if not self.answered:
            return False
        if self.golden.kind in ("answer", "clarify"):
            return not self._right_answer()
        return True

    @property
    def wrong_template(self) -> bool:
        """The same, by approved wording of another intent."""
        return self.turn.route is Route.TEMPLATE and self.wrong_answer

    def _right_answer(self) -> bool:
        if self.turn.route is Route.TEMPLATE:
            return self.turn.intent in self.golden.intents
        return self.turn.route is Route.GROUNDED and self.turn.sources[0].article_id in self.golden.articles


def ask_all(kefu: Kefu, questions: Sequence[Golden]) -> Iterator[Outcome]:
    """Ask every question in a conversation of its own, after what was said before it."""
    faces = article_languages(kefu.settings.knowledge_base)
    for golden in questions:
        visitor = VisitorId(golden.id)
        conversation = kefu.manager.open_conversation(visitor, channel="benchmark")
        for earlier in golden.context:
            list(kefu.manager.answer(conversation, earlier, visitor=visitor))
        began = time.perf_counter()
        first = 0.0
        reply: Reply | None = None
        for part in kefu.manager.answer(conversation, golden.question, visitor=visitor):
            first = first or time.perf_counter() - began
            reply = part if isinstance(part, Reply) else None
        total = time.perf_counter() - began
        turn = kefu.manager.history(conversation, visitor=visitor)[-1]
        assert reply is not None
        yield Outcome(
            golden, crosses(golden, faces), turn, first * 1000, total * 1000, _unsupported(kefu, turn)
        )


def _unsupported(kefu: Kefu, turn: Turn) -> int:
    """Sentences of a grounded answer that neither stand in a cited article nor are supported by one."""
    if turn.route is not Route.GROUNDED:
        return 0
    bodies = []
    for source in turn.sources:
        article = kefu.manager.article(source.language.content.value, source.article_id)
        if article is not None:
            bodies.append(f"{article.title}\n{article.body}")
    notice = str(kefu.manager.wording(turn.language)["only_other_language"])
    answer = turn.answer.removeprefix(notice)
    if turn.language is Language.ZH_HANT:  # articles are written in simplified characters
        answer = _SIMPLIFIED.convert(answer)
    said = [sentence for sentence in map(_plain, sentences(answer)) if sentence]
    quoted = "\n".join(map(_squeezed, bodies))
    return sum(
        _squeezed(sentence) not in quoted and not check(sentence, bodies).supported for sentence in said
    )


def _plain(text: str) -> str:
    """The sentence without the numbers of its sources."""
    return re.sub(r"\s*\[\d\]", "", text).strip()


def _squeezed(text: str) -> str:
    return "".join(text.split())


def share(outcomes: Sequence[Outcome], test: Callable[[Outcome], bool]) -> float | None:
    """Share (0 to 1) of the outcomes for which `test` holds; None of nothing."""
    return sum(map(test, outcomes)) / len(outcomes) if outcomes else None


def figures(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """The figures of one group of questions."""
    by_kind = {
        kind: [o for o in outcomes if o.golden.kind == kind]
        for kind in ("answer", "refuse", "clarify", "handoff")
    }
    with_article = [o for o in by_kind["answer"] if o.golden.articles]
    grounded = [o for o in outcomes if o.turn.route is Route.GROUNDED]
    templates = [o for o in outcomes if o.turn.route is Route.TEMPLATE]
    return {
        "questions": len(outcomes),
        "right": share(outcomes, lambda o: o.right),
        "answered rightly": share(by_kind["answer"], lambda o: o.right),
        "refused rightly": share(by_kind["refuse"], lambda o: o.right),
        "clarified rightly": share(by_kind["clarify"], lambda o: o.right),
        "handed over rightly": share(by_kind["handoff"], lambda o: o.right),
        "wrong answer": share(outcomes, lambda o: o.wrong_answer),
        "wrong template": share(outcomes, lambda o: o.wrong_template),
        "wrong of templates": share(templates, lambda o: o.wrong_answer),
        **{f"article in top {k}": share(with_article, lambda o, k=k: _found(o, k)) for k in (1, 3, 5)},
        "cross-language top 3": share([o for o in with_article if o.crosses], lambda o: _found(o, 3)),
        "grounded supported": share(grounded, lambda o: o.unsupported == 0),
        "read by the model": share(
            grounded, lambda o: (o.turn.generation or "").startswith(("draft", "read"))
        ),
        "template ms p50": percentile([o.total_ms for o in templates], 50),
        "template ms p95": percentile([o.total_ms for o in templates], 95),
        "grounded first ms p50": percentile([o.first_token_ms for o in grounded], 50),
        "grounded first ms p95": percentile([o.first_token_ms for o in grounded], 95),
        "grounded all ms p50": percentile([o.total_ms for o in grounded], 50),
        "grounded all ms p95": percentile([o.total_ms for o in grounded], 95),
    }


def _found(outcome: Outcome, k: int) -> bool:
    ranked = list(dict.fromkeys(passage.article_id for passage in outcome.turn.passages))
    return bool(outcome.golden.articles.intersection(ranked[:k]))


def percentile(values: Sequence[float], p: float) -> float | None:
    """The p-th percentile; None of nothing."""
    return float(np.percentile(values, p)) if values else None
