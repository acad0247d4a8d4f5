"""Builds the index beside the old one and swaps it in: read, cut, embed what is new, calibrate, publish."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog

from retrieval.calibration import LabelledQuestion
from retrieval.chunking import split
from retrieval.documents import Article
from retrieval.encoder import Encoder
from retrieval.errors import DocumentError
from retrieval.evidence import Contents
from retrieval.front_matter import Problem
from retrieval.learning import Progress, learn_parts
from retrieval.parts import FORMAT
from retrieval.publish import current, publish, read_manifest, sha256
from retrieval.readers import read_articles
from retrieval.vector_cache import CachedEncoder

VECTOR_CACHE = "vectors.safetensors"
_ENGLISH_CACHE = "english.safetensors"  # the same of the encoder that knows English alone
_LIBRARIES = ("numpy", "faiss-cpu", "bm25s", "rjieba", "pypinyin", "scikit-learn")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class BuildReport:
    """What a build did. `embedded` and `reused` count texts: passages, their sentences, titles, listed and labelled questions."""

    generation: str
    articles: int
    passages: int
    embedded: int
    reused: int
    seconds: float
    calibration: Mapping[str, float]
    problems: tuple[Problem, ...] = ()


def build_index(
    knowledge_base: Path,
    root: Path,
    encoder: Encoder,
    *,
    english: Encoder | None = None,
    labelled: Sequence[LabelledQuestion] = (),
    judged: Sequence[LabelledQuestion] = (),
    said: Sequence[str] = (),
    passage_limit: int,
    progress: Progress,
) -> BuildReport:
    """Build a generation of the index and make it the current one.

    Args:
        knowledge_base: holds `articles/`.
        root: of the index's generations (`var/index`).
        encoder: its name goes into the manifest; only it can open the index.
        english: the same of a second one, which knows English alone; see `retrieval/evidence.py`.
        labelled: questions with the articles that answer them (none for what nothing answers). Ranking and
            scores are learned from them and from the articles' own titles, headings and questions.
        judged: the same of customers' questions, oldest first: what people said about the bot's answers.
        said: what customers say besides, from which pinyin is read, too.
        passage_limit: longest passage, in width units (a Chinese character is 2).
        progress: called with stage (`read`, `embed`, `calibrate`, `write`), done and total.

    Raises:
        DocumentError: there is something wrong with the content; lists everything. The old index stays.
        PublishError: the disk is full or read-only, or another build is running.
    """
    start = time.perf_counter()
    progress("read", 0, 1)
    articles, problems = read_articles(knowledge_base)
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise DocumentError(
            f"{len(problems)} problem(s) in {knowledge_base}; the index was not changed:\n{listed}"
        )
    passages = [passage for article in articles for passage in split(article, passage_limit)]
    progress("read", 1, 1)
    before = current(root)
    cached = CachedEncoder(encoder, None if before is None else before / VECTOR_CACHE)
    beside = (
        None
        if english is None
        else CachedEncoder(english, None if before is None else before / _ENGLISH_CACHE)
    )
    contents = Contents.of(articles, passages)

    def fill(folder: Path) -> Mapping[str, Any]:
        parts = learn_parts(
            contents,
            cached,
            english=beside,
            labelled=labelled,
            judged=judged,
            said=said,
            progress=progress,
        )
        progress("write", 0, 1)
        parts.save(folder)
        cached.save(folder / VECTOR_CACHE)
        if beside is not None:
            beside.save(folder / _ENGLISH_CACHE)
        progress("write", 1, 1)
        return {
            "kind": "index",
            "format": FORMAT,
            "encoder": encoder.name,
            "english": None if english is None else english.name,
            "dimension": encoder.dimension,
            "settings": {"passage_limit": passage_limit},
            "counts": {
                "articles": len(articles),
                "passages": len(passages),
                "labelled": len(labelled),
                "judged": len(judged),
            },
            "calibration": parts.calibration.report,
            "inputs": _inputs(knowledge_base, articles),
            "versions": {name: version(name) for name in _LIBRARIES},
        }

    folder = publish(root, fill)
    report = BuildReport(
        generation=folder.name,
        articles=len(articles),
        passages=len(passages),
        embedded=cached.encoded,
        reused=cached.reused,
        seconds=time.perf_counter() - start,
        calibration=read_manifest(folder)["calibration"],
    )
    log.info("index_built", generation=report.generation, articles=report.articles, embedded=report.embedded)
    return report


def _inputs(knowledge_base: Path, articles: Sequence[Article]) -> dict[str, str]:
    """SHA-256 of every file that an article was read from (a table's rows carry their line after a colon)."""
    names = sorted({re.sub(r":\d+$", "", article.path) for article in articles})
    return {name: sha256(knowledge_base / name) for name in names}
