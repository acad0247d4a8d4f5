"""What search.py compares with Kefu, and Kefu's own search behind the same call: a question in, documents' numbers out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bm25s
import numpy as np
import rjieba

from retrieval.build import build_index
from retrieval.encoder import Encoder
from retrieval.keywords import is_chinese
from retrieval.readers import ARTICLES, guess_language
from retrieval.search import SearchIndex

Rank = Callable[[str, int], list[int]]  # a question, how many → numbers of documents, best first
_BOOSTS = {"question": 3.0, "text": 1.0, "section": 0.5}  # those of the course that minsearch was written for


@dataclass(frozen=True)
class Document:
    """A question with its answer; `section` and `group` (a course, a product) may be empty."""

    ids: frozenset[str]  # by which questions name it
    question: str
    text: str
    section: str = ""
    group: str = ""

    @property
    def whole(self) -> str:
        """All that it says."""
        return f"{self.question}\n{self.text}"


def kefu_index(
    documents: Sequence[Document],
    encoder: Encoder,
    english: Encoder | None,
    scratch: Path,
    passage_limit: int,
) -> SearchIndex:
    """Kefu's index as `kefu index` makes it, of an article file for each document; article `d7` is the seventh, from 0."""
    knowledge_base = scratch / "knowledge_base"
    (knowledge_base / ARTICLES).mkdir(parents=True)
    for number, document in enumerate(documents):
        title = json.dumps(document.question, ensure_ascii=False)  # a JSON string is one of YAML's, too
        article = f"---\nid: d{number}\ntitle: {title}\n---\n\n{document.text}\n"
        (knowledge_base / ARTICLES / f"d{number}.md").write_text(article, "utf-8")
    build_index(
        knowledge_base,
        scratch / "index",
        encoder,
        english=english,
        passage_limit=passage_limit,
        progress=lambda *_: None,
    )
    return SearchIndex.open(scratch / "index", encoder, english)


def kefu(
    documents: Sequence[Document],
    encoder: Encoder,
    english: Encoder | None,
    scratch: Path,
    passage_limit: int,
) -> Rank:
    """Kefu end to end: its index, and the search of a turn."""
    index = kefu_index(documents, encoder, english, scratch, passage_limit)
    day = datetime.now(UTC).date()

    def rank(question: str, count: int) -> list[int]:
        hits = index.search(question, top_k=count, prefer=guess_language(question), day=day)
        return [int(id_[1:]) for id_ in dict.fromkeys(hit.passage.article_id for hit in hits)]

    return rank


def bm25(documents: Sequence[Document]) -> Rank:
    """BM25 over question and text, as bm25s does it by itself; Chinese is cut into words first."""
    index = bm25s.BM25()
    index.index(
        bm25s.tokenize([_spaced(one.whole) for one in documents], stopwords="en", show_progress=False),
        show_progress=False,
    )

    def rank(question: str, count: int) -> list[int]:
        words = bm25s.tokenize([_spaced(question)], stopwords="en", return_ids=False, show_progress=False)[0]
        known = [word for word in words if word in index.vocab_dict]
        return _best(index.get_scores(known), count) if known else []

    return rank


def vectors(documents: Sequence[Document], encoder: Encoder) -> Rank:
    """The cosine of question and text with the question that is asked, by an encoder."""
    known = encoder.encode_passages([one.whole for one in documents])
    return lambda question, count: _best(known @ encoder.encode_queries([question])[0], count)


def minsearch(documents: Sequence[Document]) -> Rank | None:
    """Weighted TF-IDF of three fields; None where the package is not installed."""
    package = _installed("minsearch")
    if package is None:
        return None
    index = package.Index(text_fields=list(_BOOSTS))
    index.fit([{field: _spaced(getattr(one, field)) for field in _BOOSTS} for one in documents])

    def rank(question: str, count: int) -> list[int]:
        found = index.search(_spaced(question), boost_dict=_BOOSTS, num_results=count, output_ids=True)
        return [int(one["_id"]) for one in found]

    return rank


def haystack(documents: Sequence[Document], encoder: Encoder) -> Rank | None:
    """Haystack's BM25 and the same vectors, joined by reciprocal rank fusion; None where it is not installed."""
    if _installed("haystack") is None:
        return None
    parts = import_module("haystack.components.retrievers.in_memory")
    store = import_module("haystack.document_stores.in_memory").InMemoryDocumentStore()
    record = import_module("haystack").Document
    known = encoder.encode_passages([one.whole for one in documents])
    store.write_documents(
        [
            record(id=str(number), content=_spaced(one.whole), embedding=vector.tolist())
            for number, (one, vector) in enumerate(zip(documents, known, strict=True))
        ]
    )
    by_words = parts.InMemoryBM25Retriever(store)
    by_meaning = parts.InMemoryEmbeddingRetriever(store)
    joiner = import_module("haystack.components.joiners").DocumentJoiner(
        join_mode="reciprocal_rank_fusion", sort_by_score=True
    )

    def rank(question: str, count: int) -> list[int]:
        vector = encoder.encode_queries([question])[0].tolist()
        found = [
            by_words.run(query=_spaced(question), top_k=count)["documents"],
            by_meaning.run(query_embedding=vector, top_k=count)["documents"],
        ]
        return [int(one.id) for one in joiner.run(documents=found, top_k=count)["documents"]]

    return rank


def txtai(documents: Sequence[Document], encoder: Encoder) -> Rank | None:
    """Txtai's hybrid index (its BM25 and the same vectors, half and half); None where it is not installed."""
    package = _installed("txtai")
    if package is None:
        return None
    known = iter(encoder.encode_passages([one.whole for one in documents]))
    asking = False

    def transform(texts: Sequence[str]) -> Any:
        return encoder.encode_queries(list(texts)) if asking else np.stack([next(known) for _ in texts])

    index = package.Embeddings(method="external", transform=transform, hybrid=True, backend="numpy")
    index.index((number, _spaced(one.whole), None) for number, one in enumerate(documents))
    asking = True

    def rank(question: str, count: int) -> list[int]:
        return [int(number) for number, _ in index.search(question, count)]

    return rank


def peers(
    documents: Sequence[Document], encoder: Encoder, english: Encoder | None
) -> Iterator[tuple[str, Rank | str]]:
    """Each peer by name, or for one that is not installed what to install."""
    yield "BM25 alone (bm25s)", bm25(documents)
    yield "vectors alone (same encoder)", vectors(documents, encoder)
    if english is not None:
        yield "vectors alone (encoder for English)", vectors(documents, english)
    yield "minsearch, weighted fields", minsearch(documents) or "pip install minsearch"
    yield "Haystack, BM25 + same encoder", haystack(documents, encoder) or "pip install haystack-ai"
    yield "txtai, hybrid, same encoder", txtai(documents, encoder) or "pip install txtai"


def _installed(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:  # also where a part that it needs is missing
        return None


def _best(scores: np.ndarray[Any, Any], count: int) -> list[int]:
    return [int(row) for row in np.argsort(-scores, kind="stable")[:count]]


def _spaced(text: str) -> str:
    return " ".join(rjieba.cut(text)) if is_chinese(text) else text
