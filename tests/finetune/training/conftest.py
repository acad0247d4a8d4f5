"""Trainings that several tests look at."""

from __future__ import annotations

from functools import cache

import pytest

from finetune.training.callbacks import Progress
from finetune.training.methods import Method
from tests.tiny_training import METHOD_SETTINGS, Trainings, Undisturbed, trained


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    """Trains with a method, the first time that it is asked for; nobody may change what it made."""

    @cache
    def undisturbed(method: Method) -> Undisturbed:
        folder = tmp_path_factory.mktemp("undisturbed") / method
        told: list[Progress] = []
        report = trained(folder, METHOD_SETTINGS[method], report=told.append)
        return Undisturbed(folder, report, tuple(told))

    return undisturbed
