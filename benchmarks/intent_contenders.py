"""What benchmarks/intents.py compares: ways to tell an intent, each fitted on questions and labels, with a confidence."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from bot.learning import intent_encoder
from bot.settings import Settings
from bot.understanding.intents import KNOWLEDGE, OUT_OF_SCOPE, TrainingSet, fit_head
from finetune.training.encoder_training import EncoderSettings, train_encoder
from retrieval.encoder import Encoder
from retrieval.joined_encoder import parts_of
from retrieval.sentence_encoder import load_encoder

try:
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments
except ImportError:  # an optional peer
    SetFitModel = None


@dataclass(frozen=True)
class Told:
    """For each question the class that is told, and how sure that is (0 to 1) of being in scope at all and right."""

    labels: list[str]
    confidence: NDArray[np.float64]


class Fitted(Protocol):
    """What tells intents after it was fitted."""

    def __call__(self, texts: Sequence[str]) -> Told:
        """Tell the intent of each."""


Contender = Callable[[Sequence[str], Sequence[str]], Fitted]


def kefu(encoder: Encoder, settings: Settings) -> Contender:
    """Kefu's intent head, as it serves with `settings`. Intents have titles, which it learns from: here the categories' names."""

    def fit(texts: Sequence[str], labels: Sequence[str]) -> Fitted:
        names = sorted(set(labels) - {OUT_OF_SCOPE})
        examples = TrainingSet((*texts, *map(_as_title, names)), (*labels, *names))
        reading = intent_encoder(settings, encoder, examples.texts)
        head = fit_head(examples, reading.encode_queries(examples.texts), parts_of(reading))

        def tell(asked: Sequence[str]) -> Told:
            vectors = reading.encode_queries(list(asked))
            found = [head.classify(text, vector) for text, vector in zip(asked, vectors, strict=True)]
            best = [each.intents[0] for each in found]
            rest = [max((each.out_of_scope, OUT_OF_SCOPE), (each.knowledge, KNOWLEDGE)) for each in found]
            told = [
                b.intent if b.score >= other else name for b, (other, name) in zip(best, rest, strict=True)
            ]
            return Told(told, np.array([b.score for b in best]))

        return tell

    return fit


def _as_title(name: str) -> str:
    """`card_arrival` → card arrival."""
    return name.replace("_", " ").strip("? ").lower()


def linear_on(encoder: Encoder) -> Contender:
    """Logistic regression on an encoder's vectors: what most tutorials do."""

    def fit(texts: Sequence[str], labels: Sequence[str]) -> Fitted:
        head = LogisticRegression(C=10.0, max_iter=200)
        head.fit(encoder.encode_queries(list(texts)).astype(np.float64), list(labels))
        return lambda asked: _of_probabilities(
            head.classes_, head.predict_proba(encoder.encode_queries(list(asked)).astype(np.float64))
        )

    return fit


def words(texts: Sequence[str], labels: Sequence[str]) -> Fitted:
    """TF-IDF of words and of character n-grams under a linear support vector machine, with Platt's probabilities."""
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )
    _, counts = np.unique(labels, return_counts=True)
    svm = LinearSVC(C=0.5)
    head = svm if counts.min() < 3 else CalibratedClassifierCV(svm, cv=3)
    model = make_pipeline(features, head).fit(list(texts), list(labels))

    def tell(asked: Sequence[str]) -> Told:
        if head is not svm:
            return _of_probabilities(model.classes_, model.predict_proba(list(asked)))
        scores = model.decision_function(list(asked))
        scores = np.stack((-scores, scores), 1) if scores.ndim == 1 else scores
        odds = np.exp(scores - scores.max(1, keepdims=True))
        return _of_probabilities(model.classes_, odds / odds.sum(1, keepdims=True))

    return tell


def setfit_on(source: Path, prompt: str, *, seed: int) -> Contender:
    """SetFit's own trainer on the same encoder, its defaults, one epoch."""

    def fit(texts: Sequence[str], labels: Sequence[str]) -> Fitted:
        model = SetFitModel.from_pretrained(str(source), local_files_only=True)
        table = Dataset.from_dict({"text": [prompt + text for text in texts], "label": list(labels)})
        steps = TrainingArguments(
            batch_size=16, num_epochs=1, max_steps=300, seed=seed, report_to="none", show_progress_bar=False
        )
        Trainer(model=model, args=steps, train_dataset=table).train()

        def tell(asked: Sequence[str]) -> Told:
            odds = np.asarray(model.predict_proba([prompt + text for text in asked], as_numpy=True))
            return _of_probabilities(np.asarray(model.model_head.classes_), odds)

        return tell

    return fit


def tuned_kefu(bundled: Path, settings: Settings, seed: int) -> Contender:
    """Kefu's head on its encoder, tuned on the same examples."""

    def fit(texts: Sequence[str], labels: Sequence[str]) -> Fitted:
        known = TrainingSet(tuple(texts), tuple(labels))
        in_scope = [(text, label) for text, label in zip(texts, labels, strict=True) if label != OUT_OF_SCOPE]
        with tempfile.TemporaryDirectory(prefix="kefu-intents-") as folder:
            where = train_encoder(
                bundled,
                TrainingSet(tuple(text for text, _ in in_scope), tuple(label for _, label in in_scope)),
                Path(folder) / "encoder",
                settings=EncoderSettings(seed=seed),
            )
            better = load_encoder(where, query_prompt="query: ", passage_prompt="passage: ", device="cpu")
        return kefu(better, settings)(known.texts, known.labels)

    return fit


def has_setfit() -> bool:
    """Whether SetFit is installed."""
    return SetFitModel is not None


def timed(contender: Contender, texts: Sequence[str], labels: Sequence[str]) -> tuple[Fitted, float]:
    """Fit, and the seconds that it took."""
    started = time.monotonic()
    return contender(texts, labels), time.monotonic() - started


def _of_probabilities(classes: NDArray[np.str_], odds: NDArray[np.float64]) -> Told:
    labels = [str(classes[place]) for place in odds.argmax(1)]
    in_scope = [place for place, name in enumerate(classes) if name != OUT_OF_SCOPE]
    return Told(labels, np.asarray(odds[:, in_scope].max(1), np.float64))
