"""An export that takes its process with it is found out in a process of its own, and once."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answering import openvino_trial
from bot.answering.exports import OPENVINO_INT8
from bot.answering.openvino_trial import TRIALS, trouble_with
from finetune.compression.merge import merge
from finetune.compression.openvino_export import write_openvino
from tests.tiny_adapters import write_adapter
from tests.tiny_model import write_model

COMMAND = openvino_trial._COMMAND
DIES = (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGFPE)")


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def exported(exports: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = write_model(tmp_path_factory.mktemp("tiny"))
    whole = merge(write_adapter(tmp_path_factory.mktemp("adapters") / "tone-3", base), base)
    return write_openvino(whole, exports / whole.adapter.id / OPENVINO_INT8, OPENVINO_INT8)


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Whatever is tried, its process dies."""
    with monkeypatch.context() as patch:
        patch.setattr(openvino_trial, "_COMMAND", DIES)
        yield patch


def test_what_computes_is_tried_once_and_no_more(
    exported: Path, exports: Path, deadly: pytest.MonkeyPatch
) -> None:
    with deadly.context() as alive:
        alive.setattr(openvino_trial, "_COMMAND", COMMAND)
        assert trouble_with(exported, 1, exports) is None
    assert list(json.loads((exports / TRIALS).read_text("utf-8")).values()) == [""]
    assert trouble_with(exported, 1, exports) is None


def test_what_dies_is_not_loaded_until_something_is_new(
    exported: Path, exports: Path, deadly: pytest.MonkeyPatch
) -> None:
    said = trouble_with(exported, 2, exports)
    assert said is not None
    assert f"{exported} ends with code -8" in said
    assert str(exports / TRIALS) in said
    deadly.setattr(openvino_trial, "_COMMAND", COMMAND)
    assert trouble_with(exported, 2, exports) == said
    (exports / TRIALS).write_text("{", "utf-8")
    assert trouble_with(exported, 2, exports) is None


def test_what_was_killed_for_want_of_memory_is_tried_again(
    exported: Path, exports: Path, deadly: pytest.MonkeyPatch
) -> None:
    killed = (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    deadly.setattr(openvino_trial, "_COMMAND", killed)
    said = trouble_with(exported, 3, exports)
    assert said is not None
    assert "want of memory" in said
    deadly.setattr(openvino_trial, "_COMMAND", COMMAND)
    assert trouble_with(exported, 3, exports) is None


def test_an_error_is_left_to_whoever_loads_it(tmp_path: Path) -> None:
    assert trouble_with(tmp_path / "no-export", 1, tmp_path) is None
