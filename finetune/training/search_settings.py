"""Searches settings of a training with Optuna: which learn best, as the validation loss says. Needs the extra `search`.

What was tried lies in an SQLite file, so a search that was killed goes on: the trial that was running is begun again, and
goes on from its own last checkpoint. Trials that do worse than half of the others did at the same point are ended early
(the median rule of Golovin et al. 2017, "Google Vizier"); the next ones are chosen by TPE (Bergstra et al. 2011).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from finetune.errors import TrainingError
from finetune.examples.example import Example
from finetune.training.callbacks import Progress, Reporter
from finetune.training.methods import Method
from finetune.training.supervised import train
from finetune.training.train_settings import Base, TrainSettings
from finetune.training.work_folder import work_folder

try:
    import optuna
    from optuna.pruners import MedianPruner
    from optuna.samplers import TPESampler
    from optuna.trial import FrozenTrial, Trial, TrialState
except ImportError as error:
    raise ImportError(
        "Settings are searched with Optuna, which is not installed. Run `pip install 'kefu[search]'`."
    ) from error

_STUDY = "settings"
_FILE = "study.db"
_BEFORE_PRUNING = 4  # trials that are never ended early: there is nothing to compare them with

Tell = Callable[[int, TrainSettings, Progress], None]  # the trial's number, what it tries, how far it is


@dataclass(frozen=True)
class Space:
    """What may be tried: bounds are inclusive; a pair of equal ones fixes a setting."""

    learning_rate: tuple[float, float] = (5e-5, 2e-3)  # by its logarithm
    ranks: tuple[int, ...] = (4, 8, 16, 32)
    dropout: tuple[float, float] = (0.0, 0.15)
    epochs: tuple[int, int] = (1, 4)
    methods: tuple[Method, ...] = ("lora",)


@dataclass(frozen=True)
class Tried:
    """One trial. `validation_loss` is None where it was ended early, diverged or was killed."""

    settings: TrainSettings
    validation_loss: float | None
    outcome: str  # "complete", "pruned", "fail"


@dataclass(frozen=True)
class Search:
    """What a search found: the best settings, the adapter that they made, and all that was tried."""

    settings: TrainSettings
    adapter: Path
    validation_loss: float
    tried: tuple[Tried, ...]


def search_settings(
    base: Base,
    examples: Sequence[Example],
    validation: Sequence[Example],
    folder: Path,
    *,
    trials: int,
    around: TrainSettings | None = None,
    space: Space | None = None,
    parent: Path | None = None,
    tell: Tell | None = None,
) -> Search:
    """Try settings until there are `trials` of them, those of earlier runs included.

    Args:
        base: the model; it is loaded once and adapted again and again.
        examples: to train on.
        validation: what counts; not empty.
        folder: of the search: `study.db`, and the best adapter so far. One folder, one set of examples.
        trials: at least 1; ten to thirty are usual.
        around: settings that are not searched, and the first ones tried.
        space: what may be tried.
        parent: the adapter to train on from; then methods and ranks are the parent's.
        tell: told how each trial goes.

    Raises:
        TrainingError: there is nothing to validate with, or every trial failed.
    """
    if not validation:
        raise TrainingError("Settings cannot be compared without validation examples. Set some aside.")
    folder.mkdir(parents=True, exist_ok=True)
    first = around if around is not None else TrainSettings()
    chosen = space if space is not None else Space()
    if parent is not None:
        chosen = replace(chosen, ranks=(first.rank,), methods=(first.method,))
    study = _study(folder, first, chosen)

    def objective(trial: Trial) -> float:
        settings = _suggest(trial, first, chosen)
        adapter = _adapter(folder, settings)
        if adapter.exists():  # TPE may come back to what it knows
            shutil.rmtree(adapter)
        try:
            report = train(
                base,
                examples,
                validation,
                adapter,
                settings=settings,
                parent=parent,
                report=_reporter(trial, settings, tell),
            )
        except optuna.TrialPruned:
            shutil.rmtree(work_folder(adapter), ignore_errors=True)
            raise
        _keep_the_best(folder, study, adapter, report.metrics["validation_loss"])
        return float(report.metrics["validation_loss"])

    left = trials - sum(trial.state.is_finished() for trial in study.trials)
    if left > 0:
        study.optimize(objective, n_trials=left, catch=(TrainingError,))
    return _found(folder, study, first)


def _study(folder: Path, first: TrainSettings, space: Space) -> Any:
    """The study in `folder`; a trial that a kill left running is put in line again."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = f"sqlite:///{(folder / _FILE).resolve()}"
    study = optuna.create_study(storage=storage, study_name=_STUDY, load_if_exists=True)
    begun = len(study.trials)
    # A sampler that began with the same seed again would try the same settings again.
    study.sampler = TPESampler(seed=first.seed + begun)
    study.pruner = MedianPruner(n_startup_trials=_BEFORE_PRUNING)
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
    if begun == 0 and _inside(first, space):
        study.enqueue_trial(_params(first))
    return study


def _suggest(trial: Trial, first: TrainSettings, space: Space) -> TrainSettings:
    trial.suggest_categorical("method", space.methods)
    trial.suggest_categorical("rank", space.ranks)
    trial.suggest_float("learning_rate", *space.learning_rate, log=True)
    trial.suggest_float("dropout", *space.dropout)
    trial.suggest_int("epochs", *space.epochs)
    return _settings(trial.params, first)


def _settings(params: Mapping[str, Any], first: TrainSettings) -> TrainSettings:
    """The settings that a trial tries or tried; what a killed one had not chosen yet is as in `first`."""
    known = {**_params(first), **params}
    alpha = first.alpha / first.rank * known["rank"]  # so that one learning rate suits every rank
    return replace(first, **{**known, "alpha": alpha, "epochs": float(known["epochs"])})


def _params(settings: TrainSettings) -> dict[str, Any]:
    names = ("method", "rank", "learning_rate", "dropout")
    return {**{name: getattr(settings, name) for name in names}, "epochs": int(settings.epochs)}


def _inside(settings: TrainSettings, space: Space) -> bool:
    return (
        settings.method in space.methods
        and settings.rank in space.ranks
        and space.learning_rate[0] <= settings.learning_rate <= space.learning_rate[1]
        and space.dropout[0] <= settings.dropout <= space.dropout[1]
        and space.epochs[0] <= int(settings.epochs) == settings.epochs <= space.epochs[1]
    )


def _reporter(trial: Trial, settings: TrainSettings, tell: Tell | None) -> Reporter:
    """Ends a trial early by raising: what a reporter raises ends a training."""
    told: set[int] = set()

    def report(progress: Progress) -> None:
        if tell is not None:
            tell(trial.number, settings, progress)
        if progress.validation_loss is None:
            return
        done = round(100 * progress.step / progress.steps)  # trials have different numbers of steps
        if done not in told:
            told.add(done)
            trial.report(progress.validation_loss, done)
            if trial.should_prune():
                raise optuna.TrialPruned

    return report


def _adapter(folder: Path, settings: TrainSettings) -> Path:
    """Named by what is tried, so that a trial that is begun again finds its checkpoints."""
    known = json.dumps(_params(settings), sort_keys=True)
    return folder / f"trial-{hashlib.sha256(known.encode()).hexdigest()[:12]}"


def _keep_the_best(folder: Path, study: Any, adapter: Path, loss: float) -> None:
    done = study.get_trials(states=(TrialState.COMPLETE,))
    if done and loss >= min(trial.value for trial in done):
        shutil.rmtree(adapter)
        return
    for other in folder.glob("trial-*"):
        if other != adapter and not other.name.endswith(".work"):
            shutil.rmtree(other)


def _found(folder: Path, study: Any, first: TrainSettings) -> Search:
    tried = tuple(_tried(trial, first) for trial in study.trials if trial.state.is_finished())
    done = [each for each in tried if each.validation_loss is not None]
    if not done:
        raise TrainingError(
            f"All {len(tried)} trials failed. Search lower learning rates, or look at the examples."
        )
    best = min(done, key=lambda each: each.validation_loss or 0.0)
    return Search(best.settings, _adapter(folder, best.settings), best.validation_loss or 0.0, tried)


def _tried(trial: FrozenTrial, first: TrainSettings) -> Tried:
    settings = _settings(trial.params, first)
    loss = trial.value if trial.state is TrialState.COMPLETE else None
    return Tried(settings, loss, trial.state.name.lower())
