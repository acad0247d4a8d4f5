"""Federated training: a round over two sites in processes of their own, of which only adapters come back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bot.answering.adapters import read_adapter
from finetune.errors import TrainingError
from finetune.training.federated import Site, average, federate
from finetune.training.job import Job, run_job, write_job
from finetune.training.train_settings import TrainSettings
from tests.tiny_training import SETTINGS, same, tiny_base, tiny_examples, weights

PLAIN = replace(SETTINGS, precision="float32", epochs=1)


def in_this_process(job: Path) -> None:
    run_job(job)


@pytest.fixture
def model(tmp_path: Path) -> str:
    base = tiny_base()
    base.model.save_pretrained(tmp_path / "model")
    base.tokenizer.save_pretrained(tmp_path / "model")
    return str(tmp_path / "model")


def sites(model: str, root: Path, settings: TrainSettings = PLAIN) -> list[Site]:
    """Two sites with different questions, the first with twice as many."""
    found = []
    for name, examples in (("north", tiny_examples(12)), ("south", tiny_examples(6, start=30))):
        job = Job(model=model, out=root / f"{name}-adapter", settings=settings)
        write_job(root / name, job, examples, [])
        found.append(Site(name, root / name))
    return found


def test_two_rounds_over_two_sites_make_one_adapter_and_go_on_after_a_kill(
    model: str, tmp_path: Path
) -> None:
    both = sites(model, tmp_path)
    trained: list[Path] = []

    def run(job: Path) -> None:
        if len(trained) == 3:
            trained.append(job)
            raise KeyboardInterrupt
        trained.append(job)
        run_job(job)

    with pytest.raises(KeyboardInterrupt):
        federate(both, tmp_path / "shared", rounds=2, run=run)
    last = federate(both, tmp_path / "shared", rounds=2, run=run)
    assert last.name == "round-2"
    assert [job.parent.name for job in trained] == ["north", "south", "north", "south", "south"]
    manifest = read_adapter(last)
    assert manifest.parent == "round-1"
    assert manifest.data == {"sites": {"north": 12, "south": 6}, "trained": {"examples": 18}}
    assert not same(weights(tmp_path / "shared" / "round-1"), weights(last))
    shared = {path.name for path in (tmp_path / "shared").rglob("*") if path.is_file()}
    assert shared == {"adapter_config.json", "adapter_model.safetensors", "manifest.json"}


def test_the_shared_adapter_is_the_mean_weighted_by_examples(model: str, tmp_path: Path) -> None:
    last = federate(sites(model, tmp_path), tmp_path / "shared", rounds=1, run=in_this_process)
    north, south = (weights(tmp_path / f"{name}-adapter-1") for name in ("north", "south"))
    for name, value in weights(last).items():
        torch.testing.assert_close(value, (2 * north[name] + south[name]) / 3)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_sites_are_trained_in_processes_of_their_own(model: str, tmp_path: Path) -> None:
    both = sites(model, tmp_path)
    apart = federate(both, tmp_path / "shared", rounds=1)
    here = average({site.name: tmp_path / f"{site.name}-adapter-1" for site in both}, tmp_path / "again")
    assert read_adapter(apart).data == here.data
    assert same(weights(apart), weights(tmp_path / "again"))


def test_sites_that_do_not_fit_together_are_refused(model: str, tmp_path: Path) -> None:
    both = sites(model, tmp_path)
    with pytest.raises(TrainingError, match="two sites or more"):
        federate(both[:1], tmp_path / "shared", rounds=1)
    write_job(both[1].job, Job(model=model, out=tmp_path / "x", settings=replace(PLAIN, rank=4)), [], [])
    with pytest.raises(TrainingError, match="Site 'south' has other settings"):
        federate(both, tmp_path / "shared", rounds=1)
    with pytest.raises(TrainingError, match="'adalora' have no mean"):
        federate(sites(model, tmp_path / "other", replace(PLAIN, method="adalora")), tmp_path / "s", rounds=1)


def test_a_damaged_adapter_of_a_site_is_refused(model: str, tmp_path: Path) -> None:
    federate(sites(model, tmp_path), tmp_path / "shared", rounds=1, run=in_this_process)
    (tmp_path / "north-adapter-1" / "adapter_model.safetensors").write_bytes(b"poison")
    with pytest.raises(TrainingError, match="cannot be used"):
        average({name: tmp_path / f"{name}-adapter-1" for name in ("north", "south")}, tmp_path / "again")
