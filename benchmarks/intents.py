"""How well a customer's words are put to the right intent, and the wrong ones to none.

    python benchmarks/intents.py                                   # banking77, where ../shared/data lies
    python benchmarks/intents.py --train F.csv --test F.csv        # columns text, category (or utterance, intent …)
    python benchmarks/intents.py … --text-column T --label-column L
    python benchmarks/intents.py --train data_full.json            # clinc150's layout: train, val, test, oos_…
    python benchmarks/intents.py … --oos F.csv                     # questions that belong to no category (column text)
    python benchmarks/intents.py --shots 10 5 --seeds 5            # also with so few examples a category
    python benchmarks/intents.py --shots 10 --few-only             # only with so few
    python benchmarks/intents.py --tuned                           # also with the encoder tuned on the examples
    python benchmarks/intents.py --setfit PYTHON --diet PYTHON     # also SetFit and Rasa's DIET, see below
    python benchmarks/intents.py … --peers-once                    # these two without their figures at 2 % risk: half the time
    python benchmarks/intents.py --json FILE                       # the figures as JSON, too

Accuracy and macro-F1 are of the test questions that belong to a category. Out of scope: where the training data has such
questions (`oos_train` of clinc150's layout), the share of unseen ones that is told so; without, the share whose
confidence lies below what 95 % of a held-out fifth of the training questions reach. AUROC: of the confidence, in scope
against out of scope. "At 2 % risk": on a held-out fifth of the training questions the lowest confidence is chosen at
which at most 2 % of what is told is wrong; given are the share of test questions above it, and how many of those are wrong.

Peers, in the same run: TF-IDF + linear SVM; logistic regression on the bundled encoder and on all-MiniLM-L6-v2. Kefu also
learns from the categories' names, as from the titles of its intents. SetFit and Rasa's DIET need packages of other versions
than Kefu's, so each has an environment of its own and runs by that one's interpreter; three lines at the top of
`intent_peer_setfit.py` and of `intent_peer_diet.py` make it. SetFit tunes all-MiniLM-L6-v2 (--setfit-bodies bundled: or the
bundled encoder), with R = 20 as in its paper, or fewer pairs by --setfit-iterations: banking77 at 10 a category and R = 20 is
1,900 steps of about a second on one core. DIET and Kefu are asked one question after the other, the others many at once: that
is in the ms.
Published, banking77 full / 10 a category: USE+ConveRT 93.4 / 85.2, ConvFiT 94.2, DialoGLUE's best listed 94.8, ICDA
89.8 at 10 (Casanueva et al. 2020; jianguoz/Few-Shot-Intent-Detection).
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from intent_contenders import Bench
from intent_peer_call import Contender, Told
from intent_sets import Columns, Data, Rows, few, read_data
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import train_test_split

from bot.logs import configure_logs
from bot.models import make_encoder
from bot.settings import load_settings
from bot.understanding.intents import OUT_OF_SCOPE
from retrieval.joined_encoder import english_encoder_folder
from retrieval.sentence_encoder import load_encoder
from retrieval.vector_cache import RecentTexts

BANKING = Path("../shared/data/intents/banking77")
BUDGET = 0.02
_screen = Console(stderr=True)


@dataclass(frozen=True)
class Figures:
    """What one contender came to; shares 0 to 1, None where there is nothing to measure."""

    accuracy: float
    macro_f1: float
    strange_recall: float | None
    auroc: float | None
    covered: float | None  # at the budget
    risk: float | None  # of what is covered
    fit_seconds: float
    milliseconds: float  # a question


def measure(contender: Contender, train: Rows, data: Data, *, once: bool = False) -> Figures:
    """Fit on `train`, and measure on the test questions; `once`: without a threshold, for which it is fitted twice."""
    told_held, limit = None, None
    if not once:
        learned, held = _split(train)
        told_held = contender(*_columns(learned), [text for text, _ in held]).told
        limit = _limit(told_held, [label for _, label in held])
    run = contender(*_columns(train), [*(text for text, _ in data.test), *data.strange])
    told, told_strange = run.told.cut(len(data.test))
    right = np.array([a == b for a, (_, b) in zip(told.labels, data.test, strict=True)])
    covered, risk = (None, None) if limit is None else _beyond(limit, told, right)
    recall, auroc = _strangers(told_strange, told, told_held, train) if data.strange else (None, None)
    return Figures(
        accuracy=float(right.mean()),
        macro_f1=float(
            f1_score([label for _, label in data.test], told.labels, average="macro", zero_division=0)
        ),
        strange_recall=recall,
        auroc=auroc,
        covered=covered,
        risk=risk,
        fit_seconds=run.fit_seconds,
        milliseconds=1000 * run.seconds / (len(data.test) + len(data.strange)),
    )


def _columns(rows: Rows) -> tuple[list[str], list[str]]:
    return [text for text, _ in rows], [label for _, label in rows]


def _split(rows: Rows) -> tuple[Rows, Rows]:
    """Four fifths to fit on, one to choose a threshold on."""
    share = max(0.2, len({label for _, label in rows}) / len(rows))
    learned, held = train_test_split(
        rows, test_size=share, random_state=0, stratify=[label for _, label in rows]
    )
    return learned, held


def _limit(told: Told, labels: Sequence[str]) -> float:
    """The lowest confidence at which no more than the budget of what is told is wrong."""
    order = np.argsort(-told.confidence)
    wrong = np.array([told.labels[place] != labels[place] for place in order])
    risk = np.cumsum(wrong) / np.arange(1, len(order) + 1)
    within = np.flatnonzero(risk <= BUDGET)
    return float(told.confidence[order[within[-1]]]) if len(within) else 1.0


def _beyond(limit: float, told: Told, right: NDArray[np.bool_]) -> tuple[float, float]:
    """The share of questions that are told with this confidence or more, and how many of those are told wrong."""
    above = (told.confidence >= limit) & np.array([label != OUT_OF_SCOPE for label in told.labels])
    return float(above.mean()), float(1 - right[above].mean()) if above.any() else 0.0


def _strangers(strange: Told, told: Told, held: Told | None, train: Rows) -> tuple[float | None, float]:
    """The share of strange questions that is told so (None: no way to tell), and how well the confidence tells them apart."""
    refused: float | None = None
    if any(label == OUT_OF_SCOPE for _, label in train):
        refused = float(np.mean([label == OUT_OF_SCOPE for label in strange.labels]))
    elif held is not None:
        refused = float(np.mean(strange.confidence < np.quantile(held.confidence, 0.05)))
    scores = np.concatenate((told.confidence, strange.confidence))
    wanted = np.concatenate((np.ones(len(told.confidence)), np.zeros(len(strange.confidence))))
    return refused, float(roc_auc_score(wanted, scores))


def table_of(title: str, caption: str, figures: dict[str, list[Figures]]) -> Table:
    """The figures, a row a contender; means over seeds."""
    table = Table(title=title, caption=caption)
    for column in (
        "",
        "accuracy",
        "macro-F1",
        "out of scope",
        "AUROC",
        "covered at 2 %",
        "of it wrong",
        "fit s",
        "ms",
    ):
        table.add_column(column, justify="right" if column else "left")
    for name, seeds in figures.items():
        means = {key: [asdict(one)[key] for one in seeds] for key in asdict(seeds[0])}
        row = {key: None if values[0] is None else float(np.mean(values)) for key, values in means.items()}
        shares = [row[key] for key in ("accuracy", "macro_f1", "strange_recall", "auroc", "covered", "risk")]
        spread = f" ±{100 * float(np.std(means['accuracy'])):.1f}" if len(seeds) > 1 else ""
        cells = ["–" if value is None else f"{100 * value:.1f}" for value in shares]
        table.add_row(
            name, cells[0] + spread, *cells[1:], f"{row['fit_seconds']:.1f}", f"{row['milliseconds']:.1f}"
        )
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", type=Path, default=BANKING / "train.csv")
    parser.add_argument("--test", type=Path)
    parser.add_argument("--oos", type=Path)
    parser.add_argument("--text-column")
    parser.add_argument("--label-column")
    parser.add_argument("--shots", type=int, nargs="*", default=[])
    parser.add_argument("--few-only", action="store_true")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument("--setfit", type=Path, metavar="PYTHON")
    parser.add_argument("--setfit-bodies", nargs="+", choices=("MiniLM", "bundled"), default=["MiniLM"])
    parser.add_argument("--setfit-iterations", type=int, default=20, metavar="R")
    parser.add_argument("--diet", type=Path, metavar="PYTHON")
    parser.add_argument("--peers-once", action="store_true")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if chosen.few_only and not chosen.shots:
        parser.error("--few-only leaves nothing to measure without --shots; give --shots 10, too.")
    if chosen.test is None and chosen.train == BANKING / "train.csv":
        chosen.test = BANKING / "test.csv"
    return chosen


def main() -> None:
    """Measure every contender on all examples and on few, and print."""
    chosen = _arguments()
    configure_logs("error")
    for name, flag in (("SetFit", "setfit"), ("Rasa's DIET", "diet")):
        if getattr(chosen, flag) is None:
            _screen.print(f"{name} is not measured: --{flag} PYTHON names no environment that has it.")
    columns = Columns(chosen.text_column, chosen.label_column)
    data = read_data(chosen.train, chosen.test, chosen.oos, columns)
    settings = load_settings()
    encoder = RecentTexts(make_encoder(settings, lambda *_: None), 50_000)
    minilm = RecentTexts(load_encoder(english_encoder_folder(), query_prompt="", passage_prompt=""), 50_000)
    bench = Bench(
        settings,
        encoder,
        minilm,
        tuned=chosen.tuned,
        setfit=chosen.setfit,
        setfit_bodies=tuple(chosen.setfit_bodies),
        setfit_iterations=chosen.setfit_iterations,
        diet=chosen.diet,
    )
    caption = bench.read_ahead([*(text for text, _ in data.test), *data.strange])
    results: dict[str, dict[str, list[Figures]]] = {}
    for shots in (*([] if chosen.few_only else [None]), *chosen.shots):
        title = f"{chosen.train}: {'all examples' if shots is None else f'{shots} a category'}"
        found: dict[str, list[Figures]] = defaultdict(list)
        for seed in range(1 if shots is None else chosen.seeds):
            train = data.train if shots is None else few(data.train, shots, seed)
            bench.read_ahead([text for text, _ in train])
            for name, contender in bench.contenders(seed).items():
                found[name].append(measure(contender, train, data))
                _screen.print(f"{title}, {name}: {found[name][-1].accuracy:.3f}")
            for name, contender in bench.guests(seed).items():
                found[name].append(measure(contender, train, data, once=chosen.peers_once))
                _screen.print(f"{title}, {name}: {found[name][-1].accuracy:.3f}")
        Console(width=140).print(table_of(title, caption, found))
        results[title] = dict(found)
    if chosen.json is not None:
        rows = {
            title: {name: [asdict(one) for one in seeds] for name, seeds in found.items()}
            for title, found in results.items()
        }
        chosen.json.write_text(json.dumps({"benchmark": "intents", "figures": rows}, indent=2), "utf-8")


if __name__ == "__main__":
    main()
