"""How well unanswered questions are gathered by meaning, across Chinese and English.

    python benchmarks/gaps.py                        # 30 unseen intents of the demonstration shop, 5 draws
    python benchmarks/gaps.py --intents 20 --seeds 10
    python benchmarks/gaps.py --questions F.csv      # other questions: columns text, category; half of the categories unseen
    python benchmarks/gaps.py --speed                # also 10,000 vectors: time and memory
    python benchmarks/gaps.py --json FILE            # the figures as JSON, too

In each draw some intents are unseen: neither they nor their articles take part in what Kefu learns (the directions of
language, the middle, the cut). Their questions in both languages are then clustered without a label, in three sets: as a
log has them (1 to 8 of each intent), all of them, and the golden questions of these intents, which somebody else wrote.

Peers: the same average linkage on raw vectors with a cosine of 0.9 as cut, and with the cut that is best in hindsight
(chosen on the very labels that it is measured on: what a constant could reach at most); HDBSCAN; KMeans with the true
number of clusters, which nobody knows in a log, on raw vectors and where Kefu compares.

Homogeneity, completeness and V: Rosenberg and Hirschberg 2007; ARI: adjusted Rand index, Hubert and Arabie 1985. "zh–en":
of the pairs of a Chinese and an English question of one intent, how many are together. "Among others": of the questions
that are not alone, how many stand in a cluster that is mostly about something else; Kefu's budget for that is 25 %.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gaps_sets import Unseen, examples, golden, halves, like_a_log, read_questions, without
from rich.console import Console
from rich.table import Table
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score, homogeneity_completeness_v_measure

from bot.content import load_content
from bot.logs import configure_logs
from bot.models import make_encoder
from bot.settings import load_settings
from bot.upkeep.gaps.clustering import agglomerate
from bot.upkeep.gaps.space import MeaningSpace, Topics, learn_space
from retrieval.encoder import Encoder, Vectors
from retrieval.readers import read_articles
from retrieval.vector_cache import RecentTexts

PLAIN_CUT = 0.9
_screen = Console(stderr=True)

Labels = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Figures:
    """What came of one clustering; shares 0 to 1."""

    homogeneity: float
    completeness: float
    v: float
    ari: float
    across: float  # zh–en pairs of one topic that are together
    misplaced: float
    clusters: int
    topics: int


def judge(labels: Labels, unseen: Unseen) -> Figures:
    """Compare clusters with the true topics."""
    homogeneity, completeness, v = homogeneity_completeness_v_measure(unseen.topics, labels)
    topics, languages = np.array(unseen.topics), np.array(unseen.languages)
    pairs = (topics[:, None] == topics) & (languages[:, None] == "zh") & (languages == "en")
    together = labels[:, None] == labels
    gathered = misplaced = 0
    for label in np.unique(labels):
        members = Counter(topics[labels == label].tolist())
        if members.total() > 1:
            gathered += members.total()
            misplaced += members.total() - max(members.values())
    return Figures(
        homogeneity=float(homogeneity),
        completeness=float(completeness),
        v=float(v),
        ari=float(adjusted_rand_score(unseen.topics, labels)),
        across=float(together[pairs].mean()) if pairs.any() else float("nan"),
        misplaced=misplaced / gathered if gathered else 0.0,
        clusters=len(np.unique(labels)),
        topics=len(set(unseen.topics)),
    )


def contenders(unseen: Unseen, encoder: Encoder, space: MeaningSpace) -> dict[str, Figures]:
    """Every way to cluster the unseen questions, judged."""
    raw = encoder.encode_queries(unseen.texts)
    placed = space.around(raw).place(raw)
    count = len(set(unseen.topics))
    ones = np.ones(len(raw))
    hindsight = max(
        (judge(agglomerate(raw, ones, cut), unseen) for cut in np.linspace(0.78, 0.98, 41)),
        key=lambda figures: figures.ari,
    )
    return {
        "Kefu": judge(agglomerate(placed, ones, space.cut), unseen),
        f"cosine ≥ {PLAIN_CUT}, raw": judge(agglomerate(raw, ones, PLAIN_CUT), unseen),
        "best cosine in hindsight, raw": hindsight,
        "HDBSCAN, raw": judge(_density(raw), unseen),
        "KMeans, true k, raw": judge(_kmeans(raw, count), unseen),
        "KMeans, true k, Kefu's space": judge(_kmeans(placed, count), unseen),
    }


def _kmeans(vectors: Vectors, count: int) -> Labels:
    return np.asarray(KMeans(count, n_init=4, random_state=0).fit_predict(vectors), dtype=np.int64)


def _density(vectors: Vectors) -> Labels:
    """HDBSCAN; what it calls noise is alone."""
    labels = np.asarray(HDBSCAN(min_cluster_size=2, copy=True).fit_predict(vectors), dtype=np.int64)
    return np.where(labels < 0, len(labels) + np.arange(len(labels)), labels)


def table_of(title: str, draws: Sequence[dict[str, Figures]]) -> Table:
    """Means over the draws, a row a contender."""
    table = Table(title=title)
    names = ("", "homogeneity", "completeness", "V", "ARI", "zh–en", "among others", "clusters", "topics")
    for name in names:
        table.add_column(name, justify="right" if name else "left")
    for name, means in averaged(draws).items():
        shares = [means[key] for key in ("homogeneity", "completeness", "v", "ari", "across", "misplaced")]
        cells = ["–" if np.isnan(share) else f"{share:.3f}" for share in shares]
        table.add_row(name, *cells, f"{means['clusters']:.0f}", f"{means['topics']:.0f}")
    return table


def averaged(draws: Sequence[dict[str, Figures]]) -> dict[str, dict[str, float]]:
    """Means over the draws."""
    return {
        name: {
            key: float(np.mean([asdict(draw[name])[key] for draw in draws])) for key in asdict(draws[0][name])
        }
        for name in draws[0]
    }


def speed(count: int = 10_000, dimension: int = 384) -> list[dict[str, float | str]]:
    """How long so many vectors take, and how much memory beyond what was there before."""
    found: list[dict[str, float | str]] = []
    chance = np.random.default_rng(0)
    for name, topics, cut in (
        ("2,000 topics", 2_000, 0.2),
        ("all different", count, 0.3),
        ("50 topics", 50, 0.05),
    ):
        middles = chance.standard_normal((topics, dimension))
        noisy = middles[chance.integers(0, topics, count)] + 1.2 * chance.standard_normal((count, dimension))
        vectors = np.asarray(noisy / np.linalg.norm(noisy, axis=1, keepdims=True), dtype=np.float32)
        del middles, noisy
        start = time.perf_counter()
        labels = agglomerate(vectors, np.ones(count), cut)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found.append(
            {"vectors": name, "clusters": len(np.unique(labels)), "seconds": seconds, "peak_mb": peak}
        )
    return found


def main() -> None:
    """Cluster what is unseen, draw by draw, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--intents", type=int, default=30, help="unseen intents in each draw")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    configure_logs("error")
    fast = speed() if chosen.speed else []  # first, so that the models do not count
    settings = load_settings()
    content = load_content(settings.knowledge_base)
    articles, _ = read_articles(settings.knowledge_base)
    encoder = RecentTexts(make_encoder(settings, lambda *_: None), 100_000)
    sets: defaultdict[str, list[dict[str, Figures]]] = defaultdict(list)

    def measure(name: str, unseen: Unseen, space: MeaningSpace) -> None:
        sets[name].append(contenders(unseen, encoder, space))

    if chosen.questions is not None:
        everything = read_questions(chosen.questions)
        for seed in range(chosen.seeds):
            chance = np.random.default_rng(seed)
            known, unseen = halves(everything, chance)
            space = learn_space(Topics(known.texts, known.topics, known.languages), encoder)
            measure(f"{chosen.questions.name}, as in a log", like_a_log(unseen, chance), space)
    else:
        for seed in range(chosen.seeds):
            chance = np.random.default_rng(seed)
            names = sorted(chance.choice(sorted(content.intents), chosen.intents, replace=False).tolist())
            space = learn_space(without(content, articles, names), encoder)
            _screen.print(f"draw {seed + 1}: cut {space.cut:.2f}, learned from {space.topics} topics")
            measure("as in a log", like_a_log(examples(content, names), chance), space)
            measure("all examples", examples(content, names), space)
            measure("golden questions", golden(settings.knowledge_base, names), space)
    console = Console(width=140)
    for name, draws in sets.items():
        console.print(table_of(f"Unseen questions, {name}, mean of {len(draws)} draws", draws))
    if fast:
        table = Table(
            "10,000 vectors", "clusters", "seconds", "peak MB of the process", title="Speed, without encoding"
        )
        for row in fast:
            table.add_row(
                str(row["vectors"]), str(row["clusters"]), f"{row['seconds']:.1f}", f"{row['peak_mb']:.0f}"
            )
        console.print(table)
    if chosen.json is not None:
        figures = {name: averaged(draws) for name, draws in sets.items()}
        chosen.json.write_text(
            json.dumps({"benchmark": "gaps", "figures": figures, "speed": fast}, indent=2), "utf-8"
        )


if __name__ == "__main__":
    main()
