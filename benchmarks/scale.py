"""How fast the nearest vectors are found among many, and how many of them: the index that Kefu picks beside others.

    python benchmarks/scale.py                                  # 1,000, 100,000 and 1,000,000 vectors
    python benchmarks/scale.py --sizes 1000 100000
    python benchmarks/scale.py … --texts 3000                   # real texts that the vectors are made from
    python benchmarks/scale.py … --vectors FILE                 # keeps their vectors, for the next run
    python benchmarks/scale.py … --without "HNSW, float16"      # leaves some out: a graph over a million takes its time
    python benchmarks/scale.py --json FILE                      # the figures as JSON, too

The vectors look like the encoder's: real customers' texts in Chinese and English are encoded, and each vector lies between
one of them and one of its fifty nearest, moved by a part of the difference of two others. The queries are texts that were
held out, encoded as questions. With no texts under --data it stops and says so.

recall@10: share of the ten nearest by exact search that are among the ten found, after any equal ones; recall@400 likewise:
Kefu looks at the nearest 400 of a large index (retrieval/evidence.py). Memory: of the index file, MiB. IVF looks into as
few lists, and HNSW at as few candidates, as find 98 % of the ten nearest of other held-out texts; Kefu, which has no texts
to hold out, chooses by itself. "CPU ms" is the mean time that a search costs its processor, which on a busy machine says
more than the clock.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from figures import figure, table_of
from numpy.typing import NDArray
from rich.console import Console

from bot.logs import configure_logs
from bot.models import make_encoder
from bot.settings import load_settings
from retrieval.encoder import Vectors
from retrieval.vector_cache import CachedEncoder
from retrieval.vectors import VectorIndex

DATA = Path("../shared/data")
RECALL = 0.98
WANTED, LOOKED_AT = 10, 400
_QUERIES = 200  # and as many to choose settings on
_NEAR = 50
_LONGEST = 120  # characters of a text
_CHUNK = 50_000
_LISTS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)
_CANDIDATES = (10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
_screen = Console(stderr=True)

Rows = NDArray[np.int64]
Search = Callable[[Vectors, int], tuple[Rows, Vectors]]  # a query, how many → rows and cosines
Build = Callable[[Vectors, Vectors], "Built"]  # vectors, and queries to choose a setting on


@dataclass(frozen=True)
class Figures:
    """What one index came to at one size; shares 0 to 1, times in milliseconds but for the building."""

    recall10: float = figure("recall@10", digits=4)
    recall400: float = figure("recall@400", digits=4)
    build_seconds: float = figure("build s", digits=1)
    memory_mib: float = figure("MiB", digits=0)
    p50_ms: float = figure("p50 ms", digits=2)
    p95_ms: float = figure("p95 ms", digits=2)
    cpu_ms: float = figure("CPU ms", digits=2)
    cpu400_ms: float = figure("400: CPU ms", digits=2)
    setting: str = figure("setting")


@dataclass(frozen=True)
class Built:
    """An index that can be asked."""

    index: faiss.Index
    search: Search
    setting: str


def real_texts(data: Path, count: int) -> list[str]:
    """So many texts of customers, Chinese and English, in an order drawn by chance that is always the same."""
    texts: list[str] = []
    pairs, reviews = data / "matching/atec_zh.tsv", data / "sentiment/online_shopping_zh.zip"
    if pairs.is_file():
        lines = pairs.read_text("utf-8-sig").splitlines()
        texts += [line.split("\t")[1] for line in lines if line.count("\t") == 3]
    for path in sorted(data.glob("intents/*/train.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            texts += [row[0] for row in list(csv.reader(file))[1:] if row]
    if reviews.is_file():
        with zipfile.ZipFile(reviews) as packed:
            table = io.TextIOWrapper(packed.open(packed.namelist()[0]), encoding="utf-8")
            texts += [row[-1] for row in list(csv.reader(table))[1:] if row]
    unique = sorted({text[:_LONGEST].strip() for text in texts} - {""})
    if len(unique) < count:
        raise SystemExit(
            f"{data} holds {len(unique)} texts, {count} are needed. The sets are not part of Kefu; "
            "give another place with --data, or fewer --texts."
        )
    return random.Random(0).sample(unique, count)  # noqa: S311 — a sample, no secret


def encoded(encode: Callable[[Sequence[str]], Vectors], texts: Sequence[str]) -> Vectors:
    """Unit vectors, shape (len(texts), dimension), a few hundred texts of like length at a time."""
    order = np.argsort([len(text) for text in texts], kind="stable")
    parts = [
        encode([texts[row] for row in order[start : start + 256]]) for start in range(0, len(order), 256)
    ]
    vectors = np.concatenate(parts)
    return np.asarray(vectors[np.argsort(order)], dtype=np.float32)


def alike(real: Vectors, count: int) -> Vectors:
    """So many unit vectors that lie as `real` ones do, shape (count, dimension)."""
    chance = np.random.default_rng(0)
    near = np.argpartition(-(real @ real.T), _NEAR, axis=1)[:, :_NEAR]
    vectors = np.empty((count, real.shape[1]), dtype=np.float32)
    for start in range(0, count, _CHUNK):
        part = vectors[start : start + _CHUNK]
        one, other, more, less = chance.integers(len(real), size=(4, len(part)))
        share = chance.uniform(0.5, 1.0, size=(len(part), 1)).astype(np.float32)
        shift = chance.uniform(0.1, 0.3, size=(len(part), 1)).astype(np.float32)
        neighbour = near[one, other % _NEAR]
        part[:] = share * real[one] + (1 - share) * real[neighbour] + shift * (real[more] - real[less])
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return vectors


def plain(kind: str, settings: Sequence[int], set_to: str) -> Build:
    """An index by FAISS's own name for it, with the least setting that finds RECALL of `held` queries' nearest."""

    def build(vectors: Vectors, held: Vectors) -> Built:
        index = faiss.index_factory(vectors.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
        space = faiss.ParameterSpace()
        if kind.startswith("HNSW"):
            space.set_index_parameter(index, "efConstruction", 64)
        if not index.is_trained:
            lists = int(kind.partition(",")[0].removeprefix("IVF"))
            chosen = np.random.default_rng(0).choice(len(vectors), min(len(vectors), 40 * lists), False)
            index.train(vectors[np.sort(chosen)])
        index.add(vectors)
        setting = ""
        farthest = _farthest(vectors, held, WANTED) if settings else held
        for value in settings:
            space.set_index_parameter(index, set_to, value)
            setting = f"{set_to} {value}"
            if _recall(vectors, held, index.search(held, WANTED)[1], farthest) >= RECALL:
                break
        return Built(index, lambda query, count: _one(index, query, count), setting)

    return build


def kefus(vectors: Vectors, held: Vectors) -> Built:
    """What Kefu picks for so many vectors, by itself."""
    index = VectorIndex.build(vectors)
    setting = "Flat" if index.probes is None else f"IVF, float16, nprobe {index.probes}"
    return Built(index._index, index.search, setting)


def contenders(count: int) -> dict[str, Build]:
    """Each by name; IVF has about four times as many lists as the root of `count`, but not more than it can learn from."""
    lists = max(1, min(int(4 * count**0.5), count // 40))
    return {
        "Flat, float32": plain("Flat", (), ""),
        "IVF, 8 bits": plain(f"IVF{lists},SQ8", _LISTS, "nprobe"),
        "IVF, float32": plain(f"IVF{lists},Flat", _LISTS, "nprobe"),
        "HNSW, float16": plain("HNSW32_SQfp16", _CANDIDATES, "efSearch"),
        "Kefu": kefus,
    }


def _one(index: faiss.Index, query: Vectors, count: int) -> tuple[Rows, Vectors]:
    cosines, rows = index.search(query[None, :], count)
    return rows[0], cosines[0]


def _farthest(vectors: Vectors, queries: Vectors, count: int) -> Vectors:
    """Cosine of the last of the nearest, shape (queries, 1), a hair less: of equal ones any may be found."""
    exact, _ = faiss.knn(queries, vectors, min(count, len(vectors)), metric=faiss.METRIC_INNER_PRODUCT)
    return np.asarray(exact[:, -1:] - 1e-6, dtype=np.float32)


def _recall(vectors: Vectors, queries: Vectors, rows: Rows, farthest: Vectors) -> float:
    """Share of what was found that is among the nearest, with nothing found counting as missed."""
    cosines = np.stack(
        [vectors[np.maximum(found, 0)] @ query for found, query in zip(rows, queries, strict=True)]
    )
    return float(((cosines >= farthest) & (rows >= 0)).mean())


def measure(
    build: Build, vectors: Vectors, queries: Vectors, held: Vectors, exact: dict[int, Vectors]
) -> Figures:
    """Build an index, and ask it one query at a time."""
    started = time.perf_counter()
    built = build(vectors, held)
    seconds = time.perf_counter() - started
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    recalls, clock, processor = {}, {}, {}
    for count, farthest in exact.items():
        found = np.full((len(queries), min(count, len(vectors))), -1, dtype=np.int64)
        times = []
        spent = time.process_time()
        for place, query in enumerate(queries):
            began = time.perf_counter()
            rows, _ = built.search(query, count)
            times.append(1000 * (time.perf_counter() - began))
            found[place, : len(rows)] = rows[: found.shape[1]]
        processor[count] = 1000 * (time.process_time() - spent) / len(queries)
        clock[count] = times
        recalls[count] = _recall(vectors, queries, found, farthest)
    faiss.omp_set_num_threads(threads)
    return Figures(
        recall10=recalls[WANTED],
        recall400=recalls[LOOKED_AT],
        build_seconds=seconds,
        memory_mib=_mib(built.index),
        p50_ms=float(np.percentile(clock[WANTED], 50)),
        p95_ms=float(np.percentile(clock[WANTED], 95)),
        cpu_ms=processor[WANTED],
        cpu400_ms=processor[LOOKED_AT],
        setting=built.setting,
    )


def _mib(index: faiss.Index) -> float:
    with tempfile.NamedTemporaryFile(prefix="kefu-scale-") as file:
        faiss.write_index(index, file.name)
        return Path(file.name).stat().st_size / 2**20


def measured(sizes: Sequence[int], real: Vectors, asked: Vectors, skipped: Sequence[str]) -> Iterator[tuple[int, dict[str, Figures]]]:  # fmt: skip
    """For each size what each index came to."""
    held, queries = asked[:_QUERIES], asked[_QUERIES:]
    for size in sizes:
        vectors = alike(real, size)
        exact = {count: _farthest(vectors, queries, count) for count in (WANTED, LOOKED_AT)}
        found: dict[str, Figures] = {}
        for name, build in contenders(size).items():
            if name not in skipped:
                found[name] = measure(build, vectors, queries, held, exact)
                _screen.print(f"{size:,} {name}: {found[name]}")
        yield size, found


def main() -> None:
    """Measure every index at every size, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--texts", type=int, default=6_000)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--vectors", type=Path, help="keep the vectors of the texts here, for the next run")
    parser.add_argument("--without", nargs="*", default=[], metavar="NAME", help="indices to leave out")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    chosen = parser.parse_args()
    configure_logs("error")
    texts = real_texts(chosen.data, chosen.texts + 2 * _QUERIES)
    encoder = CachedEncoder(make_encoder(load_settings(), lambda *_: None), chosen.vectors)
    asked = encoded(encoder.encode_queries, texts[: 2 * _QUERIES])
    real = encoded(encoder.encode_passages, texts[2 * _QUERIES :])
    if chosen.vectors is not None:
        encoder.save(chosen.vectors)
    results: dict[str, Any] = {}
    for size, found in measured(chosen.sizes, real, asked, chosen.without):
        Console(width=150).print(table_of(f"{size:,} vectors of {real.shape[1]} numbers", found))
        results[str(size)] = {name: asdict(figures) for name, figures in found.items()}
    if chosen.json is not None:
        chosen.json.write_text(json.dumps({"benchmark": "scale", "figures": results}, indent=2), "utf-8")


if __name__ == "__main__":
    main()
