"""What the search learns from customers' questions that people judged, on new teams that had learned nothing before.

    python benchmarks/judged.py                # nine trades, their written talks as a log
    python benchmarks/judged.py --json FILE    # the figures as JSON, too

A team has the articles of a trade and no listed questions. Its talks are parted in three by customer; of two parts people have
said which article answers each question, or that none does, and the search learns from them; the third is asked, follow-ups with
the question that they follow. "Only what was answered": nobody voted on what the bot rightly left unanswered, as where a team
imports old chats. The peers learn a probability from the same questions by logistic regression (Platt scaling) on one figure.

Right first: of what an article answers, how often it ranks first. AUROC, mean squared error (Brier) and calibration error are of
the probability that the first article answers. Worth is what a night judges by (`finetune/search_comparison.py`). How hard the prior holds was chosen on the other eight trades; the trade that was
held out stands apart.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from bot.content import load_content
from bot.learning import english_encoder, labelled_questions
from bot.logs import configure_logs
from bot.models import make_encoder
from bot.settings import Settings, load_settings
from bot.understanding.context import continues, looks_like_follow_up, with_context
from bot.understanding.language import to_simplified
from finetune.examples.held_out import HELD_OUT_TRADE
from finetune.examples.lessons import Trade, load_trade, trades
from retrieval.calibration import PRIOR, LabelledQuestion, calibration_error, fit
from retrieval.chunking import split
from retrieval.encoder import Encoder
from retrieval.evidence import SIGNALS, Contents, Evidence
from retrieval.learning import SERVING, learn_parts
from retrieval.search import SearchIndex
from retrieval.vector_cache import RecentTexts

_PARTS = 3
_SEED = 20261130
_REMEMBERED = 100_000  # texts
_PEERS = {"nearest passage, Platt scaling": "passage", "BM25, Platt scaling": "keywords"}
_NOTHING = "nothing judged"
_PRIORS = (10.0, 100.0, 1000.0)

Judged = Sequence[LabelledQuestion]


@dataclass(frozen=True)
class Told:
    """One question, asked: the probability of what ranks first, and whether that, or anything, answers."""

    probability: float
    right: bool
    answerable: bool


@dataclass(frozen=True)
class Figures:
    """Shares 0 to 1; `worth` is -1 to 1."""

    right_first: float
    worth: float
    auroc: float
    brier: float
    calibration_error: float


@dataclass(frozen=True)
class Team:
    """The articles of a trade, what is out of scope everywhere, and the encoders."""

    contents: Contents
    out_of_scope: Judged
    encoder: Encoder
    english: Encoder | None

    def index(self, judged: Judged, prior: float = PRIOR) -> SearchIndex:
        """What searches there, having learned from what was judged."""
        parts = learn_parts(
            self.contents,
            self.encoder,
            english=self.english,
            labelled=self.out_of_scope,
            judged=judged,
            progress=lambda *_: None,
            recipe=replace(SERVING, calibration=partial(fit, prior=prior)),
        )
        return SearchIndex({}, parts.finder, parts.languages, parts.calibration, self.encoder, self.english)


def main() -> None:
    """Learn, ask, measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    configure_logs("error")
    found: dict[str, dict[str, list[Told]]] = {"eight trades": {}, HELD_OUT_TRADE: {}}
    for trade, way, told in _ask_all(load_settings()):
        where = HELD_OUT_TRADE if trade == HELD_OUT_TRADE else "eight trades"
        found[where].setdefault(way, []).extend(told)
    figures = {where: {way: _figures(told) for way, told in ways.items()} for where, ways in found.items()}
    for where, ways in figures.items():
        Console(width=120).print(_table(where, len(found[where][_NOTHING]), ways))
    if chosen.json is not None:
        stored = {where: {way: asdict(one) for way, one in ways.items()} for where, ways in figures.items()}
        chosen.json.write_text(json.dumps({"benchmark": "judged", "figures": stored}, indent=2), "utf-8")


def _ask_all(settings: Settings) -> Iterator[tuple[str, str, list[Told]]]:
    bare = make_encoder(settings, lambda *_: None)
    english, encoder = english_encoder(settings, bare), RecentTexts(bare, _REMEMBERED)
    everywhere = [
        one for one in labelled_questions(load_content(settings.knowledge_base)) if not one.articles
    ]
    screen = Console(stderr=True)
    for folder in trades():
        trade = load_trade(folder, settings.knowledge_base)
        team = Team(_contents(trade, settings), everywhere, encoder, english)
        parts = _in_parts(trade)
        for number, asked in enumerate(parts):
            judged = [each for other in parts[:number] + parts[number + 1 :] for each in other]
            for way, told in _ways(team, judged, asked):
                yield trade.name, way, told
        screen.print(f"{trade.name}: {len(team.contents.ids)} topics, {sum(map(len, parts))} questions")


def _ways(team: Team, judged: Judged, asked: Judged) -> Iterator[tuple[str, list[Told]]]:
    plain = team.index([])
    yield _NOTHING, [_told(plain, each) for each in asked]
    yield "judged (Kefu)", _asked(team.index(judged), asked)
    answered = [each for each in judged if each.articles]
    yield "judged: only what was answered", _asked(team.index(answered), asked)
    for prior in _PRIORS:
        yield f"judged, prior {prior:g} instead of {PRIOR:g}", _asked(team.index(judged, prior), asked)
    for name, signal in _PEERS.items():
        yield name, list(_peer(plain, SIGNALS.index(signal), judged, asked))


def _contents(trade: Trade, settings: Settings) -> Contents:
    faces = [replace(article, questions=()) for article in trade.articles.values()]
    limit = settings.retrieval.passage_characters
    return Contents.of(faces, [passage for face in faces for passage in split(face, limit)])


def _in_parts(trade: Trade) -> list[list[LabelledQuestion]]:
    """The questions of its talks as they are searched, the talks in an order of chance."""
    talks = list(trade.talks)
    random.Random(_SEED).shuffle(talks)  # noqa: S311 — an order, no secret
    parts: list[list[LabelledQuestion]] = [[] for _ in range(_PARTS)]
    for number, talk in enumerate(talks):
        before = ""
        for turn in talk.turns:
            own = to_simplified(turn.question)
            follows = before and (continues(own) or looks_like_follow_up(own))
            text = with_context(own, before) if follows else own
            articles = frozenset(() if turn.article is None else (turn.article,))
            parts[number % _PARTS].append(LabelledQuestion(text, articles))
            before = text if articles else before
    return parts


def _asked(index: SearchIndex, asked: Judged) -> list[Told]:
    return [_told(index, each) for each in asked]


def _told(index: SearchIndex, asked: LabelledQuestion) -> Told:
    hits = index.search(asked.text, top_k=1, day=datetime.now(UTC).date())
    if not hits:
        return Told(0.0, right=False, answerable=bool(asked.articles))
    return Told(hits[0].score, hits[0].passage.article_id in asked.articles, bool(asked.articles))


def _peer(index: SearchIndex, signal: int, judged: Judged, asked: Judged) -> Iterator[Told]:
    """Ranked by one signal; its probability by logistic regression on the highest."""
    ids = list(dict.fromkeys(article.id for article in index.articles()))
    seen = [_highest(index, signal, each, ids) for each in judged]
    model = LogisticRegression(C=1e6).fit([[height] for height, _ in seen], [right for _, right in seen])
    for each in asked:
        height, right = _highest(index, signal, each, ids)
        yield Told(float(model.predict_proba([[height]])[0, 1]), right, bool(each.articles))


def _highest(
    index: SearchIndex, signal: int, asked: LabelledQuestion, ids: Sequence[str]
) -> tuple[float, bool]:
    evidence: Evidence | None = index.evidence(asked.text, day=datetime.now(UTC).date())
    assert evidence is not None
    values = np.where(evidence.candidates, evidence.signals[:, signal], -np.inf)
    first = int(np.argmax(values))
    return float(values[first]), ids[first] in asked.articles


def _figures(told: Sequence[Told]) -> Figures:
    def column(read: Callable[[Told], float]) -> NDArray[np.float64]:
        return np.array([read(one) for one in told], dtype=np.float64)

    said, right = column(lambda one: one.probability), column(lambda one: one.right)
    answerable = column(lambda one: one.answerable) > 0
    return Figures(
        right_first=float(right[answerable].mean()),
        worth=float((right - (said - right) ** 2).mean()),
        auroc=float(roc_auc_score(right, said)),
        brier=float(((said - right) ** 2).mean()),
        calibration_error=calibration_error(said, right),
    )


def _table(where: str, count: int, ways: Mapping[str, Figures]) -> Table:
    table = Table(title=f"{where}: {count} questions")
    table.add_column("the search has learned from")
    for column in ("right first", "worth", "AUROC", "Brier", "calibration error"):
        table.add_column(column, justify="right")
    for way, one in ways.items():
        table.add_row(
            way,
            f"{one.right_first:.1%}",
            f"{one.worth:.3f}",
            f"{one.auroc:.3f}",
            f"{one.brier:.4f}",
            f"{one.calibration_error:.3f}",
        )
    return table


if __name__ == "__main__":
    main()
