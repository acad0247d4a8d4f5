"""Calls a peer of benchmarks/intents.py that needs an environment of its own: its script, by that environment's Python.

What is asked and what is told pass through two JSON files, since the two sides share neither packages nor versions:

    asked: {"texts": [...], "labels": [...], "asked": [...], "seed": 0}    texts with a label each to learn from, and questions
    told:  {"ranked": [[[label, probability], ...], ...], "fit_seconds": 1.5, "seconds": 0.2}    two or more a question, best first
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bot.understanding.intents import OUT_OF_SCOPE

_COMPLAINT = 2000  # characters of what a peer that failed said last


@dataclass(frozen=True)
class Told:
    """For each question the class that is told, and how sure that is (0 to 1) of being in scope at all and right."""

    labels: list[str]
    confidence: NDArray[np.float64]

    def cut(self, place: int) -> tuple[Told, Told]:
        """What is told of the first `place` questions, and of the others."""
        return (
            Told(self.labels[:place], self.confidence[:place]),
            Told(self.labels[place:], self.confidence[place:]),
        )


class Fitted(Protocol):
    """What tells intents after it was fitted."""

    def __call__(self, texts: Sequence[str], /) -> Told:
        """Tell the intent of each."""


@dataclass(frozen=True)
class Run:
    """What one contender told, and what that took."""

    told: Told
    fit_seconds: float
    seconds: float  # for all questions


# Texts to learn from, a label for each, and the questions.
Contender = Callable[[Sequence[str], Sequence[str], Sequence[str]], Run]


def here(fit: Callable[[Sequence[str], Sequence[str]], Fitted]) -> Contender:
    """A contender that is fitted in this process."""

    def run(texts: Sequence[str], labels: Sequence[str], asked: Sequence[str]) -> Run:
        started = time.monotonic()
        fitted = fit(texts, labels)
        ready = time.monotonic()
        told = fitted(asked)
        return Run(told, ready - started, time.monotonic() - ready)

    return run


def elsewhere(python: Path, script: Path, *options: str, seed: int) -> Contender:
    """A contender that `script` fits, in the environment of the interpreter `python`.

    Raises:
        SystemExit: the interpreter is missing, or the script failed; the message has what it said last.
    """

    def run(texts: Sequence[str], labels: Sequence[str], asked: Sequence[str]) -> Run:
        question = {"texts": list(texts), "labels": list(labels), "asked": list(asked), "seed": seed}
        with tempfile.TemporaryDirectory(prefix="kefu-intents-") as folder:
            source, target = Path(folder) / "asked.json", Path(folder) / "told.json"
            source.write_text(json.dumps(question), "utf-8")
            command = (python.absolute(), script.absolute(), source, target, *options)  # it works elsewhere
            _call([str(part) for part in command], Path(folder))
            answer = json.loads(target.read_text("utf-8"))
        if len(answer["ranked"]) != len(asked):
            raise SystemExit(
                f"{script} told {len(answer['ranked'])} labels for {len(asked)} questions; mend it."
            )
        return Run(_told(answer["ranked"]), float(answer["fit_seconds"]), float(answer["seconds"]))

    return run


def _call(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(  # noqa: S603 — our own script, by the interpreter that whoever measures named
            command, check=False, cwd=folder, capture_output=True, text=True, errors="replace"
        )
    except OSError as error:
        raise SystemExit(
            f"{command[0]} cannot be run: {error.strerror}. Give the path of an environment's python."
        ) from error
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip())[-_COMPLAINT:]
        raise SystemExit(
            f"{command[1]} stopped with code {done.returncode}: {last}\nIts first lines say what it needs."
        )


def _told(ranked: list[list[tuple[str, float]]]) -> Told:
    """The best label of each question, and the probability of its best category, which may stand second."""
    best = [next((odds for label, odds in row if label != OUT_OF_SCOPE), 0.0) for row in ranked]
    return Told([row[0][0] for row in ranked], np.array(best, dtype=np.float64))
