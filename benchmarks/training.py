"""How fast an adapter is trained, and in how much memory: Kefu's sheets against a plain loop and TRL's own trainer.

    python benchmarks/training.py                       # the bundled model, 64 examples (20 minutes on two cores)
    python benchmarks/training.py --tiny                # a model of a few thousand numbers: shows that it runs
    python benchmarks/training.py --ways sheets trl --examples 128
    python benchmarks/training.py --json FILE           # the figures as JSON, too

Every way trains the same LoRA on the same examples for one epoch, in a process of its own. Counted are useful tokens: those
of all examples by themselves, without padding, and those that a sheet reads once for several examples as often as they
are in one. Loading and saving are not timed. Times are those of this machine at this moment: compare them within one run.
TRL's packing lets examples see each other without flash attention, so on a CPU its adapter is not the same; it is here for
its speed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from training_ways import TITLES, WAYS
from transformers import (
    AutoTokenizer,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging as transformers_logging

from bot.answering.bundled_model import NAME, unpack_model
from finetune.examples.lesson_examples import lesson_examples
from finetune.examples.lessons import load_trade, trades
from finetune.training.defaults import load_for_training
from finetune.training.rows import tokenized
from finetune.training.sheets import Row, sheets
from finetune.training.train_settings import TRAINED_SHAPE
from retrieval.bundled_encoder import unpack_encoder
from retrieval.sentence_encoder import load_encoder


def tiny_rows() -> list[Row]:
    """Rows as lessons give them: five questions each about the same passages."""
    return [
        Row((*range(10 + about, 130 + about), *range(200 + n, 230 + n), *range(60, 72)), 150)
        for about in range(8)
        for n in range(5)
    ]


def tiny_model() -> PreTrainedModel:
    """A Gemma of a few thousand numbers."""
    torch.manual_seed(0)
    return Gemma3ForCausalLM(
        Gemma3TextConfig(
            vocab_size=512,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
            query_pre_attn_scalar=16,
            sliding_window=64,
            layer_types=["sliding_attention", "full_attention"],
            pad_token_id=0,
            eos_token_id=1,
            bos_token_id=2,
        )
    )


def lessons(unpacked: Path, tokenizer: Any, count: int) -> list[Row]:
    """Rows of written lessons, in the order in which they are made: about the same passages, one after another."""
    encoder = load_encoder(unpack_encoder(unpacked, lambda *_: None), device="auto")
    found: list[Any] = []
    for folder in trades():
        found += lesson_examples(load_trade(folder), encoder, TRAINED_SHAPE, seed=0)
        if len(found) >= count:
            break
    return list(tokenized(tokenizer, found[:count], TRAINED_SHAPE).rows)


def one_way(way: str, job: Path) -> dict[str, float]:
    """Train in this process, and say how long it took and how much memory."""
    known = json.loads(job.read_text("utf-8"))
    rows = [Row(tuple(row["tokens"]), row["answer_from"]) for row in known["rows"]]
    if known["model"] is None:
        model, tokenizer = tiny_model(), tiny_tokenizer()
    else:
        base = load_for_training(known["model"])
        model, tokenizer = base.model, base.tokenizer
    if torch.cuda.is_available():
        model.to("cuda")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seconds = WAYS[way](model, tokenizer, rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"seconds": seconds, "peak_mib": peak, "loaded_mib": before}
    if torch.cuda.is_available():
        figures["peak_gpu_mib"] = torch.cuda.max_memory_allocated() / 2**20
    return figures


def tiny_tokenizer() -> Any:
    """Something for trainers to hold; the rows are tokens already."""
    special = {"pad_token": "<pad>", "eos_token": "<eos>", "bos_token": "<bos>"}
    pieces = {piece: number for number, piece in enumerate(special.values())}
    from_nothing = Tokenizer(WordLevel(pieces, special["pad_token"]))
    return PreTrainedTokenizerFast(tokenizer_object=from_nothing, **special)


def measured(ways: Sequence[str], job: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Each way in a process of its own, so that none inherits another's memory."""
    for way in ways:
        ran = subprocess.run(  # noqa: S603 — this very file
            [sys.executable, __file__, "--one", way, "--job", str(job)],
            check=False,
            capture_output=True,
            text=True,
        )
        if ran.returncode != 0:
            raise SystemExit(f"{way} failed:\n{ran.stderr.strip()[-3000:]}")
        yield way, json.loads(ran.stdout.strip().splitlines()[-1])


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tiny", action="store_true", help="a tiny model and made-up rows")
    parser.add_argument("--model", type=Path, help="a Hugging Face folder; default: the bundled model")
    parser.add_argument(
        "--models", type=Path, default=Path("var/models"), help="where bundled ones are unpacked"
    )
    parser.add_argument("--examples", type=int, default=64)
    parser.add_argument("--ways", nargs="*", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", choices=list(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    if chosen.one is not None:
        print(json.dumps(one_way(chosen.one, chosen.job)))
        return
    source = None
    if not chosen.tiny:
        source = chosen.model if chosen.model is not None else unpack_model(chosen.models, lambda *_: None)
    rows = tiny_rows() if source is None else lessons(chosen.models, AutoTokenizer.from_pretrained(source), chosen.examples)  # fmt: skip
    useful = sum(len(row.tokens) for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.json"
        content = {"model": None if source is None else str(source), "rows": [vars(row) for row in rows]}
        job.write_text(json.dumps(content), encoding="utf-8")
        figures = dict(measured(chosen.ways, job))
    show(
        figures,
        useful,
        "tiny" if source is None else NAME if chosen.model is None else source.name,
        len(rows),
    )
    if chosen.json is not None:
        content = {
            "benchmark": "training",
            "model": "tiny" if source is None else str(source.name),
            "examples": len(rows),
            "useful_tokens": useful,
            "sheet_tokens": sum(sheet.tokens for sheet in sheets(rows)),
            "ways": {
                way: {**row, "useful_tokens_per_second": useful / row["seconds"]}
                for way, row in figures.items()
            },
        }
        chosen.json.write_text(json.dumps(content, indent=2), encoding="utf-8")


def show(figures: dict[str, dict[str, float]], useful: int, model: str, count: int) -> None:
    """A table, one row a way."""
    table = Table(title=f"Training an adapter, {model}, {count} examples, {useful} useful tokens, one epoch")
    table.add_column("way")
    for heading in ("useful tokens/s", "seconds", "peak memory MiB", "faster than the first peer"):
        table.add_column(heading, justify="right")
    peers = [row["seconds"] for way, row in figures.items() if way != "sheets"]
    for way, row in figures.items():
        times = f"{peers[0] / row['seconds']:.1f} ×" if peers else ""
        memory = row.get("peak_gpu_mib", row["peak_mib"])
        table.add_row(
            TITLES[way], f"{useful / row['seconds']:.0f}", f"{row['seconds']:.1f}", f"{memory:.0f}", times
        )
    Console().print(table)


if __name__ == "__main__":
    main()
