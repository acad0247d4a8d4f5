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
import resource
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from golden_figures import Outcome, ask_all, figures
from golden_peers import NaiveBot, keyword_ranking, vector_ranking
from golden_questions import load_half
from rich.console import Console
from rich.table import Table

from bot.factory import Kefu, build_kefu
from bot.golden import Golden
from bot.logs import configure_logs
from bot.settings import Settings, load_settings

LANGUAGES = ("zh", "en", "mixed", "zh-Hant")


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
