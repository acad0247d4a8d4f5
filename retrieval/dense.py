"""The vectors that a search looks into: of passages, of their sentences, of questions, and of passages by the encoder for English.

A passage says several things, and its vector their mean; the one sentence that answers is nearer to a question that is about it
alone. So an article speaks by its best sentence, too (the sum of parts that are each matched for themselves is called late
interaction: Khattab and Zaharia 2020, there of tokens).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import structlog
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from retrieval.documents import Passage
from retrieval.encoder import Vectors
from retrieval.errors import IndexMismatch
from retrieval.sentences import statements
from retrieval.vectors import VectorIndex

MOST_SENTENCES = 100_000  # of all passages; more take longer to encode than they are worth
_ALL = 5_000  # up to so many vectors the similarity to every one is looked at
_NEAREST = 400  # beyond that, to so many
_PASSAGES = "passages.faiss"
_QUESTIONS = "questions.faiss"
_SENTENCES = "sentences.faiss"
_ROWS = "sentences.safetensors"
_ENGLISH = "english.faiss"

log = structlog.get_logger(__name__)


class Cosines(NamedTuple):
    """Of one question to each row of the indices."""

    passages: Vectors
    sentences: Vectors
    questions: Vectors


@dataclass(frozen=True)
class DenseIndices:
    """One index for each kind of text; the rows of passages and questions are those of the contents."""

    passages: VectorIndex
    sentences: VectorIndex  # empty where there are too many
    sentence_passage: NDArray[np.int64]  # sentence → row of its passage
    questions: VectorIndex  # titles and listed questions
    english: VectorIndex | None  # of the passages in English, in their order, by the encoder for English

    def cosines(self, vector: Vectors) -> Cosines:
        """Of a question's unit vector, shape (dimension,), to passages, sentences and questions."""
        return Cosines(
            *(similarities(index, vector) for index in (self.passages, self.sentences, self.questions))
        )

    def save(self, folder: Path) -> None:
        """Write them into a folder; the caller publishes it atomically."""
        self.passages.save(folder / _PASSAGES)
        self.sentences.save(folder / _SENTENCES)
        save_file({"passage": np.ascontiguousarray(self.sentence_passage)}, folder / _ROWS)
        self.questions.save(folder / _QUESTIONS)
        if self.english is not None:
            self.english.save(folder / _ENGLISH)

    @classmethod
    def load(cls, folder: Path) -> DenseIndices:
        """Read them.

        Raises:
            IndexMismatch: one of them is damaged or does not fit the others.
        """
        sentences, english = VectorIndex.load(folder / _SENTENCES), folder / _ENGLISH
        try:
            rows = load_file(folder / _ROWS)["passage"]
        except (OSError, SafetensorError, KeyError) as error:
            raise IndexMismatch(f"{folder / _ROWS} cannot be read ({error}). Run `kefu index`.") from error
        if rows.shape != (len(sentences),):
            raise IndexMismatch(
                f"{folder / _ROWS} is of {rows.shape} sentences, the index holds {len(sentences)}. Run `kefu index`."
            )
        return cls(
            passages=VectorIndex.load(folder / _PASSAGES),
            sentences=sentences,
            sentence_passage=rows,
            questions=VectorIndex.load(folder / _QUESTIONS),
            english=VectorIndex.load(english) if english.exists() else None,
        )


def sentences_of(passages: Sequence[Passage]) -> tuple[list[str], NDArray[np.int64]]:
    """The passages' sentences, and for each the row of its passage; none of more than MOST_SENTENCES."""
    said = [(row, text) for row, passage in enumerate(passages) for text in statements(passage.text)]
    if len(said) > MOST_SENTENCES:
        log.info("sentences_left_out", sentences=len(said), most=MOST_SENTENCES)
        said = []
    return [text for _, text in said], np.asarray([row for row, _ in said], dtype=np.int64)


def similarities(index: VectorIndex, vector: Vectors) -> Vectors:
    """Cosine to every row; rows too far to be looked at get that of the farthest one that was."""
    count = len(index)
    if count == 0:
        return np.zeros(0, dtype=np.float32)
    rows, cosines = index.search(vector, count if count <= _ALL else _NEAREST)
    found = np.full(count, cosines.min() if len(cosines) else -1.0, dtype=np.float32)
    found[rows] = cosines
    return found
