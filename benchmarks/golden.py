"""How well the demonstration shop is served: every golden question is asked, and what came back is judged.

    python benchmarks/golden.py                 # the test half, with the language model that is set
    python benchmarks/golden.py --half dev      # the half that thresholds may be tuned on
    python benchmarks/golden.py --no-model      # answers composed without a language model
    python benchmarks/golden.py --json FILE     # the figures as JSON, too

`golden.jsonl` is cut in two by a hash of each question's id. Peers in the same run: BM25 alone and vectors alone for
finding the article, and for answering a bot as they are usually built: the nearest example's template if its cosine
passes a fixed threshold (tuned on the dev half), else the nearest article, always.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import opencc
from golden_peers import NaiveBot, keyword_ranking, vector_ranking
from golden_questions import article_languages, crosses, load_half
from rich.console import Console
from rich.table import Table

from bot.answering.support import check
from bot.conversation import Language, Reply, Route, Turn, VisitorId
from bot.factory import Kefu, build_kefu
from bot.golden import Golden
from bot.logs import configure_logs
from bot.settings import Settings, load_settings
from retrieval.sentences import sentences

LANGUAGES = ("zh", "en", "mixed", "zh-Hant")
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


def peers(
    kefu: Kefu, settings: Settings, questions: Sequence[Golden], dev: Sequence[Golden]
) -> list[dict[str, Any]]:
    """The peers' figures on the same questions (follow-ups get the question before them in front)."""
    rows = []
    for name, ranking in (
        ("BM25 alone", keyword_ranking(settings)),
        ("vectors alone", vector_ranking(settings, kefu.encoder)),
    ):
        with_article = [g for g in questions if g.kind == "answer" and g.articles]
        ranked = [(g, ranking(" ".join((*g.context, g.question)))) for g in with_article]
        tops = {
            f"article in top {k}": sum(bool(g.articles & set(r[:k])) for g, r in ranked) / len(ranked)
            for k in (1, 3, 5)
        }
        rows.append({"name": name, **tops})
    naive = NaiveBot(settings, kefu.encoder)
    naive.tune([(" ".join((*g.context, g.question)), g.kind, g.intents, g.articles) for g in dev])
    rows.append({"name": "nearest example, else nearest article", **naive.judge(
        [(" ".join((*g.context, g.question)), g.kind, g.intents, g.articles) for g in questions]
    )})  # fmt: skip
    return rows


def main() -> None:
    """Ask, judge, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--half", choices=("test", "dev", "all"), default="test")
    parser.add_argument("--no-model", action="store_true", help="compose answers without a language model")
    parser.add_argument("--limit", type=int, help="only the first so many questions")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--misses", action="store_true", help="list what went wrong")
    options = parser.parse_args()
    configure_logs("error")
    settings = load_settings()
    if options.no_model:
        settings = settings.model_copy(update={"model": settings.model.model_copy(update={"model": "none"})})
    questions = load_half(settings.knowledge_base, options.half)[: options.limit]
    with tempfile.TemporaryDirectory() as scratch:
        kefu = build_kefu(settings, lambda *_: None, log_path=Path(scratch) / "golden.db")
        if kefu.generator is not None:
            kefu.generator.warm_up()
        kefu.prepare_sentences()  # as a server has that is up for some minutes; kept for the next run
        outcomes = list(ask_all(kefu, questions))
        others = peers(kefu, settings, questions, load_half(settings.knowledge_base, "dev"))
        kefu.close()
    report(outcomes, others, options.json, half=options.half)
    if options.misses:
        list_misses(outcomes)


def report(
    outcomes: Sequence[Outcome], others: list[dict[str, Any]], target: Path | None, *, half: str
) -> None:
    """Print the tables and write the JSON."""
    columns = {"all": figures(outcomes)}
    columns |= {name: figures([o for o in outcomes if o.golden.language == name]) for name in LANGUAGES}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    table = Table(title=f"Golden questions, {half} half · peak memory {memory:.2f} GB")
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    for row in columns["all"]:
        table.add_row(row, *(_shown(row, column[row]) for column in columns.values()))
    peer_rows = [{"name": "Kefu", **columns["all"]}, *others]
    peer_table = Table(title="Beside its peers, same questions")
    names = [
        "article in top 1",
        "article in top 3",
        "article in top 5",
        "answered rightly",
        "refused rightly",
        "wrong answer",
        "wrong template",
    ]
    for name in ("", *names):
        peer_table.add_column(name, justify="right" if name else "left")
    for peer in peer_rows:
        peer_table.add_row(peer["name"], *(_shown(name, peer.get(name)) for name in names))
    console = Console(width=150)
    console.print(table)
    console.print(peer_table)
    if target is not None:
        result = {"half": half, "memory_gb": memory, "kefu": columns, "peers": others}
        target.write_text(json.dumps(result, ensure_ascii=False, indent=1), "utf-8")


def _shown(row: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if row == "questions" or " ms " in row else f"{value:.1%}"


def list_misses(outcomes: Sequence[Outcome]) -> None:
    """One line for each question that did not come out right."""
    for outcome in outcomes:
        if not outcome.right:
            golden, turn = outcome.golden, outcome.turn
            hit = turn.passages[0] if turn.passages else None
            print(
                f"{golden.id} [{golden.language}] {'/'.join((*golden.context, golden.question))!r} want {golden.kind} "
                f"{sorted(golden.intents)} {sorted(golden.articles)} got {turn.route} {turn.intent} score {turn.score:.2f} "
                f"margin {turn.margin:.2f} scope {turn.in_scope:.2f} top {hit.article_id if hit else None} {hit.score if hit else 0:.2f}"
            )


if __name__ == "__main__":
    main()
