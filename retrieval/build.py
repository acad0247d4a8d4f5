"""Builds the index beside the old one and swaps it in: read, cut, embed what is new, calibrate, publish."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Members
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from retrieval import search
from retrieval.bridge import learn_bridge, parallel_texts
from retrieval.calibration import Calibration, Example, LabelledQuestion, fit
from retrieval.chunking import embedded_text, headings, split
from retrieval.documents import Article
from retrieval.encoder import Encoder, Vectors
from retrieval.errors import DocumentError
from retrieval.evidence import Contents, EvidenceFinder
from retrieval.front_matter import Problem
from retrieval.keywords import KeywordIndex, is_chinese, tokenize
from retrieval.languages import LanguageFilter, learn_languages
from retrieval.pinyin import Pinyin
from retrieval.publish import current, publish, sha256
from retrieval.readers import read_articles
from retrieval.spelling import Spelling
from retrieval.topics import learn_topics
from retrieval.vector_cache import CachedEncoder
from retrieval.vectors import VectorIndex
from retrieval.wording import Wording

VECTOR_CACHE = "vectors.safetensors"
_LIBRARIES = ("numpy", "faiss-cpu", "bm25s", "rjieba", "pypinyin", "scikit-learn")
_MOST_EXAMPLES = 4_000  # known questions that ranking and scores are learned from
_CHUNK = 64  # texts between two reports of progress

Progress = Callable[[str, int, int], None]  # stage, done, total

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class BuildReport:
    """What a build did. `embedded` and `reused` count texts: passages, titles, listed and labelled questions."""

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
    labelled: Sequence[LabelledQuestion] = (),
    said: Sequence[str] = (),
    passage_limit: int,
    progress: Progress,
) -> BuildReport:
    """Build a generation of the index and make it the current one.

    Args:
        knowledge_base: holds `articles/`.
        root: of the index's generations (`var/index`).
        encoder: its name goes into the manifest; only it can open the index.
        labelled: questions with the articles that answer them (none for what nothing answers). Ranking and
            scores are learned from them and from the articles' own titles, headings and questions.
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
    builder = _Builder(Contents.of(articles, passages), cached, progress)

    def fill(folder: Path) -> Mapping[str, Any]:
        calibration = builder.write(folder, labelled, said)
        return {
            "kind": "index",
            "format": search.FORMAT,
            "encoder": encoder.name,
            "dimension": encoder.dimension,
            "settings": {"passage_limit": passage_limit},
            "counts": {"articles": len(articles), "passages": len(passages), "labelled": len(labelled)},
            "calibration": calibration.report,
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
        calibration=Calibration.load(folder / search.CALIBRATION).report,
    )
    log.info("index_built", generation=report.generation, articles=report.articles, embedded=report.embedded)
    return report


class _Builder:
    """Encodes the contents and writes the files of a generation."""

    def __init__(self, contents: Contents, encoder: CachedEncoder, progress: Progress) -> None:
        self._contents = contents
        self._encoder = encoder
        self._progress = progress

    def write(self, folder: Path, labelled: Sequence[LabelledQuestion], said: Sequence[str]) -> Calibration:
        contents = self._contents
        texts = [embedded_text(passage) for passage in contents.passages]
        asked = [text for _, text in contents.questions]
        passage_vectors = self._embed("embed", texts, self._encoder.encode_passages)
        question_vectors = self._embed("embed questions", asked, self._encoder.encode_queries)
        languages = _language_filter(contents, passage_vectors, question_vectors)
        passages = VectorIndex.build(languages.apply(passage_vectors))
        questions = VectorIndex.build(languages.apply(question_vectors))
        keywords = KeywordIndex.build([tokenize(text) for text in (*texts, *asked)])
        bridge = learn_bridge(parallel_texts(contents.faces, contents.passages))
        spelling = Spelling.learn((*texts, *asked))
        pinyin = Pinyin.learn((*texts, *asked, *(question.text for question in labelled), *said))
        wording = Wording(keywords, bridge=bridge, spelling=spelling, pinyin=pinyin)
        known = _known_questions(contents, labelled)
        rows = _evenly(len(known), _MOST_EXAMPLES)
        learned = _with_headings(contents, known)
        # Pinyin as it is typed, which a search would read first: where vectors say little, it is seen what words are worth.
        vectors = languages.apply(self._embed("calibrate", list(learned), self._encoder.encode_queries))
        topics, held_out = learn_topics(
            vectors, list(learned.values()), list(map(is_chinese, learned)), len(contents.ids), rows
        )
        finder = EvidenceFinder(
            contents,
            passages=passages,
            questions=questions,
            keywords=keywords,
            wording=wording,
            topics=topics,
        )
        calibration = fit(
            _evidence(finder, known, vectors, rows, held_out, {question.text for question in labelled})
        )
        self._progress("write", 0, 1)
        search.dump_jsonl(folder / search.ARTICLES, contents.faces)
        search.dump_jsonl(folder / search.PASSAGES, contents.passages)
        for name, part in (
            (search.PASSAGE_VECTORS, passages),
            (search.QUESTION_VECTORS, questions),
            (search.KEYWORDS, keywords),
            (search.BRIDGE, bridge),
            (search.SPELLING, spelling),
            (search.PINYIN, pinyin),
            (search.LANGUAGES, languages),
            (search.TOPICS, topics),
            (search.CALIBRATION, calibration),
        ):
            part.save(folder / name)
        self._encoder.save(folder / VECTOR_CACHE)
        self._progress("write", 1, 1)
        return calibration

    def _embed(self, stage: str, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
        """Vectors of texts, encoded in order of length so that little is padded, reported in order of work."""
        vectors = np.zeros((len(texts), self._encoder.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for start in range(0, len(order), _CHUNK):
            chunk = order[start : start + _CHUNK]
            vectors[chunk] = encode([texts[number] for number in chunk])
            self._progress(stage, min(start + _CHUNK, len(order)), len(order))
        return vectors


def _language_filter(contents: Contents, passages: Vectors, questions: Vectors) -> LanguageFilter:
    """Learned from the vectors of the contents' passages and questions."""
    spoken = [passage.language for passage in contents.passages]
    asked = [contents.faces[face].language for face, _ in contents.questions]
    return learn_languages(
        ((passages, contents.passage_article, spoken), (questions, contents.question_article, asked))
    )


def _known_questions(contents: Contents, labelled: Sequence[LabelledQuestion]) -> dict[str, frozenset[int]]:
    """Text → the articles (by number) that answer it: listed questions, and labelled ones.

    What is a title is none. Each passage begins with it: it finds its article too well to judge a customer's words by.
    """
    number = {id_: row for row, id_ in enumerate(contents.ids)}
    known: dict[str, frozenset[int]] = {}
    for face in contents.faces:
        for text in face.questions:
            if text == face.title:
                continue
            known[text] = known.get(text, frozenset()) | {number[face.id]}
    for question in labelled:
        right = frozenset(number[id_] for id_ in question.articles if id_ in number)
        known[question.text] = known.get(question.text, frozenset()) | right
    return known


def _with_headings(contents: Contents, known: Mapping[str, frozenset[int]]) -> dict[str, frozenset[int]]:
    """`known`, and after it the articles' titles and headings: worth learning from, but no customer's words to be judged by."""
    number = {id_: row for row, id_ in enumerate(contents.ids)}
    learned = dict(known)
    for face in contents.faces:
        for heading in (face.title, *headings(face)):
            learned[heading] = learned.get(heading, frozenset()) | {number[face.id]}
    return learned


def _evenly(count: int, most: int) -> list[int]:
    """At most so many of the first `count` numbers, evenly spread."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, most))})


def _evidence(
    finder: EvidenceFinder,
    known: Mapping[str, frozenset[int]],
    vectors: Vectors,
    rows: Sequence[int],
    held_out: Vectors,
    labelled: Members[str],
) -> list[Example]:
    """Evidence for known questions as if nothing had been learned from them.

    Of the articles' own questions every fourth loses the articles that answer it: what is left looks like what a
    customer asks about a thing that no article covers, though its neighbours do.
    """
    contents = finder.contents
    texts = list(known)
    examples = []
    for row, scores in zip(rows, held_out, strict=True):
        text, right = texts[row], known[texts[row]]
        faces = np.ones(len(contents.faces), dtype=np.bool_)
        if row % 4 == 3 and text not in labelled and len(contents.ids) > len(right):
            faces = ~np.isin(contents.face_article, list(right))
        evidence = finder.find(text, vectors[row], faces, without={text}, topics=scores)
        examples.append(Example(evidence, right))
    return examples


def _inputs(knowledge_base: Path, articles: Sequence[Article]) -> dict[str, str]:
    """SHA-256 of every file that an article was read from (a table's rows carry their line after a colon)."""
    names = sorted({re.sub(r":\d+$", "", article.path) for article in articles})
    return {name: sha256(knowledge_base / name) for name in names}
