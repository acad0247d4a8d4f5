"""The search for settings: it finds the better ones, ends bad trials early, and survives a kill."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.answering.adapters import read_adapter
from finetune.errors import TrainingError
from finetune.training.callbacks import Progress
from finetune.training.search_settings import Space, search_settings
from finetune.training.train_settings import TrainSettings
from tests.tiny_training import SETTINGS, tiny_base, tiny_examples

LEARNED, HELD = tiny_examples(12), tiny_examples(3, start=60)
AROUND = replace(SETTINGS, dropout=0.0)
SPACE = Space(learning_rate=(1e-8, 3e-2), ranks=(2,), dropout=(0.0, 0.0), epochs=(4, 4))


class Killed(BaseException):
    """What a kill looks like from inside."""


def test_the_best_settings_and_their_adapter_are_found_and_a_killed_search_goes_on(tmp_path: Path) -> None:
    seen: list[tuple[int, float]] = []

    def tell(number: int, settings: TrainSettings, progress: Progress) -> None:
        seen.append((number, settings.learning_rate))
        if number == 2 and progress.step > 3 and not (tmp_path / "killed").exists():
            (tmp_path / "killed").touch()
            raise Killed

    folder = tmp_path / "search"
    with pytest.raises(Killed):
        search_settings(tiny_base(), LEARNED, HELD, folder, trials=4, around=AROUND, space=SPACE, tell=tell)
    rate = seen[-1][1]
    before = len(seen)
    found = search_settings(
        tiny_base(), LEARNED, HELD, folder, trials=5, around=AROUND, space=SPACE, tell=tell
    )
    assert seen[before] == (3, rate)  # what the kill had interrupted is tried again first
    assert [each.outcome for each in found.tried].count("fail") == 1
    assert len(found.tried) == 5
    losses = {
        each.settings.learning_rate: each.validation_loss for each in found.tried if each.validation_loss
    }
    assert found.validation_loss == min(losses.values())
    assert (
        len({each.settings.learning_rate for each in found.tried}) == 4
    )  # none twice but the interrupted one
    assert read_adapter(found.adapter).settings["learning_rate"] == found.settings.learning_rate
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == [found.adapter.name]
    again = search_settings(tiny_base(), LEARNED, HELD, folder, trials=5, around=AROUND, space=SPACE)
    assert again == found  # there is nothing left to try


def test_a_trial_that_does_worse_than_the_others_is_ended_early(tmp_path: Path) -> None:
    good = replace(SPACE, learning_rate=(1e-2, 2e-2))
    search_settings(tiny_base(), LEARNED, HELD, tmp_path, trials=4, around=AROUND, space=good)
    bad = replace(SPACE, learning_rate=(1e-8, 1e-7))
    found = search_settings(tiny_base(), LEARNED, HELD, tmp_path, trials=5, around=AROUND, space=bad)
    assert found.tried[-1].outcome == "pruned"
    assert found.tried[-1].validation_loss is None
    assert not list(tmp_path.glob("*.work"))


def test_without_validation_nothing_can_be_compared(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="without validation"):
        search_settings(tiny_base(), LEARNED, [], tmp_path, trials=1)


def test_a_search_in_which_everything_fails_says_so(tmp_path: Path) -> None:
    wild = replace(SPACE, learning_rate=(1e29, 1e30))
    with pytest.raises(TrainingError, match="All 2 trials failed"):
        search_settings(tiny_base(), LEARNED, HELD, tmp_path, trials=2, around=AROUND, space=wild)
