"""What search and intent head learn from: the team's content, and what people said about customers' questions."""

from __future__ import annotations

from bot.content import Content
from bot.settings import Settings
from bot.understanding.corrections import extended, read_corrections
from bot.understanding.head_file import load_or_fit
from bot.understanding.intents import IntentHead, TrainingSet, training_set
from retrieval.calibration import LabelledQuestion
from retrieval.encoder import Encoder
from retrieval.search import SearchIndex


def labelled_questions(content: Content) -> list[LabelledQuestion]:
    """What the search learns its probabilities from: intents' examples with their articles, and out-of-scope ones."""
    asked = [
        LabelledQuestion(text, frozenset(intent.articles))
        for intent in content.intents.values()
        if intent.articles
        for text in intent.examples.all()
    ]
    return asked + [LabelledQuestion(text, frozenset()) for text in content.out_of_scope.all()]


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


def intent_head(settings: Settings, content: Content, index: SearchIndex, encoder: Encoder) -> IntentHead:
    """The intent head for today's content; fitted only if something that it learns from has changed."""
    corrections = read_corrections(settings.intent_corrections_path)
    return load_or_fit(
        settings.var / "intents", extended(intent_examples(content, index), corrections), encoder
    )
