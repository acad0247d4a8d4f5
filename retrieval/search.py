"""Searches an index: which articles answer a question, and which of their passages say so."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection as Members
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.calibration import Calibration
from retrieval.documents import Article, Hit, Passage
from retrieval.encoder import Encoder, Vectors
from retrieval.errors import FilesDamaged, IndexMismatch, IndexMissing
from retrieval.evidence import Evidence, EvidenceFinder, Mask
from retrieval.keywords import is_chinese
from retrieval.languages import LanguageFilter
from retrieval.parts import FORMAT, Parts
from retrieval.publish import current, verify

MAX_QUESTION = 2_000  # characters that are looked at
PASSAGES_PER_ARTICLE = 2
_KEYWORD_SHARE = 0.05  # of the best BM25 in choosing among one article's passages; the rest is nearness


class SearchIndex:
    """One generation of the index, in memory. Never changes; safe to use from several threads."""

    def __init__(
        self,
        manifest: Mapping[str, Any],
        finder: EvidenceFinder,
        languages: LanguageFilter,
        calibration: Calibration,
        encoder: Encoder,
        english: Encoder | None = None,
    ) -> None:
        self._manifest = dict(manifest)
        self._finder = finder
        self._contents = finder.contents
        self._languages = languages
        self._calibration = calibration
        self._encoder = encoder
        self._english = english
        self._faces = {(face.id, face.language): face for face in self._contents.faces}

    @classmethod
    def open(cls, root: Path, encoder: Encoder, english: Encoder | None = None) -> SearchIndex:
        """Open the current generation under `root`, with the encoders that it was built with; each file is checked first.

        Raises:
            IndexMissing: nothing has been built there yet.
            IndexMismatch: it was built with another encoder or another version of Kefu, or is damaged.
        """
        folder = current(root)
        if folder is None:
            raise IndexMissing(f"There is no index under {root}. Run `kefu index`.")
        try:
            manifest = verify(folder)
        except FilesDamaged as error:
            raise IndexMismatch(f"The index is damaged: {error} Run `kefu index`.") from error
        _check_fits(manifest, encoder, english)
        parts = Parts.load(folder, encoder.dimension)
        return cls(manifest, parts.finder, parts.languages, parts.calibration, encoder, english)

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The index's birth certificate; `manifest["generation"]` is its id."""
        return self._manifest

    def articles(self) -> tuple[Article, ...]:
        """Every article in every language, also expired ones."""
        return self._contents.faces

    def passages(self) -> tuple[Passage, ...]:
        """Every passage of every article, also of expired ones."""
        return self._contents.passages

    def article(self, article_id: str, language: str) -> Article | None:
        """An article in `language`, else in the other one; None if the id is unknown."""
        exact = self._faces.get((article_id, language))
        return exact or next((face for face in self._contents.faces if face.id == article_id), None)

    def meant(self, question: str) -> str:
        """A question as it is encoded: with Chinese characters for what was typed in pinyin, else as it is."""
        return self._finder.meant(question[:MAX_QUESTION].encode("utf-8", "ignore").decode())

    def search(
        self, question: str, *, top_k: int = 5, prefer: str = "zh", day: date, vector: Vectors | None = None
    ) -> tuple[Hit, ...]:
        """Find the articles that answer a question and are valid on `day`.

        Args:
            question: in any language; a follow-up together with the question that it follows.
            top_k: how many articles, from 1. Each comes with its best passage, and with one more where that is as near.
            prefer: language of the passages (`zh` or `en`) where the article exists in both.
            day: articles that are not valid then are left out; see `expired`.
            vector: of the question by `encode_queries`, where the caller has it already. Of a question that is misspelt or
                typed in pinyin it says little and is not used.

        Returns:
            Hits, best article first and an article's passages together. `score` is the probability that the article
            answers. Empty for a question without letters and digits.
        """
        return self._search(question, self._valid(day), vector, top_k=top_k, prefer=prefer)

    def expired(
        self, question: str, *, top_k: int = 1, prefer: str = "zh", day: date, vector: Vectors | None = None
    ) -> tuple[Hit, ...]:
        """Like `search`, but only articles that are not valid on `day` in any language: never to be quoted as true.

        Use it to say that something is over or has not begun, when its score beats that of the valid hits.
        """
        everything = np.ones(len(self._contents.faces), dtype=np.bool_)
        living = {face.id for face in self._contents.faces if face.is_valid(day)}
        return self._search(question, everything, vector, top_k=top_k, prefer=prefer, excluded=living)

    def evidence(self, question: str, *, day: date) -> Evidence | None:
        """What speaks for each article that is valid on `day`; None for a question without letters and digits."""
        return self._evidence(question, self._valid(day), None)

    def _valid(self, day: date) -> Mask:
        return np.array([face.is_valid(day) for face in self._contents.faces], dtype=np.bool_)

    def _search(
        self,
        question: str,
        faces: Mask,
        vector: Vectors | None,
        *,
        top_k: int,
        prefer: str,
        excluded: Members[str] = (),
    ) -> tuple[Hit, ...]:
        evidence = self._evidence(question, faces, vector)
        if evidence is None:
            return ()
        ranking = self._calibration.rank(evidence)
        scores = self._calibration.probabilities(evidence)
        hits: list[Hit] = []
        wanted = [n for n in np.argsort(-ranking, kind="stable") if evidence.candidates[n]]
        for article in [n for n in wanted if self._contents.ids[n] not in excluded][:top_k]:
            for row in self._passages_of(int(article), evidence, faces, prefer):
                hits.append(
                    Hit(
                        passage=self._contents.passages[row],
                        score=float(scores[article]),
                        vector_score=float(evidence.passage_cosines[row]),
                        keyword_score=float(evidence.passage_keywords[row]),
                    )
                )
        return tuple(hits)

    def _evidence(self, question: str, faces: Mask, vector: Vectors | None) -> Evidence | None:
        question = (
            question[:MAX_QUESTION].encode("utf-8", "ignore").decode()
        )  # half a surrogate pair is no character
        if not any(unicodedata.category(character)[0] in "LN" for character in question):
            return None
        meant = self._finder.meant(question)
        known = None if meant != question else vector
        query = self._encoder.encode_queries([meant])[0] if known is None else known
        return self._finder.find(
            question, self._languages.apply(query), faces, english=self._in_english(meant)
        )

    def _in_english(self, meant: str) -> Vectors | None:
        """The vector of a question by the encoder that knows English alone; None of one in Chinese."""
        if self._english is None or is_chinese(meant):
            return None
        return np.asarray(self._english.encode_queries([meant])[0])

    def _passages_of(self, article: int, evidence: Evidence, faces: Mask, prefer: str) -> list[int]:
        """Rows of an article's best passages, in the preferred language if it has them there."""
        contents = self._contents
        own = (contents.face_article[contents.passage_face] == article) & faces[contents.passage_face]
        rows = np.flatnonzero(own)
        preferred = [row for row in rows if contents.passages[row].language == prefer]
        rows = np.asarray(preferred) if preferred else rows
        highest = max(float(evidence.passage_keywords[rows].max()), 1e-6)
        near = (evidence.passage_cosines[rows] + evidence.passage_sentences[rows]) / 2
        worth = near + _KEYWORD_SHARE * evidence.passage_keywords[rows] / highest
        ranked = rows[np.argsort(-worth, kind="stable")]
        return [int(row) for row in ranked[:PASSAGES_PER_ARTICLE]]


def _check_fits(manifest: Mapping[str, Any], encoder: Encoder, english: Encoder | None) -> None:
    if manifest.get("format") != FORMAT:
        raise IndexMismatch(
            f"The index has format {manifest.get('format')!r}, this Kefu reads {FORMAT}. Run `kefu index`."
        )
    if manifest.get("encoder") != encoder.name or manifest.get("dimension") != encoder.dimension:
        raise IndexMismatch(
            f"The index was built with the encoder {manifest.get('encoder')!r} ({manifest.get('dimension')} numbers), "
            f"now {encoder.name!r} ({encoder.dimension}) is set. Run `kefu index`, or set the old encoder again."
        )
    beside = None if english is None else english.name
    if manifest.get("english") != beside:
        raise IndexMismatch(
            f"The index was built with {manifest.get('english') or 'no encoder'!r} for English, now it is "
            f"{beside or 'none'!r} (the setting encoder.english). Run `kefu index`."
        )
