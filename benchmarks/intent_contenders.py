"""What benchmarks/intents.py compares: ways to tell an intent, each fitted on questions and labels, with a confidence."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from intent_peer_call import Contender, Fitted, Told, elsewhere, here
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
from retrieval.bundled_encoder import unpack_encoder
from retrieval.encoder import Encoder
from retrieval.joined_encoder import english_encoder_folder, parts_of
from retrieval.sentence_encoder import load_encoder

_BESIDE = Path(__file__).parent  # here lie the scripts of the peers that have an environment of their own

Fit = Callable[[Sequence[str], Sequence[str]], Fitted]


def kefu(encoder: Encoder, settings: Settings) -> Fit:
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


def linear_on(encoder: Encoder) -> Fit:
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


def setfit_on(python: Path, body: Path, prompt: str, iterations: int, seed: int) -> Contender:
    """SetFit, which tunes the encoder in the folder `body`, in the environment of the interpreter `python`."""
    options = ("--body", str(body.absolute()), "--prompt", prompt, "--iterations", str(iterations))
    return elsewhere(python, _BESIDE / "intent_peer_setfit.py", *options, seed=seed)


def diet(python: Path, seed: int) -> Contender:
    """Rasa's DIET with its default pipeline, in the environment of the interpreter `python`."""
    return elsewhere(python, _BESIDE / "intent_peer_diet.py", seed=seed)


def tuned_kefu(bundled: Path, settings: Settings, seed: int) -> Fit:
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


@dataclass(frozen=True)
class Bench:
    """What the contenders are made of."""

    settings: Settings
    encoder: Encoder
    minilm: Encoder
    tuned: bool
    setfit: Path | None  # the interpreter of its environment
    setfit_bodies: tuple[str, ...]
    setfit_iterations: int
    diet: Path | None  # the same

    def read_ahead(self, texts: Sequence[str]) -> str:
        """Encode what several contenders will, so that none pays for the others; says what it took."""
        took = []
        for encoder in (self.encoder, self.minilm):
            started = time.monotonic()
            encoder.encode_queries(list(texts))
            took.append(1000 * (time.monotonic() - started) / len(texts))
        intent_encoder(self.settings, self.encoder, texts).encode_queries(list(texts))
        return (
            f"Vectors are made beforehand ({took[0]:.1f} ms a text by the bundled encoder, {took[1]:.1f} by MiniLM), which "
            "is not in the times of Kefu and of logistic regression; those of the others hold all."
        )

    def contenders(self, seed: int) -> dict[str, Contender]:
        """Everything that can be compared here, by name."""
        alone = self.settings.model_copy(
            update={"encoder": self.settings.encoder.model_copy(update={"english": "none"})}
        )
        found = {
            "TF-IDF + linear SVM": here(words),
            "bundled encoder + logistic regression": here(linear_on(self.encoder)),
            "MiniLM + logistic regression": here(linear_on(self.minilm)),
            "Kefu, bundled encoder alone": here(kefu(self.encoder, alone)),
            "Kefu": here(kefu(self.encoder, self.settings)),
        }
        if self.tuned:
            found["Kefu, tuned encoder"] = here(tuned_kefu(self._bundled(), self.settings, seed))
        return found

    def guests(self, seed: int) -> dict[str, Contender]:
        """What has an environment of its own; it takes longest."""
        found = {}
        if self.diet is not None:
            found["Rasa's DIET, default pipeline"] = diet(self.diet, seed)
        if self.setfit is not None:
            found |= self._setfits(self.setfit, seed)
        return found

    def _setfits(self, python: Path, seed: int) -> dict[str, Contender]:
        rounds = self.setfit_iterations
        found = {}
        for body in self.setfit_bodies:
            where, prompt = (
                (english_encoder_folder(), "") if body == "MiniLM" else (self._bundled(), "query: ")
            )
            found[f"SetFit on {body}, R = {rounds}"] = setfit_on(python, where, prompt, rounds, seed)
        return found

    def _bundled(self) -> Path:
        return unpack_encoder(self.settings.models_path, lambda *_: None)


def _of_probabilities(classes: NDArray[np.str_], odds: NDArray[np.float64]) -> Told:
    labels = [str(classes[place]) for place in odds.argmax(1)]
    in_scope = [place for place, name in enumerate(classes) if name != OUT_OF_SCOPE]
    return Told(labels, np.asarray(odds[:, in_scope].max(1), np.float64))
