"""What speaks for each article as the answer to a question: nearness in meaning, what is known, words in common.

A topic's two language faces count as one article. Each signal is measured within a language first, against all
articles that exist in it, and an article's faces are then averaged: so one that exists in English only is compared
with what English articles say to a Chinese question, not with the head start that Chinese ones have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Collection as Members
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.dense import Cosines, DenseIndices, similarities
from retrieval.documents import Article, Passage
from retrieval.encoder import Vectors
from retrieval.keywords import KeywordIndex, is_chinese
from retrieval.matching import WordMatch, match_words
from retrieval.topics import TopicMap
from retrieval.wording import Wording

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Aggregate = Callable[[Floats, Rows, int, float], Floats]

SIGNALS = (
    "passage",  # cosine of the article's best passage
    "question",  # cosine of its nearest title or listed question
    "topic",  # what the learned map says, see retrieval/topics.py
    "keywords",  # BM25 of its best passage or question; 1 = the best that any text could reach
    "coverage",  # share of the question's content words that it says in its own language, weighted by rarity
    "sentence",  # cosine of its best sentence
    "english",  # cosine of its best English passage, by the encoder that knows English alone; 0.0 where nothing is English
)
ENGLISH = "en"
_LEAST_SPREAD = 1e-3  # of a signal; less is noise


@dataclass(frozen=True)
class Contents:
    """All that is searched, in the order in which the rows of the indices are numbered."""

    faces: tuple[Article, ...]  # an article in one language
    passages: tuple[Passage, ...]
    questions: tuple[tuple[int, str], ...]  # face, and its title or one of its listed questions
    ids: tuple[str, ...]  # article ids
    face_article: Rows  # face → position in `ids`
    passage_face: Rows
    question_face: Rows

    @property
    def passage_article(self) -> Rows:
        """Passage → position in `ids`."""
        return np.asarray(self.face_article[self.passage_face])

    @property
    def question_article(self) -> Rows:
        """Question → position in `ids`."""
        return np.asarray(self.face_article[self.question_face])

    @classmethod
    def of(cls, faces: Sequence[Article], passages: Sequence[Passage]) -> Contents:
        """Number articles, faces, passages and questions."""
        ids = tuple(dict.fromkeys(face.id for face in faces))
        article = {id_: number for number, id_ in enumerate(ids)}
        face = {(one.id, one.language): number for number, one in enumerate(faces)}
        questions = tuple((n, text) for n, one in enumerate(faces) for text in (one.title, *one.questions))
        return cls(
            faces=tuple(faces),
            passages=tuple(passages),
            questions=questions,
            ids=ids,
            face_article=_rows([article[one.id] for one in faces]),
            passage_face=_rows([face[one.article_id, one.language] for one in passages]),
            question_face=_rows([number for number, _ in questions]),
        )


@dataclass(frozen=True)
class Evidence:
    """What was found for one question; a row for each article, a column for each of SIGNALS."""

    signals: Floats  # (articles, signals): as they are, the best of an article's faces
    standard: Floats  # (articles, signals): in standard deviations over the articles of a language, mean of the faces
    candidates: Mask  # (articles,): which may be an answer at all
    passage_cosines: Floats  # (passages,)
    passage_sentences: (
        Floats  # (passages,): cosine of its best sentence; that of the passage where it has none
    )
    passage_keywords: Floats  # (passages,): BM25


def best_of(scores: Floats, articles: Rows, count: int, floor: float) -> Floats:
    """The best score of each article: its best passage speaks for it (MaxP: Dai and Callan 2019).

    Args:
        scores: of passages or questions, shape (rows,).
        articles: row → number of its article, shape (rows,).
        count: how many articles there are.
        floor: score of an article without a row.

    Returns:
        Shape (count,).
    """
    best = np.full(count, floor, dtype=np.float32)
    np.maximum.at(best, articles, scores)
    return best


class EvidenceFinder:
    """Finds evidence in the indices of passages, questions and words."""

    def __init__(
        self,
        contents: Contents,
        *,
        dense: DenseIndices,
        keywords: KeywordIndex,
        wording: Wording,
        topics: TopicMap,
        aggregate: Aggregate = best_of,
        by_language: bool = True,
    ) -> None:
        """Find in these indices.

        Args:
            contents: what they hold.
            dense: vectors of the passages, their sentences, and the questions.
            keywords: of the passages, then of the questions.
            wording: reads questions.
            topics: the learned map.
            aggregate: makes one score of an article from those of its passages, or of its questions.
            by_language: whether signals are measured within each language, else over all articles.
        """
        self.contents = contents
        self._dense = dense
        self._sentence_face = contents.passage_face[dense.sentence_passage]
        self._keywords = keywords
        self._wording = wording
        self._topics = topics
        self._aggregate = aggregate
        self._document_face = np.concatenate((contents.passage_face, contents.question_face))
        spoken = np.array([face.language for face in contents.faces])
        self._english_rows = np.flatnonzero((spoken == ENGLISH)[contents.passage_face])
        quotable = np.zeros(len(contents.faces), dtype=np.bool_)
        quotable[contents.passage_face] = True  # a face of headings alone has nothing to say
        languages = [spoken == language for language in sorted(set(spoken.tolist()))]
        self._languages = [one & quotable for one in languages] if by_language else [quotable]

    def meant(self, question: str) -> str:
        """The text to encode for a question: with pinyin in Chinese characters, and spelt as the shop does."""
        return self._wording.read(question).text

    def find(
        self,
        question: str,
        vector: Vectors,
        faces: Mask,
        *,
        english: Vectors | None = None,
        without: Members[str] = (),
        topics: Floats | None = None,
    ) -> Evidence:
        """Collect the evidence for a question.

        Args:
            question: the customer's words.
            vector: of what is `meant` by the question, shape (dimension,), a unit vector in the space of the indices.
            faces: which faces may speak, shape (faces,).
            english: the same of the encoder that knows English alone; None for a question in Chinese.
            without: titles and listed questions that must not speak (the question itself, in calibration).
            topics: scores of the topic map that was not learned from this question, shape (articles,); default:
                those of the map.
        """
        contents = self.contents
        asked = np.ones(len(contents.questions), dtype=np.bool_)
        if without:
            asked = np.array([text not in without for _, text in contents.questions])
        cosines = self._dense.cosines(vector)
        reading = self._wording.read(question)
        words = match_words(reading.words, self._keywords)
        topic = self._topics.scores(vector, chinese=is_chinese(reading.text)) if topics is None else topics

        signals = np.full((len(contents.ids), len(SIGNALS)), -np.inf, dtype=np.float32)
        standard = np.zeros_like(signals)
        spoken = np.zeros(len(contents.ids), dtype=np.float32)
        for language in self._languages:
            speaking = faces & language
            if not speaking.any():
                continue
            found = self._in_one_language(speaking, asked, cosines, words)
            found[:, SIGNALS.index("topic")] = topic
            present = np.zeros(len(contents.ids), dtype=np.bool_)
            present[contents.face_article[speaking]] = True
            signals[present] = np.maximum(signals[present], found[present])
            standard[present] += _standardized(found[present])
            spoken += present
        candidates = spoken > 0
        standard[candidates] /= spoken[candidates, None]
        if english is not None:
            self._add_english(english, faces, signals, standard)
        return Evidence(
            signals=signals,
            standard=standard,
            candidates=candidates,
            passage_cosines=cosines.passages,
            passage_sentences=self._best_sentences(cosines),
            passage_keywords=words.scores[: len(contents.passages)],
        )

    def _best_sentences(self, cosines: Cosines) -> Floats:
        best = best_of(cosines.sentences, self._dense.sentence_passage, len(cosines.passages), -1.0)
        return np.where(best > -1.0, best, cosines.passages)

    def _in_one_language(
        self,
        speaking: Mask,
        asked: Mask,
        cosines: Cosines,
        words: WordMatch,
    ) -> Floats:
        """Signals of all articles by their faces in one language; `topic` and `english` are left open."""
        contents = self.contents
        passages = speaking[contents.passage_face]
        questions = speaking[contents.question_face] & asked
        documents = np.concatenate((passages, questions))
        article = contents.face_article
        return np.stack(
            (
                self._of_articles(cosines.passages, article[contents.passage_face], passages, -1.0),
                self._of_articles(cosines.questions, article[contents.question_face], questions, -1.0),
                np.zeros(len(contents.ids), dtype=np.float32),
                self._of_articles(words.share, article[self._document_face], documents, 0.0),
                words.coverage(documents, article[self._document_face], len(contents.ids)),
                self._of_articles(
                    cosines.sentences, article[self._sentence_face], speaking[self._sentence_face], -1.0
                ),
                np.zeros(len(contents.ids), dtype=np.float32),
            ),
            axis=1,
        )

    def _add_english(self, vector: Vectors, faces: Mask, signals: Floats, standard: Floats) -> None:
        """Fill the column `english` for the articles that have a face in English."""
        if self._dense.english is None:
            return
        faces_of_rows = self.contents.passage_face[self._english_rows]
        articles = self.contents.face_article[faces_of_rows]
        cosines = similarities(self._dense.english, vector)
        said = self._of_articles(cosines, articles, faces[faces_of_rows], -1.0)
        present = np.unique(articles[faces[faces_of_rows]])
        column = SIGNALS.index("english")
        signals[present, column] = said[present]
        standard[present, column] = _standardized(said[present])

    def _of_articles(self, scores: Floats, articles: Rows, speaking: Mask, floor: float) -> Floats:
        """The score of each article by the rows that may speak."""
        return self._aggregate(scores[speaking], articles[speaking], len(self.contents.ids), floor)


def _standardized(signals: Floats) -> Floats:
    """Columns in standard deviations from their mean; a column without any spread says nothing."""
    return np.asarray(
        (signals - signals.mean(axis=0)) / np.maximum(signals.std(axis=0), _LEAST_SPREAD), np.float32
    )


def _rows(numbers: Sequence[int]) -> Rows:
    return np.asarray(numbers, dtype=np.int64)
