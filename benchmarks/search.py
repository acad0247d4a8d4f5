"""How well the article that answers a question is found, on any FAQ with questions whose answers are known.

    python benchmarks/search.py                                       # the DataTalks FAQ, where ../shared/data lies
    python benchmarks/search.py --documents F.json --questions F.csv
    python benchmarks/search.py … --limit 500                         # only so many questions, drawn by chance
    python benchmarks/search.py … --vectors FILE                      # keeps the vectors, for the next run
    python benchmarks/search.py --json FILE                           # the figures as JSON, too

Documents: a list of `{"id", "question", "text", "section", "course"}`, or such lists by course, as `{"course": [...]}` or
`[{"course", "documents"}]`; one without an id gets the one that the DataTalks course computes. Questions: columns
`question` and `document` (the document's id), and perhaps `course`. Kefu gets an article file for each document, builds
its index, learns from no question of the file, and searches as in a turn; once with its multilingual encoder alone, and once with
the one for English beside it, as it serves.

hit@k: share of the questions whose document is among the first k; MRR: mean of 1/rank, 0 beyond the tenth. "In its
course": of the first 200 of each ranking only the documents of the question's course are kept, for everyone alike. Times
are for the first ten documents, without encoding the question, which all but BM25 and minsearch need and whose time stands
above the table.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import random
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from search_peers import Document, Rank, kefu, peers

from bot.learning import english_encoder
from bot.logs import configure_logs
from bot.models import make_encoder
from bot.settings import load_settings
from retrieval.encoder import Encoder
from retrieval.vector_cache import CachedEncoder, RecentTexts

FAQ = Path("../shared/data/faq/datatalks")
DEEPEST = 10
_RANKED = 200  # documents of a ranking that are looked at for those of one course
_DOCUMENT_COLUMNS = ("document", "document_id", "doc_id", "id", "answer_id")
_GROUP_COLUMNS = ("course", "product", "category", "group")
_screen = Console(stderr=True)


@dataclass(frozen=True)
class Question:
    """A customer's question, the numbers of the documents that answer it, and the course that it names, if any."""

    text: str
    right: frozenset[int]
    group: str


@dataclass(frozen=True)
class Ranks:
    """Shares of questions, and the mean of 1/rank; 0 to 1."""

    hit1: float
    hit5: float
    hit10: float
    mrr: float


@dataclass(frozen=True)
class Figures:
    """What one contender came to; times in milliseconds."""

    over_all: Ranks
    in_group: Ranks | None  # among the documents of the question's course; None where questions name none
    p50_ms: float
    p95_ms: float


def read_documents(path: Path) -> list[Document]:
    """All documents of a file; two with one id answer the same questions."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SystemExit(
            f"{path} cannot be read: {error.strerror}. The sets are not part of Kefu; give your own."
        ) from error
    documents = [_document(row, path) for row in _flat(content)]
    if not documents:
        raise SystemExit(f"{path} holds no documents; give a list of objects with `question` and `text`.")
    return documents


def _flat(content: Any) -> Iterable[Mapping[str, Any]]:
    """Documents of a list, or of lists by course."""
    if isinstance(content, dict):
        content = [{"course": course, "documents": rows} for course, rows in content.items()]
    for row in content:
        if "documents" in row:
            yield from ({"course": row.get("course", ""), **document} for document in row["documents"])
        else:
            yield row


def _document(row: Mapping[str, Any], path: Path) -> Document:
    question = row.get("question", row.get("title"))
    text = row.get("text", row.get("answer", row.get("body")))
    if not question or not text:
        raise SystemExit(
            f"{path}: a document has the keys {list(row)}. It needs `question` (or `title`) and `text` (or `answer`)."
        )
    course = str(row.get("course", ""))
    computed = hashlib.md5(f"{course}-{question}-{text[:10]}".encode(), usedforsecurity=False).hexdigest()[:8]
    return Document(
        frozenset({str(row.get("id", computed))}), question, text, str(row.get("section", "")), course
    )


def read_questions(path: Path, documents: Sequence[Document]) -> list[Question]:
    """All questions of a file whose document is known."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise SystemExit(f"{path} cannot be read: {error.strerror}. Give a CSV file.") from error
    columns = list(rows[0]) if rows else []
    document = next((name for name in _DOCUMENT_COLUMNS if name in columns), None)
    if "question" not in columns or document is None:
        raise SystemExit(
            f"{path} has the columns {columns}. It needs `question` and one of {', '.join(_DOCUMENT_COLUMNS)}."
        )
    group = next((name for name in _GROUP_COLUMNS if name in columns), None)
    by_id: dict[str, set[int]] = {}
    for number, one in enumerate(documents):
        for id_ in one.ids:
            by_id.setdefault(id_, set()).add(number)
    known = [
        Question(row["question"], frozenset(by_id[row[document]]), "" if group is None else row[group])
        for row in rows
        if row[document] in by_id and row["question"].strip()
    ]
    if len(known) < len(rows):
        _screen.print(f"{len(rows) - len(known)} questions are empty or name an unknown document: left out.")
    if not known:
        raise SystemExit(
            f"No question of {path} names a document of the file of documents. Do they belong together?"
        )
    return known


def measure(rank: Rank, questions: Sequence[Question], documents: Sequence[Document]) -> Figures:
    """Ask everything, once for the first ten and, where a course is named, once for a longer ranking."""
    places: list[int | None] = []
    grouped: list[int | None] = []
    milliseconds = []
    for question in questions:
        started = time.perf_counter()
        found = rank(question.text, DEEPEST)
        milliseconds.append(1000 * (time.perf_counter() - started))
        places.append(place_of(found, question.right))
        if question.group:
            ranked = rank(question.text, min(_RANKED, len(documents)))
            own = [number for number in ranked if documents[number].group == question.group]
            grouped.append(place_of(own[:DEEPEST], question.right))
    return Figures(
        over_all=shares(places),
        in_group=shares(grouped) if grouped else None,
        p50_ms=float(np.percentile(milliseconds, 50)),
        p95_ms=float(np.percentile(milliseconds, 95)),
    )


def place_of(found: Sequence[int], right: frozenset[int]) -> int | None:
    """From 1; None if it was not found."""
    return next((place for place, number in enumerate(found, start=1) if number in right), None)


def shares(places: Sequence[int | None]) -> Ranks:
    """Figures of places; None is a place beyond the tenth."""
    hit1, hit5, hit10 = (float(np.mean([p is not None and p <= k for p in places])) for k in (1, 5, DEEPEST))
    return Ranks(hit1, hit5, hit10, float(np.mean([0.0 if place is None else 1 / place for place in places])))


def encoding_ms(encoder: Encoder, questions: Sequence[Question]) -> float:
    """Median time of encoding one question, in milliseconds."""
    times = []
    for question in questions[:50]:
        started = time.perf_counter()
        encoder.encode_queries([question.text])
        times.append(1000 * (time.perf_counter() - started))
    return float(np.median(times))


def table_of(title: str, found: Mapping[str, Figures]) -> Table:
    """A row a contender."""
    table = Table(title=title)
    for column in ("", "hit@1", "hit@5", "hit@10", "MRR", "in its course: hit@1", "hit@5", "hit@10", "MRR", "p50 ms", "p95 ms"):  # fmt: skip
        table.add_column(column, justify="right" if column else "left")
    for name, figures in found.items():
        ranks = (figures.over_all, figures.in_group)
        cells = [f"{share:.3f}" for rank in ranks if rank is not None for share in asdict(rank).values()]
        cells += ["–"] * (8 - len(cells))
        table.add_row(name, *cells, f"{figures.p50_ms:.1f}", f"{figures.p95_ms:.1f}")
    return table


def main() -> None:
    """Measure Kefu and its peers, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=Path, default=FAQ / "documents.json")
    parser.add_argument("--questions", type=Path, default=FAQ / "questions.csv")
    parser.add_argument("--limit", type=int, help="only so many questions, drawn by chance, always the same")
    parser.add_argument("--vectors", type=Path, help="keep the vectors here, for the next run")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    chosen = parser.parse_args()
    configure_logs("error")
    documents = read_documents(chosen.documents)
    questions = read_questions(chosen.questions, documents)
    random.Random(0).shuffle(questions)  # noqa: S311 — a sample, no secret
    questions = questions[: chosen.limit]
    settings = load_settings()
    bare = make_encoder(settings, lambda *_: None)
    spent = encoding_ms(bare, questions)
    beside = english_encoder(settings, bare)
    english = None if beside is None else RecentTexts(beside, 50_000)
    encoder = CachedEncoder(bare, chosen.vectors)
    texts = sorted({question.text for question in questions}, key=len)
    for start in range(0, len(texts), 256):
        for each in (encoder, english):
            if each is not None:
                each.encode_queries(texts[start : start + 256])
    title = (
        f"{chosen.questions}: {len(questions)} questions, {len(documents)} documents · "
        f"encoding a question takes {spent:.1f} ms"
    )
    found: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory(prefix="kefu-search-") as scratch:
        own = kefu(documents, encoder, english, Path(scratch), settings.retrieval.passage_characters)
        alone = Path(scratch) / "alone"
        single = kefu(documents, encoder, None, alone, settings.retrieval.passage_characters)
        contenders = (*peers(documents, encoder, english), ("Kefu, one encoder", single), ("Kefu", own))
        for name, rank in contenders:
            if isinstance(rank, str):
                _screen.print(f"{name}: not measured ({rank})")
                continue
            if chosen.vectors is not None:
                encoder.save(chosen.vectors)  # before the measuring, which may be stopped
            found[name] = measure(rank, questions, documents)
            _screen.print(
                f"{name}: hit@5 {found[name].over_all.hit5:.3f}, MRR {found[name].over_all.mrr:.3f}"
            )
    Console(width=160).print(table_of(title, found))
    if chosen.json is not None:
        rows = {name: asdict(figures) for name, figures in found.items()}
        result = {
            "benchmark": "search",
            "questions": len(questions),
            "documents": len(documents),
            "encoding_ms": spent,
            "figures": rows,
        }
        chosen.json.write_text(json.dumps(result, indent=2), "utf-8")


if __name__ == "__main__":
    main()
