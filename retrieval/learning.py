"""Makes the parts of an index from its contents, and learns from known questions how much each signal is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from retrieval.bridge import Pair, WordBridge, learn_bridge, parallel_texts
from retrieval.calibration import Calibration, Example, LabelledQuestion, fit
from retrieval.chunking import embedded_text
from retrieval.dense import DenseIndices, sentences_of
from retrieval.documents import Passage
from retrieval.encoder import Encoder, Vectors
from retrieval.evidence import ENGLISH, Contents, EvidenceFinder
from retrieval.keywords import KeywordIndex, Tokenizer, is_chinese, tokenize
from retrieval.known import KnownQuestions, known_questions, with_headings
from retrieval.languages import Group, LanguageFilter, learn_languages
from retrieval.parts import Parts
from retrieval.pinyin import Pinyin
from retrieval.spelling import Spelling
from retrieval.topics import TopicMap, learn_topics
from retrieval.vectors import VectorIndex
from retrieval.wording import Wording

_CHUNK = 64  # texts between two reports of progress

Progress = Callable[[str, int, int], None]  # stage, done, total


class FinderMaker(Protocol):
    """`EvidenceFinder`, or what makes one that finds in another way."""

    def __call__(
        self,
        contents: Contents,
        *,
        dense: DenseIndices,
        keywords: KeywordIndex,
        wording: Wording,
        topics: TopicMap,
    ) -> EvidenceFinder:
        """A finder in these indices."""


@dataclass(frozen=True)
class Recipe:
    """How each part is made. The defaults are what serves; `benchmarks/ablation.py` exchanges one at a time."""

    text: Callable[[Passage], str] = embedded_text  # of a passage, for its vector and its keywords
    tokens: Tokenizer = tokenize
    languages: Callable[[Sequence[Group]], LanguageFilter] = learn_languages
    bridge: Callable[[Sequence[Pair]], WordBridge] = learn_bridge
    spelling: Callable[[Iterable[str]], Spelling] = Spelling.learn
    pinyin: Callable[[Iterable[str]], Pinyin] = Pinyin.learn
    finder: FinderMaker = EvidenceFinder
    calibration: Callable[[Sequence[Example], int], Calibration] = fit  # of so many articles
    judged_worth: float = (
        10.0  # questions of the team's that a customer's counts for: see `benchmarks/judged.py`
    )


SERVING = Recipe()


def learn_parts(
    contents: Contents,
    encoder: Encoder,
    *,
    english: Encoder | None = None,
    labelled: Sequence[LabelledQuestion] = (),
    judged: Sequence[LabelledQuestion] = (),
    said: Sequence[str] = (),
    progress: Progress,
    recipe: Recipe = SERVING,
) -> Parts:
    """Make all parts.

    Args:
        contents: what is searched.
        encoder: gives the vectors.
        english: a second one, which knows English alone, for passages and questions in English.
        labelled: questions with the articles that answer them (none for what nothing answers). Ranking and
            scores are learned from them and from the articles' own titles, headings and questions.
        judged: the same of customers' questions, oldest first: what people said about the bot's answers.
        said: what customers say besides, from which pinyin is read, too.
        progress: called with stage (`embed` and what of, `calibrate`), done and total.
        recipe: how each is made.
    """
    embed = _Embedding(encoder, progress)
    texts = [recipe.text(passage) for passage in contents.passages]
    asked = [text for _, text in contents.questions]
    passage_vectors = embed("embed", texts, encoder.encode_passages)
    question_vectors = embed("embed questions", asked, encoder.encode_queries)
    languages = recipe.languages(_groups(contents, passage_vectors, question_vectors))
    said_in_passages, sentence_passage = sentences_of(contents.passages)
    sentence_vectors = embed("embed sentences", said_in_passages, encoder.encode_passages)
    known = known_questions(contents, labelled, judged)
    english_passages, english_vectors = _in_english(english, contents, texts, known.right, progress)
    dense = DenseIndices(
        passages=VectorIndex.build(languages.apply(passage_vectors)),
        sentences=VectorIndex.build(languages.apply(sentence_vectors)),
        sentence_passage=sentence_passage,
        questions=VectorIndex.build(languages.apply(question_vectors)),
        english=english_passages,
    )
    keywords = KeywordIndex.build([recipe.tokens(text) for text in (*texts, *asked)])
    bridge = recipe.bridge(parallel_texts(contents.faces, contents.passages))
    spelling = recipe.spelling((*texts, *asked))
    pinyin = recipe.pinyin((*texts, *asked, *(question.text for question in labelled), *said))
    rows = known.examples()
    learned = with_headings(contents, known.right)
    # Pinyin as it is typed, which a search would read first: where vectors say little, it is seen what words are worth.
    vectors = languages.apply(embed("calibrate", list(learned), encoder.encode_queries))
    topics, held_out = learn_topics(
        vectors, list(learned.values()), list(map(is_chinese, learned)), len(contents.ids), rows
    )
    finder = recipe.finder(
        contents,
        dense=dense,
        keywords=keywords,
        wording=Wording(keywords, bridge=bridge, spelling=spelling, pinyin=pinyin, tokens=recipe.tokens),
        topics=topics,
    )
    examples = _evidence(finder, known, vectors, english_vectors, rows, held_out)
    return Parts(
        contents=contents,
        dense=dense,
        keywords=keywords,
        bridge=bridge,
        spelling=spelling,
        pinyin=pinyin,
        topics=topics,
        finder=finder,
        languages=languages,
        calibration=recipe.calibration(examples, len(contents.ids)),
    )


@dataclass(frozen=True)
class _Embedding:
    encoder: Encoder
    progress: Progress

    def __call__(
        self, stage: str, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors]
    ) -> Vectors:
        """Vectors of texts, encoded in order of length so that little is padded, reported in order of work."""
        vectors = np.zeros((len(texts), self.encoder.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for start in range(0, len(order), _CHUNK):
            chunk = order[start : start + _CHUNK]
            vectors[chunk] = encode([texts[number] for number in chunk])
            self.progress(stage, min(start + _CHUNK, len(order)), len(order))
        return vectors


def _in_english(
    encoder: Encoder | None,
    contents: Contents,
    texts: Sequence[str],
    known: Iterable[str],
    progress: Progress,
) -> tuple[VectorIndex | None, Mapping[str, Vectors]]:
    """What the encoder that knows English alone says: an index of the passages (`texts`), and vectors of known questions."""
    spoken = [
        text for text, passage in zip(texts, contents.passages, strict=True) if passage.language == ENGLISH
    ]
    if encoder is None or not spoken:
        return None, {}
    embed = _Embedding(encoder, progress)
    passages = VectorIndex.build(embed("embed English", spoken, encoder.encode_passages))
    asked = [text for text in known if not is_chinese(text)]
    return passages, dict(
        zip(asked, embed("embed English questions", asked, encoder.encode_queries), strict=True)
    )


def _groups(contents: Contents, passages: Vectors, questions: Vectors) -> tuple[Group, Group]:
    """The vectors of the contents' passages and questions, as languages are learned from."""
    spoken = [passage.language for passage in contents.passages]
    asked = [contents.faces[face].language for face, _ in contents.questions]
    return (passages, contents.passage_article, spoken), (questions, contents.question_article, asked)


def _evidence(
    finder: EvidenceFinder,
    known: KnownQuestions,
    vectors: Vectors,
    english: Mapping[str, Vectors],
    rows: Sequence[int],
    held_out: Vectors,
) -> list[Example]:
    """Evidence for known questions as if nothing had been learned from them."""
    contents = finder.contents
    texts = list(known.right)
    examples = []
    for row, scores in zip(rows, held_out, strict=True):
        text = texts[row]
        right = known.right[text]
        faces = np.ones(len(contents.faces), dtype=np.bool_)
        if text in known.hidden:
            faces = ~np.isin(contents.face_article, list(right))
        evidence = finder.find(
            text, vectors[row], faces, english=english.get(text), without={text}, topics=scores
        )
        examples.append(Example(evidence, right, text in known.judged))
    return examples
