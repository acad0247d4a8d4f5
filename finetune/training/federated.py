"""Trains one adapter on conversations that may not leave their sites: only adapters travel (FedAvg).

Each round, every site trains the shared adapter on its own examples, and sends back what came of it: a few megabytes
of safetensors. The shared adapter becomes their mean, weighted by how many examples each site has (McMahan et al. 2017,
"Communication-Efficient Learning of Deep Networks from Decentralized Data", arXiv 1602.05629; for LoRA: Zhang et al. 2023,
"Towards Building the Federated GPT", arXiv 2305.05644). The mean of A and B is not the mean of B·A, but all sites begin a
round at the same place, so they stay near; keep rounds short.

An adapter can still give away what it learned by heart: see `finetune.training.private`, whose training can take the place of the
plain one at each site.

There is no Flower here: flwr 1.42 needs older versions of FastAPI, Starlette, Uvicorn, Typer, Rich and protobuf than Kefu
does, so it cannot be installed beside it. What it would add is transport; what travels here is a folder, by whatever means
sites already trust.

    for name in ("north", "south"):  # at each site, once
        write_job(Path(name), Job(model, out=Path(f"{name}-adapter")), examples, validation)
    federate([Site("north", Path("north")), Site("south", Path("south"))], Path("shared"), rounds=3)
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from bot.answering.adapters import CONFIG, WEIGHTS, AdapterManifest, read_adapter
from bot.errors import AdapterRefused
from finetune.errors import TrainingError
from finetune.training.adapting import publish
from finetune.training.job import read_job, write_job

_MEANINGFUL = ("lora", "rslora", "dora", "ia3", "oft")  # whose numbers mean the same at every site

Runner = Callable[[Path], None]  # trains the job in a folder


@dataclass(frozen=True)
class Site:
    """Where conversations are. `job` is the folder of its job (`finetune.training.job`), whose examples stay there."""

    name: str
    job: Path


def federate(sites: Sequence[Site], shared: Path, *, rounds: int, run: Runner | None = None) -> Path:
    """Train for some rounds and return the folder of the last shared adapter, `<shared>/round-<n>`.

    A call that was killed goes on: rounds that are there are not trained again, and sites go on from their checkpoints.

    Args:
        sites: two or more, with the same model and settings.
        shared: folder of the shared adapters.
        rounds: at least 1.
        run: trains a site's job; default: a process of its own on this machine, one after another.

    Raises:
        TrainingError: the sites' jobs do not fit together, or a site's training failed.
    """
    _check(sites)
    shared.mkdir(parents=True, exist_ok=True)
    before: Path | None = None
    for number in range(1, rounds + 1):
        after = shared / f"round-{number}"
        if not after.exists():
            sent = {site.name: _train(site, number, before, run or _in_a_process) for site in sites}
            average(sent, after, before)
        before = after
    if before is None:
        raise TrainingError(f"A federated training cannot have {rounds} rounds. Use 1 or more.")
    return before


def average(adapters: Mapping[str, Path], folder: Path, parent: Path | None = None) -> AdapterManifest:
    """Write the mean of the sites' adapters, weighted by their examples, to `folder`.

    Args:
        adapters: by site; of the same base, method and shapes.
        folder: where the mean goes.
        parent: what they were trained on from.

    Raises:
        TrainingError: an adapter is damaged, or they do not fit together.
    """
    try:
        manifests = {site: read_adapter(path) for site, path in adapters.items()}
    except AdapterRefused as error:
        raise TrainingError(f"A site's adapter cannot be used. {error}") from error
    counts = {site: int(manifest.data["trained"]["examples"]) for site, manifest in manifests.items()}
    first = next(iter(manifests.values()))
    for site, manifest in manifests.items():
        if (manifest.base, manifest.base_sha256, manifest.method, manifest.prompt_version) != (
            first.base,
            first.base_sha256,
            first.method,
            first.prompt_version,
        ):
            raise TrainingError(
                f"Site {site!r} trained {manifest.method!r} on {manifest.base!r}, but another {first.method!r} on "
                f"{first.base!r}. Give every site the same job."
            )
    mean = _mean({site: load_file(path / WEIGHTS) for site, path in adapters.items()}, counts)
    manifest = replace(
        first,
        id=folder.name,
        data={"sites": counts, "trained": {"examples": sum(counts.values())}},
        metrics={"sites": {site: dict(manifest.metrics) for site, manifest in manifests.items()}},
        parent=None if parent is None else parent.name,
    )
    beside = folder.with_name(f"{folder.name}.mean")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    save_file(mean, beside / WEIGHTS, metadata={"format": "pt"})
    shutil.copyfile(next(iter(adapters.values())) / CONFIG, beside / CONFIG)
    publish(beside, folder, manifest)
    shutil.rmtree(beside)
    return manifest


def _mean(weights: Mapping[str, Mapping[str, Tensor]], counts: Mapping[str, int]) -> dict[str, Tensor]:
    shapes = {site: {name: value.shape for name, value in some.items()} for site, some in weights.items()}
    first = next(iter(shapes.values()))
    for site, other in shapes.items():
        if other != first:
            raise TrainingError(
                f"The adapter of site {site!r} has another rank. Give every site the same job."
            )
    total = sum(counts.values())
    return {
        name: torch.stack([counts[site] / total * some[name].double() for site, some in weights.items()])
        .sum(0)
        .to(dtype=torch.float32)
        for name in first
    }


def _train(site: Site, number: int, before: Path | None, run: Runner) -> Path:
    """The site's adapter of this round, trained on from the shared one."""
    job, examples, validation = read_job(site.job)
    out = job.out.with_name(f"{job.out.name}-{number}")
    if not out.exists():
        # Each round sees the examples in another order.
        settings = replace(job.settings, seed=job.settings.seed + (0 if before is None else number))
        place = site.job / f"round-{number}"
        write_job(place, replace(job, out=out, parent=before, settings=settings), examples, validation)
        run(place)
    return out


def _in_a_process(job: Path) -> None:
    ran = subprocess.run(  # noqa: S603 — this Python, and a folder of ours
        [sys.executable, "-m", "finetune.training.launch", str(job)],
        check=False,
        capture_output=True,
        text=True,
    )
    if ran.returncode != 0:
        raise TrainingError(f"The training in {job} failed: {ran.stderr.strip()[-500:]}")


def _check(sites: Sequence[Site]) -> None:
    if len(sites) < 2 or len({site.name for site in sites}) < len(sites):
        raise TrainingError(
            f"A federated training needs two sites or more, each with its own name, not "
            f"{[site.name for site in sites]}. With one, use `finetune.training.supervised.train`."
        )
    jobs = {site.name: read_job(site.job)[0] for site in sites}
    first = next(iter(jobs.values()))
    if first.settings.method not in _MEANINGFUL:
        raise TrainingError(
            f"Adapters of method {first.settings.method!r} have no mean. Use one of {', '.join(_MEANINGFUL)}."
        )
    for name, job in jobs.items():
        if job.settings != first.settings:
            raise TrainingError(
                f"Site {name!r} has other settings than {sites[0].name!r}. Give them the same."
            )
