"""What the adapter brings: drafts of the bundled model with and without it, beside composed answers and another model.

    python benchmarks/adapter.py                      # the adapter that comes with Kefu, or the one that is served
    python benchmarks/adapter.py --adapter FOLDER     # another one
    python benchmarks/adapter.py --limit 40 --show 5  # fewer questions a set; print some answers
    python benchmarks/adapter.py --json FILE          # the figures as JSON, too

Sets, none of which was trained on: a whole trade (car rental, zh and en), held-out topics of the shop and questions to
refuse (golden.jsonl, test half), CMRC 2018 and DRCD (zh, test parts; CC BY-SA), and DataTalks' FAQ (en). The drafts are
judged as they were written ("drafting"; "reading" quotes the passage that the model names), before the check that keeps
unsupported sentences from customers. The trade and the shop are also shown by language. For DataTalks, the
cosine of each answer to the FAQ's own text (same encoder) stands beside that of a large hosted model's answers.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from adapter_sets import (
    REFERENCE_UNKNOWN,
    comprehension,
    datatalks,
    held_out_shop,
    held_out_trade,
    hosted_answers,
)
from rich.console import Console
from rich.table import Table

from bot.answering.adapters import DEFAULT_ADAPTER
from bot.answering.bundled_model import NAME, unpack_model
from bot.answering.compose import compose
from bot.answering.local_model import LocalModel
from bot.conversation import Language
from bot.factory import rebuild
from bot.learning import open_index
from bot.logs import configure_logs
from bot.models import make_encoder
from bot.settings import Settings, load_settings
from finetune.evaluation.judging import Draft, Judged, Writer, judge, model_writer
from finetune.evaluation.statistics import Estimate, estimate
from finetune.examples.example import Example, as_hits
from finetune.training.train_settings import TRAINED_SHAPE
from retrieval.encoder import Encoder
from retrieval.errors import IndexMismatch, IndexMissing
from retrieval.search import SearchIndex
from retrieval.vector_cache import RecentTexts

METRICS = ("supported", "numbers_exact", "right_passage", "right_refusal", "false_refusal", "similarity")
_screen = Console(stderr=True)


def composing(encoder: Encoder) -> Writer:
    """Composed answers, as customers get them without a model: they never decline."""

    def write(example: Example) -> Draft:
        quotes = compose(example.question, as_hits(example), encoder)
        return Draft("\n\n".join(quote.text for quote in quotes), quotes[0].hit + 1)

    return write


def reading(writer: Writer, encoder: Encoder) -> Writer:
    """What customers get from a model that reads better than it writes: the passage that it names, quoted."""
    quote = composing(encoder)

    def write(example: Example) -> Draft:
        draft = writer(example)
        if draft.source is None or not 0 < draft.source <= len(example.passages):
            return draft
        named = replace(example, passages=(example.passages[draft.source - 1],))
        return replace(draft, text=quote(named).text, failure="")

    return write


def table_of(name: str, judged: dict[str, list[Judged]], cosines: dict[str, list[float]]) -> Table:
    """One set's figures, a row a system."""
    table = Table(title=name)
    for column in ("", *METRICS, "cosine to the FAQ", "first token s", "whole s"):
        table.add_column(column.replace("_", " "))
    for system, answers in judged.items():
        figures = figures_of(answers)
        shown = [_percent(figures[metric]) for metric in METRICS]
        cosine = f"{np.mean(cosines[system]):.3f}" if cosines.get(system) else ""
        times = [
            f"{np.median([j.draft.seconds_to_first for j in answers]):.2f}",
            f"{np.median([j.draft.seconds for j in answers]):.2f}",
        ]
        table.add_row(system, *shown, cosine, *times)
    if cosines.get("hosted model"):
        table.add_row("hosted model", *[""] * len(METRICS), f"{np.mean(cosines['hosted model']):.3f}", "", "")
    return table


def by_language(judged: Mapping[str, Mapping[str, list[Judged]]]) -> dict[str, dict[str, list[Judged]]]:
    """The sets in which both languages are asked alike, together, and apart by language."""
    both = [name for name in judged if name in BILINGUAL]
    return {
        f"{' and '.join(both)}, {language.value}": {
            system: [
                each for name in both for each in judged[name][system] if each.example.language == language
            ]
            for system in judged[both[0]]
        }
        for language in (Language.ZH, Language.EN)
        if both
    }


def figures_of(answers: Sequence[Judged]) -> dict[str, Estimate]:
    """Each metric's mean with its interval."""
    known = [a for a in answers if a.example.answer != REFERENCE_UNKNOWN]
    return {
        metric: estimate(
            [
                float(value)
                for each in (known if metric == "similarity" else answers)
                if (value := getattr(each, metric)) is not None
            ]
        )
        for metric in METRICS
    }


def _percent(value: Estimate) -> str:
    if value.count == 0:
        return ""
    return f"{100 * value.mean:.1f} ({100 * value.low:.0f}–{100 * value.high:.0f}; {value.count})"


def _cosines(
    encoder: Encoder, judged: dict[str, list[Judged]], examples: Sequence[Example], hosted: dict[str, str]
) -> dict[str, list[float]]:
    """Cosine of each answer to the FAQ's text, for the questions that the passages answer."""
    answered = [example for example in examples if example.source]
    references = encoder.encode_passages([example.answer for example in answered])
    texts = {"hosted model": [hosted[example.question] for example in answered]}
    for system, answers in judged.items():
        texts[system] = [each.draft.text or "-" for each in answers if each.example.source]
    return {
        system: np.sum(encoder.encode_passages(said) * references, axis=1).tolist()
        for system, said in texts.items()
    }


def _systems(chosen: argparse.Namespace, encoder: Encoder, models: Path) -> Iterator[tuple[str, Writer]]:
    source = unpack_model(models, lambda *_: None)
    if not chosen.only_adapter:
        yield "composed", composing(encoder)
        yield "base", model_writer(LocalModel(source, label=NAME, threads=chosen.threads))
    adapter = DEFAULT_ADAPTER if chosen.adapter is None else chosen.adapter
    if adapter.exists():
        drafts = model_writer(LocalModel(source, label=NAME, adapter=adapter, threads=chosen.threads))
        yield "adapter, drafting", drafts
        yield "adapter, reading", reading(drafts, encoder)
    if chosen.other is not None:
        yield chosen.other.name, model_writer(LocalModel(chosen.other, threads=chosen.threads))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder with the public sets"
    )
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--only-adapter", action="store_true", help="leave the peers out")
    parser.add_argument("--other", type=Path, help="folder of another chat model, e.g. SmolLM2-135M-Instruct")
    parser.add_argument("--limit", type=int, default=100, help="most questions a set")
    parser.add_argument("--sets", nargs="*", choices=SETS, default=[], help="only these")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--show", type=int, default=0, help="answers to print a set")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    settings = load_settings()
    configure_logs("error")
    encoder = RecentTexts(make_encoder(settings, lambda *_: None))
    sets = _sets(chosen, settings, encoder)
    judged: dict[str, dict[str, list[Judged]]] = {name: {} for name in sets}
    for system, writer in _systems(chosen, encoder, settings.models_path):
        for name, examples in sets.items():
            judged[name][system] = [judge(example, writer(example)) for example in examples]
            _screen.print(f"{system}: {name} done")
    figures: dict[str, Any] = {}
    for name, answers in {**judged, **by_language(judged)}.items():
        hosted = hosted_answers(chosen.data) if name == "datatalks" else {}
        cosines = _cosines(encoder, answers, sets[name], hosted) if hosted else {}
        Console(width=190).print(table_of(name, answers, cosines))
        for system, each in answers.items():
            figures.setdefault(name, {})[system] = {m: asdict(e) for m, e in figures_of(each).items()}
        _show(answers, chosen.show)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(figures, indent=2), "utf-8")


SETS = ("car rental", "shop", "cmrc2018", "drcd", "datatalks")
BILINGUAL = SETS[:2]


def _sets(chosen: argparse.Namespace, settings: Settings, encoder: Encoder) -> dict[str, list[Example]]:
    """The sets that were asked for and whose data are at hand."""
    data, limit, shape = chosen.data, chosen.limit, TRAINED_SHAPE
    make: dict[str, Callable[[], list[Example]]] = {
        "car rental": lambda: held_out_trade(encoder, shape, limit),
        "shop": lambda: held_out_shop(
            _index(settings, encoder), settings.knowledge_base, _today(settings), shape, limit
        ),
        "cmrc2018": lambda: comprehension(data, "cmrc2018_dev.json", shape, limit),
        "drcd": lambda: comprehension(data, "drcd_dev.json", shape, limit),
        "datatalks": lambda: datatalks(data, encoder, shape, limit),
    }
    wanted = chosen.sets or SETS
    if not data.is_dir():
        _screen.print(f"{data} is not there, so the public sets are left out; --data names another place.")
        wanted = [name for name in wanted if name in BILINGUAL]
    return {name: make[name]() for name in wanted}


def _index(settings: Settings, encoder: Encoder) -> SearchIndex:
    try:
        return open_index(settings, encoder)
    except (IndexMissing, IndexMismatch):
        rebuild(settings, encoder, lambda *_: None)
        return open_index(settings, encoder)


def _today(settings: Settings) -> date:
    return datetime.now(ZoneInfo(settings.time_zone)).date()


def _show(answers: dict[str, list[Judged]], count: int) -> None:
    for place in range(count):
        for number, (system, each) in enumerate(answers.items()):
            one = each[place]
            if number == 0:
                _screen.print(
                    f"\n[bold]{one.example.question}[/] → [{one.example.source}] {one.example.answer[:120]}"
                )
            _screen.print(
                f"  {system}: [{one.draft.source}] {one.draft.text[:200]} {one.draft.failure}", markup=False
            )


if __name__ == "__main__":
    main()
