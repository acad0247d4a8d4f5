"""What search and intent head learn from: the team's content, and what people said about customers' questions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from bot.content import Content
from bot.settings import Settings
from bot.understanding.corrections import extended, read_corrections
from bot.understanding.head_file import load_or_fit
from bot.understanding.intents import IntentHead, TrainingSet, training_set
from retrieval.batching import BatchingEncoder
from retrieval.bundled_encoder import NAME as BUNDLED_ENCODER
from retrieval.calibration import LabelledQuestion
from retrieval.encoder import Encoder
from retrieval.joined_encoder import JoinedEncoder, english_encoder_folder
from retrieval.keywords import is_chinese
from retrieval.search import SearchIndex
from retrieval.sentence_encoder import load_encoder
from retrieval.vector_cache import RecentTexts

_ENGLISH_ENCODER = "all-MiniLM-L6-v2"
_REMEMBERED = 20_000  # texts


def labelled_questions(content: Content) -> list[LabelledQuestion]:
    """What the search learns its probabilities from: intents' examples with their articles, and out-of-scope ones."""
    asked = [
        LabelledQuestion(text, frozenset(intent.articles))
        for intent in content.intents.values()
        if intent.articles
        for text in intent.examples.all()
    ]
    return asked + [LabelledQuestion(text, frozenset()) for text in content.out_of_scope.all()]


def said_to_intents(content: Content) -> list[str]:
    """What customers say where no article need answer: the examples and titles of intents, in both languages."""
    return [
        text
        for intent in content.intents.values()
        for text in (*intent.examples.all(), intent.title.zh, intent.title.en)
    ]


def intent_examples(content: Content, index: SearchIndex) -> TrainingSet:
    """The team's own examples of intents, of questions that only articles answer, and of what is out of scope."""
    behind_templates = {article for intent in content.intents.values() for article in intent.articles}
    knowledge = [
        text
        for article in index.articles()
        if article.id not in behind_templates
        for text in (article.title, *article.questions)
    ]
    return training_set(content, knowledge)


def english_encoder(settings: Settings, encoder: Encoder) -> Encoder | None:
    """The second encoder, which knows English alone; None beside another than the bundled one, where nothing is gained for sure.

    Raises:
        EncoderError: it does not load.
    """
    bundled = encoder.name.partition("@")[0] == BUNDLED_ENCODER
    return _english_encoder() if bundled and settings.encoder.english == "auto" else None


@cache  # whoever reads English in this process shares it
def _english_encoder() -> Encoder:
    model = load_encoder(english_encoder_folder(), label=_ENGLISH_ENCODER, query_prompt="", passage_prompt="")
    return RecentTexts(BatchingEncoder(model), _REMEMBERED)


def open_index(settings: Settings, encoder: Encoder) -> SearchIndex:
    """The index that was published last.

    Raises:
        IndexMissing, IndexMismatch: there is none, or it does not fit.
        EncoderError: the second encoder does not load.
    """
    return SearchIndex.open(settings.index_path, encoder, english_encoder(settings, encoder))


def intent_encoder(settings: Settings, encoder: Encoder, texts: Sequence[str]) -> Encoder:
    """What reads questions for their intent: `encoder`, for a team without Chinese joined with the one that knows English better.

    Where a team's examples are in both languages the second one tells no more: on the demonstration shop as many English
    questions came out right without it.

    Args:
        settings: whether there may be a second one.
        encoder: the one that searches.
        texts: the examples of the intents.

    Raises:
        EncoderError: the second one does not load.
    """
    if any(map(is_chinese, texts)):
        return encoder
    english = english_encoder(settings, encoder)
    return encoder if english is None else JoinedEncoder(encoder, english)


def intent_head(
    settings: Settings, content: Content, index: SearchIndex, encoder: Encoder
) -> tuple[IntentHead, Encoder]:
    """The intent head for today's content, fitted only if something that it learns from has changed, and what reads for it."""
    corrections = read_corrections(settings.intent_corrections_path)
    examples = extended(intent_examples(content, index), corrections)
    reading = intent_encoder(settings, encoder, examples.texts)
    return load_or_fit(settings.var / "intents", examples, reading), reading
