"""The parts of an index generation: what they are, and the files that they are kept in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from retrieval.bridge import WordBridge
from retrieval.calibration import Calibration
from retrieval.dense import DenseIndices
from retrieval.documents import Article, Passage
from retrieval.evidence import Contents, EvidenceFinder
from retrieval.keywords import KeywordIndex
from retrieval.languages import LanguageFilter
from retrieval.pinyin import Pinyin
from retrieval.spelling import Spelling
from retrieval.topics import TopicMap
from retrieval.wording import Wording

FORMAT = 5  # of an index generation; raise it when the files or what is in them change
_ARTICLES = "articles.jsonl"
_PASSAGES = "passages.jsonl"
_KEYWORDS = "keywords"
_BRIDGE = "bridge.json"
_SPELLING = "spelling.json"
_PINYIN = "pinyin.json"
_TOPICS = "topics.safetensors"
_LANGUAGES = "languages.safetensors"
_CALIBRATION = "calibration.json"
_DATES = ("updated", "valid_from", "valid_until")


@dataclass(frozen=True)
class Parts:
    """All that a search is made of, but the encoder. `finder` holds the parts before it together."""

    contents: Contents
    dense: DenseIndices
    keywords: KeywordIndex
    bridge: WordBridge
    spelling: Spelling
    pinyin: Pinyin
    topics: TopicMap
    finder: EvidenceFinder
    languages: LanguageFilter
    calibration: Calibration

    def save(self, folder: Path) -> None:
        """Write them into a folder; the caller publishes it atomically."""
        _dump_jsonl(folder / _ARTICLES, self.contents.faces)
        _dump_jsonl(folder / _PASSAGES, self.contents.passages)
        self.dense.save(folder)
        self.keywords.save(folder / _KEYWORDS)
        self.bridge.save(folder / _BRIDGE)
        self.spelling.save(folder / _SPELLING)
        self.pinyin.save(folder / _PINYIN)
        self.topics.save(folder / _TOPICS)
        self.languages.save(folder / _LANGUAGES)
        self.calibration.save(folder / _CALIBRATION)

    @classmethod
    def load(cls, folder: Path, dimension: int) -> Parts:
        """Read them; `dimension` is the length of the encoder's vectors.

        Raises:
            IndexMismatch: one of them is damaged or does not fit.
        """
        contents = Contents.of(_load_articles(folder / _ARTICLES), _load_passages(folder / _PASSAGES))
        dense = DenseIndices.load(folder)
        keywords = KeywordIndex.load(folder / _KEYWORDS)
        bridge = WordBridge.load(folder / _BRIDGE)
        spelling = Spelling.load(folder / _SPELLING)
        pinyin = Pinyin.load(folder / _PINYIN)
        topics = TopicMap.load(folder / _TOPICS, (dimension, len(contents.ids)))
        finder = EvidenceFinder(
            contents,
            dense=dense,
            keywords=keywords,
            wording=Wording(keywords, bridge=bridge, spelling=spelling, pinyin=pinyin),
            topics=topics,
        )
        return cls(
            contents=contents,
            dense=dense,
            keywords=keywords,
            bridge=bridge,
            spelling=spelling,
            pinyin=pinyin,
            topics=topics,
            finder=finder,
            languages=LanguageFilter.load(folder / _LANGUAGES, dimension),
            calibration=Calibration.load(folder / _CALIBRATION),
        )


def _dump_jsonl(path: Path, values: Iterable[Article] | Iterable[Passage]) -> None:
    """One JSON object a line."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for value in values:
            file.write(json.dumps(asdict(value), ensure_ascii=False, default=date.isoformat) + "\n")


def _load_articles(path: Path) -> list[Article]:
    return [Article(**{**row, **_dates(row), **_tuples(row, "products", "questions")}) for row in _rows(path)]


def _load_passages(path: Path) -> list[Passage]:
    return [Passage(**{**row, **_tuples(row, "headings")}) for row in _rows(path)]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def _dates(row: Mapping[str, Any]) -> dict[str, date | None]:
    return {key: None if row[key] is None else date.fromisoformat(row[key]) for key in _DATES}


def _tuples(row: Mapping[str, Any], *keys: str) -> dict[str, tuple[str, ...]]:
    return {key: tuple(row[key]) for key in keys}
