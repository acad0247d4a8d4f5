"""Whether a search knows when to keep silent on a team's first day: what its probabilities rest on before anything is learned.

    python benchmarks/first_day.py             # nine trades, without car rental in what is fitted there
    python benchmarks/first_day.py --fit       # also the numbers that stand in retrieval/calibration.py
    python benchmarks/first_day.py --json FILE # the figures as JSON, too

A shop is a trade's articles (`finetune/talks`) in Chinese, in English, or in both, without a listed question. It is asked the
first question of each of the trade's talks in both languages, among them what no article answers, and questions of other
trades (three of ten). An answer is right if the article that ranks first is the talk's.

For each row a logistic regression is fitted on all trades but one and measured on that one, in turn. AUROC: right answers
against wrong ones. Calibration error: mean distance of the probability and how often it is right. Then what the two first
thresholds let through: `drafted_score`, from which a tuned model reads the passages and may still decline, and `grounded_score`
where none does. The last row: Kefu's fixed numbers on the trade that they were not fitted on; its ranking was chosen on all nine.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from cycle_trade import write_articles
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from bot.conversation import Language
from bot.learning import english_encoder
from bot.logs import configure_logs
from bot.models import make_encoder
from bot.settings import Settings, load_settings
from bot.understanding.language import to_simplified
from finetune.examples.held_out import HELD_OUT_TRADE
from finetune.examples.lessons import Trade, load_trade, trades
from retrieval.build import build_index
from retrieval.calibration import DEFAULT, STRENGTHS, calibration_error, strengths_of
from retrieval.encoder import Encoder
from retrieval.search import SearchIndex
from retrieval.vector_cache import RecentTexts

Reals = NDArray[np.float64]

SPOKEN = ((Language.ZH,), (Language.EN,), (Language.ZH, Language.EN))
CHOICES: Mapping[str, tuple[str, ...]] = {
    "best cosine of a passage": ("passage",),
    "words in common": ("coverage",),
    "lead over the next article": ("lead",),
    "lead and words in common: Kefu": ("lead", "coverage"),
    "and the best cosine": ("lead", "coverage", "passage"),
}
_SHARE = 0.3  # of the questions, from other trades
_REMEMBERED = 100_000  # texts
_SEED = 20261130
_screen = Console(stderr=True)


@dataclass(frozen=True)
class Asked:
    """One question, and what the search found for it."""

    trade: str
    answerable: bool  # by an article of the shop
    right: bool  # and that article ranks first
    strengths: tuple[float, ...]  # of the article that ranks first, as STRENGTHS


@dataclass(frozen=True)
class Figures:
    """What one way to make a probability came to; shares 0 to 1."""

    auroc: float
    calibration_error: float
    answered: tuple[float, float]  # of what ranks the right article first, at the two thresholds
    passed: tuple[float, float]  # of what ranks a wrong one first, or that nothing answers


def main() -> None:
    """Ask, fit, measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    configure_logs("error")
    settings = load_settings()
    asked = list(_ask_all(settings))
    thresholds = (settings.policy.drafted_score, settings.policy.grounded_score)
    found = {name: _figures(asked, _in_turn(asked, read), thresholds) for name, read in CHOICES.items()}
    there = [one for one in asked if one.trade == HELD_OUT_TRADE]
    told = _told(_features(there, STRENGTHS), np.asarray(DEFAULT.strengths), DEFAULT.intercept)
    found[f"Kefu as shipped, {HELD_OUT_TRADE} alone"] = _figures(there, told, thresholds)
    Console(width=140).print(_table(asked, found, thresholds))
    if chosen.fit:
        for name, read in CHOICES.items():
            weights, intercept = _fit([one for one in asked if one.trade != HELD_OUT_TRADE], read)
            said = ", ".join(f"{each} {weight:.2f}" for each, weight in zip(read, weights, strict=True))
            Console().print(f"{name}: {said}, intercept {intercept:.2f}")
    if chosen.json is not None:
        figures = {name: asdict(each) for name, each in found.items()}
        chosen.json.write_text(json.dumps({"benchmark": "first_day", "figures": figures}, indent=2), "utf-8")


def _ask_all(settings: Settings) -> Iterator[Asked]:
    bare = make_encoder(settings, lambda *_: None)
    beside = english_encoder(settings, bare)
    encoder = RecentTexts(bare, _REMEMBERED)
    known = [load_trade(folder, settings.knowledge_base) for folder in trades()]
    for trade in known:
        for spoken in SPOKEN:
            with tempfile.TemporaryDirectory(prefix="kefu-first-day-") as scratch:
                index = index_of(trade, spoken, settings, encoder, beside, Path(scratch))
                yield from _ask(index, trade, known)
        _screen.print(f"{trade.name}: {len(trade.articles) // 2} topics, {len(trade.talks)} talks")


def index_of(
    trade: Trade,
    spoken: Sequence[Language],
    settings: Settings,
    encoder: Encoder,
    beside: Encoder | None,
    scratch: Path,
) -> SearchIndex:
    """A new team's index in the folder `scratch`: a trade's articles in some languages, no listed questions, no intents."""
    write_articles(trade, scratch / "knowledge_base", spoken)
    build_index(
        scratch / "knowledge_base",
        scratch / "index",
        encoder,
        english=beside,
        passage_limit=settings.retrieval.passage_characters,
        progress=lambda *_: None,
    )
    return SearchIndex.open(scratch / "index", encoder, beside)


def _ask(index: SearchIndex, trade: Trade, known: Sequence[Trade]) -> Iterator[Asked]:
    own = [(talk, True) for talk in trade.talks]
    strangers = [(talk, False) for other in known if other is not trade for talk in other.talks]
    random.Random(_SEED).shuffle(strangers)  # noqa: S311 — a draw, no secret
    ids = list(dict.fromkeys(article.id for article in index.articles()))
    day = datetime.now(UTC).date()
    for talk, ours in (*own, *strangers[: round(len(own) * _SHARE / (1 - _SHARE))]):
        turn = talk.turns[0]
        evidence = index.evidence(to_simplified(turn.question), day=day)
        if evidence is None:
            continue
        scores = DEFAULT.rank(evidence)
        first = int(np.argmax(scores))
        answerable = ours and turn.article in ids
        right = answerable and ids[first] == turn.article
        strengths = tuple(map(float, strengths_of(evidence, scores)[first]))
        yield Asked(trade.name, answerable, right, strengths)


def _features(asked: Sequence[Asked], read: Sequence[str]) -> Reals:
    columns = [STRENGTHS.index(name) for name in read]
    return np.array([[one.strengths[column] for column in columns] for one in asked])


def _fit(asked: Sequence[Asked], read: Sequence[str]) -> tuple[Reals, float]:
    """Weights of what is read, and an intercept; each trade counts alike."""
    features, right = _features(asked, read), np.array([one.right for one in asked])
    names = [one.trade for one in asked]
    weight = np.array([1 / names.count(name) for name in names]) * len(asked) / len(set(names))
    mean, scale = features.mean(axis=0), features.std(axis=0)
    model = LogisticRegression(max_iter=1000).fit((features - mean) / scale, right, sample_weight=weight)
    weights = model.coef_[0] / scale
    return weights, float(model.intercept_[0] - weights @ mean)


def _told(features: Reals, weights: Reals, intercept: float) -> Reals:
    return np.asarray(1 / (1 + np.exp(-(features @ weights + intercept))))


def _in_turn(asked: Sequence[Asked], read: Sequence[str]) -> Reals:
    """Probabilities of each trade's questions, fitted on the others."""
    told = np.zeros(len(asked))
    names = np.array([one.trade for one in asked])
    for name in np.unique(names):
        weights, intercept = _fit([one for one in asked if one.trade != name], read)
        here = names == name
        told[here] = _told(_features([one for one in asked if one.trade == name], read), weights, intercept)
    return told


def _figures(asked: Sequence[Asked], told: Reals, thresholds: tuple[float, float]) -> Figures:
    right = np.array([one.right for one in asked])
    low, high = thresholds
    return Figures(
        auroc=float(roc_auc_score(right, told)),
        calibration_error=calibration_error(told, right),
        answered=(float((told[right] >= low).mean()), float((told[right] >= high).mean())),
        passed=(float((told[~right] >= low).mean()), float((told[~right] >= high).mean())),
    )


def _table(asked: Sequence[Asked], found: Mapping[str, Figures], thresholds: tuple[float, float]) -> Table:
    answerable = [one for one in asked if one.answerable]
    first = sum(one.right for one in answerable) / len(answerable)
    table = Table(
        title=f"{len(asked)} questions, {len(answerable)} with an article, which ranks first for {first:.1%} of them"
    )
    table.add_column("the probability rests on")
    for column in ("AUROC", "calibration error"):
        table.add_column(column, justify="right")
    for threshold in thresholds:
        table.add_column(f"right ones told at {threshold:g}", justify="right")
        table.add_column("wrong ones", justify="right")
    for name, one in found.items():
        shares = (
            f"{100 * share:.1f}" for pair in zip(one.answered, one.passed, strict=True) for share in pair
        )
        table.add_row(name, f"{one.auroc:.3f}", f"{one.calibration_error:.3f}", *shares)
    return table


if __name__ == "__main__":
    main()
