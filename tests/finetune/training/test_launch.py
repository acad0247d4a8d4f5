"""Training jobs in processes of their own: killed with SIGKILL at any moment, and shared by two of them."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest
import torch

from bot.answering.adapters import read_adapter
from finetune.errors import TrainingError
from finetune.training.job import Job, read_job, run_job, write_job
from finetune.training.train_settings import TrainSettings
from tests.tiny_training import SETTINGS, same, tiny_base, tiny_examples, weights

LEARNED, HELD = tiny_examples(36), tiny_examples(3, start=60)
ALONE = [sys.executable, "-m", "finetune.training.launch"]
TWO = [
    *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"),
    *("-m", "finetune.training.launch"),
]


@pytest.fixture
def model(tmp_path: Path) -> str:
    base = tiny_base()
    base.model.save_pretrained(tmp_path / "model")
    base.tokenizer.save_pretrained(tmp_path / "model")
    return str(tmp_path / "model")


def job(model: str, folder: Path, settings: TrainSettings) -> Path:
    """A job beside the adapter that it will make."""
    place = folder.with_name(f"{folder.name}-job")
    write_job(place, Job(model=model, out=folder, settings=settings), LEARNED, HELD)
    return place


def test_a_job_comes_back_as_it_was_written(tmp_path: Path) -> None:
    settings = replace(SETTINGS, method="dora", report_to=("tensorboard",), precision="bfloat16")
    written = Job("m", tmp_path / "a", settings, label="l", parent=tmp_path / "p", data={"from": "log"})
    write_job(tmp_path / "job", written, LEARNED, HELD)
    assert read_job(tmp_path / "job") == (written, LEARNED, HELD)


def test_a_job_that_is_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=f"{tmp_path}.*cannot be read"):
        read_job(tmp_path)


def test_a_job_trains_the_adapter_that_it_says(model: str, tmp_path: Path) -> None:
    settings = replace(SETTINGS, precision="float32", epochs=1)
    report = run_job(job(model, tmp_path / "a", settings))
    manifest = read_adapter(tmp_path / "a")
    assert manifest == replace(report.manifest, files=manifest.files)
    assert manifest.base == "model"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_training_that_was_killed_three_times_ends_bit_by_bit_as_one_that_was_not(
    model: str, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, precision="float32", epochs=20)
    chance = random.Random(11)  # noqa: S311 — when to kill, no secret
    undisturbed = job(model, tmp_path / "a", settings)
    subprocess.run([*ALONE, str(undisturbed)], check=True, capture_output=True)
    killed = job(model, tmp_path / "b", settings)
    for _ in range(3):
        process = subprocess.Popen([*ALONE, str(killed)], stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        wait_for_step(process.stderr, after=chance.randint(2, 12))
        time.sleep(chance.random() * 0.2)  # in a step, in a validation, or while a checkpoint is written
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        assert not (tmp_path / "b").exists()
    subprocess.run([*ALONE, str(killed)], check=True, capture_output=True)
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert read_adapter(tmp_path / "a").metrics == read_adapter(tmp_path / "b").metrics


def wait_for_step(lines: IO[str], after: int) -> None:
    """Read what a training tells until it has made so many steps since it began, or went on."""
    first = None
    for line in lines:
        found = re.match(r"step (\d+)/", line)
        if found:
            first = int(found[1]) if first is None else first
            if int(found[1]) - first >= after:
                return
    pytest.fail("the training was over before it could be killed")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_processes_train_the_adapter_of_one(model: str, tmp_path: Path) -> None:
    settings = replace(SETTINGS, precision="float32", dropout=0.0, sheets=2)
    for name, command in (("one", ALONE), ("two", TWO)):
        subprocess.run(
            [*command, str(job(model, tmp_path / name, settings))], check=True, capture_output=True
        )
    one, two = read_adapter(tmp_path / "one"), read_adapter(tmp_path / "two")
    assert one.data["trained"]["sheets"] % 2 == 0  # else one is read twice
    assert (one.metrics["processes"], two.metrics["processes"]) == (1, 2)
    assert two.metrics["steps"] == one.metrics["steps"]
    assert two.metrics["loss"] == pytest.approx(one.metrics["loss"], rel=1e-4)
    assert two.metrics["validation_loss"] == pytest.approx(one.metrics["validation_loss"], rel=1e-4)
    for name, value in weights(tmp_path / "one").items():
        torch.testing.assert_close(weights(tmp_path / "two")[name], value, atol=1e-4, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_step_that_cannot_be_shared_is_refused_in_every_process(model: str, tmp_path: Path) -> None:
    place = job(model, tmp_path / "a", replace(SETTINGS, precision="float32", sheets=3))
    ran = subprocess.run([*TWO, str(place)], check=False, capture_output=True, text=True)
    assert ran.returncode != 0
    assert "A step of 3 sheets cannot be shared" in ran.stderr
