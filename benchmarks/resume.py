"""A training that is killed and goes on ends with the same adapter as one that was left alone: on the real model.

    python benchmarks/resume.py                  # 3 kills, at random moments
    python benchmarks/resume.py --kills 5 --seed 7
    python benchmarks/resume.py --json FILE      # the figures as JSON, too

Both trainings are processes of their own on the same lessons, with the same settings and seed; the second one is killed
(SIGKILL) at moments of chance, wherever it is then, and started again each time. The peer is the undisturbed one.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file

from bot.answering.adapters import WEIGHTS
from bot.logs import configure_logs
from bot.models import local_source, make_encoder
from bot.settings import load_settings
from finetune.examples.lesson_examples import Mixture, lesson_examples
from finetune.examples.lessons import TALKS, load_trade
from finetune.training.defaults import load_for_training
from finetune.training.supervised import train
from finetune.training.train_settings import TRAINED_SHAPE, TrainSettings

_EXAMPLES = 160
_SEED = 20261127
_screen = Console(stderr=True)


def child(folder: Path) -> None:
    """Train, or go on training, in this process."""
    settings = load_settings()
    encoder = make_encoder(settings, lambda *_: None)
    lessons = lesson_examples(
        load_trade(TALKS / "gym"), encoder, TRAINED_SHAPE, seed=_SEED, mixture=Mixture(rounds=1)
    )
    examples = [example for example, _ in zip(lessons, range(_EXAMPLES), strict=False)]
    source, label = local_source(settings, lambda *_: None)
    base = load_for_training(source, label=label, revision=settings.model.revision)
    how = replace(TrainSettings(), rank=8, alpha=16.0, epochs=1.0, sheets=2, dropout=0.1, seed=_SEED)
    train(base, examples, examples[:4], folder, settings=how, data={}, parent=None, report=None)


def undisturbed(folder: Path) -> float:
    """Seconds of a training that is left alone."""
    began = time.monotonic()
    subprocess.run(_command(folder), check=True)  # noqa: S603 — this very file
    return time.monotonic() - began


def disturbed(folder: Path, kills: int, seconds: float, seed: int) -> list[float]:
    """The moments, in seconds from each start, at which a training was killed; then it was let finish."""
    chance = random.Random(seed)  # noqa: S311 — moments, no secret
    moments: list[float] = []
    while len(moments) < kills:
        moment = chance.uniform(0.3, 0.5) * seconds  # each life is shorter than what is left
        process = subprocess.Popen(_command(folder))  # noqa: S603
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            moments.append(moment)
            _screen.print(f"killed after {moment:.0f} s")
            continue
        raise SystemExit("The training ended before it was killed; give it more examples.")
    subprocess.run(_command(folder), check=True)  # noqa: S603 — this very file
    return moments


def _command(folder: Path) -> list[str]:
    return [sys.executable, __file__, "--child", str(folder)]


def difference(one: Path, other: Path) -> float:
    """The largest difference of two adapters' weights."""
    left, right = (load_file(folder / WEIGHTS) for folder in (one, other))
    if left.keys() != right.keys():
        raise SystemExit("The adapters have other weights.")
    return max(float((left[name].float() - right[name].float()).abs().max()) for name in left)


def main() -> None:
    """Train twice, and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=_SEED)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    configure_logs("error")
    if chosen.child is not None:
        child(chosen.child)
        return
    with tempfile.TemporaryDirectory(prefix="kefu-resume-") as scratch:
        alone, killed = Path(scratch) / "alone", Path(scratch) / "killed"
        seconds = undisturbed(alone)
        moments = disturbed(killed, chosen.kills, seconds, chosen.seed)
        apart = difference(alone, killed)
        norm = max(float(torch.linalg.norm(value.float())) for value in load_file(alone / WEIGHTS).values())
    table = Table("", "", title="A training that was killed and went on", show_header=False)
    table.add_row("undisturbed", f"{seconds:.0f} s")
    table.add_row("killed after", ", ".join(f"{moment:.0f} s" for moment in moments))
    table.add_row("largest difference of a weight", f"{apart:.3g}")
    table.add_row("largest norm of a matrix", f"{norm:.3g}")
    Console().print(table)
    if chosen.json is not None:
        figures = {"benchmark": "resume", "seconds": seconds, "killed_after": moments, "difference": apart}
        chosen.json.write_text(json.dumps(figures, indent=2), "utf-8")
    if apart > 0.0:
        raise SystemExit("The two adapters differ.")


if __name__ == "__main__":
    main()
