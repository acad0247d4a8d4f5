"""What computes the language model fastest here, and how far its answers are from torch in float32.

    python benchmarks/engines.py                        # the adapter that comes with Kefu, 6 questions a language
    python benchmarks/engines.py --adapter FOLDER       # another one
    python benchmarks/engines.py --engines torch-bfloat16 openvino-int8 --questions 3
    python benchmarks/engines.py --json FILE            # the figures as JSON, too

Golden questions of the shop are asked with the passages that a keyword search finds for them, in the prompt that serving
renders, and each engine runs in a process of its own. "Cold" reads the whole prompt, "warm" keeps the rules that begin
it. "CPU s" is what a whole answer costs in processor time: on a machine that does other things too, it is the figure to
compare. The distance is the mean |Δ log-probability| of the tokens of float32's own answers.

What to expect, one thread of an AMD EPYC with AVX-512 and bfloat16, an adapter of the bundled model, 16 questions: a whole
answer takes torch 1.16 s in bfloat16 and 0.93 s in int8, OpenVINO 0.75 s in 16 bits and 0.54 s in 8, at 39, 50, 73 and 101
tokens/s. 16 bits are as far from float32 as torch's bfloat16 (0.007 and 0.008), 8 bits as torch's int8 (0.025 and 0.020);
4 bits (0.15) are no faster than 8, because the vocabulary, two thirds of the weights, stays in 8. OpenVINO GenAI 2026.4 on
what optimum-intel 2.2 exports beside transformers 5.0 takes the same time a step (25 ms), but offers neither the odds of
the passages by which an adapter declines, nor guesses from the passages alone, nor an end between two tokens without a
thread; so Kefu's own loop runs on OpenVINO. llama-cpp-python comes as source only, a quarter of an hour to build.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from golden_questions import load_half
from rich.console import Console
from rich.table import Table

from bot.answering.adapters import DEFAULT_ADAPTER, read_adapter
from bot.answering.bundled_model import NAME, unpack_model
from bot.answering.drafting import GUESSED, DraftingModel
from bot.answering.exports import OPENVINO_16BIT, OPENVINO_INT4, OPENVINO_INT8
from bot.answering.generator import Prompt, PromptShape
from bot.answering.local_model import LocalModel
from bot.answering.prompt import PromptPassage, render
from bot.conversation import Language
from bot.errors import GenerationError
from bot.logs import configure_logs
from bot.settings import load_settings
from finetune.compression.compress import export
from retrieval.chunking import split
from retrieval.documents import Passage
from retrieval.keywords import KeywordIndex, tokenize
from retrieval.readers import read_articles

try:
    from bot.answering.openvino_model import OpenVinoModel
except ImportError:
    OpenVinoModel = None  # type: ignore[assignment,misc]

REFERENCE = "torch-float32"
TORCH = (REFERENCE, "torch-bfloat16", "torch-int8")
OPENVINO = (OPENVINO_16BIT, OPENVINO_INT8, OPENVINO_INT4) if OpenVinoModel is not None else ()
MOST_TOKENS = 120
SECONDS = 300.0
_RIGHT_ARTICLE = 6.0  # added to its keyword score, as vectors would help it to the top
_screen = Console(stderr=True)


@dataclass(frozen=True)
class Measured:
    """One engine's figures. Times in seconds, one value an answer; sizes in bytes."""

    load: float
    load_cpu: float
    size: int
    memory: int
    cold: list[float]
    warm: list[float]
    whole: list[float]
    cpu: list[float]
    tokens: int
    writing: float  # seconds after the first token, all answers together
    texts: list[str]
    log_probabilities: list[list[float]] = field(default_factory=list)  # of float32's tokens


def real_prompts(knowledge_base: Path, width: int, shape: PromptShape, count: int) -> list[Prompt]:
    """Golden questions with what a keyword search finds, `count` in each language."""
    articles, _ = read_articles(knowledge_base)
    passages = [passage for article in articles for passage in split(article, width)]
    index = KeywordIndex.build([tokenize(" ".join((p.title, *p.headings, p.text))) for p in passages])
    prompts = []
    for language in (Language.ZH, Language.EN):
        fitting = [
            golden
            for golden in load_half(knowledge_base, "test")
            if (golden.language, golden.kind) == (language.value, "answer")
            and golden.articles
            and not golden.context
        ]
        for golden in fitting[:count]:
            scores = index.scores(tokenize(golden.question))
            for row, passage in enumerate(passages):
                scores[row] += _RIGHT_ARTICLE * (passage.article_id in golden.articles)
            best = _best(passages, scores, language, shape.passages)
            prompts.append(render(language, best, (), golden.question, shape=shape))
    return prompts


def _best(passages: Sequence[Passage], scores: Any, language: Language, count: int) -> list[PromptPassage]:
    found = [passages[row] for row in np.argsort(-scores) if passages[row].language == language.value]
    return [PromptPassage(number, p.title, p.text) for number, p in enumerate(found[:count], start=1)]


def measure(name: str, job: dict[str, Any]) -> Measured:
    """Load one engine and let it answer; runs in a process of its own."""
    prompts = [Prompt(**prompt) for prompt in job["prompts"]]
    started, cpu = time.monotonic(), time.process_time()
    model, size = _model(name, job)
    load, load_cpu = time.monotonic() - started, time.process_time() - cpu
    model.warm_up()
    cold, warm, whole, cpus, texts, tokens, writing = [], [], [], [], [], 0, 0.0
    for prompt in prompts:
        model.close()  # forgets what it kept of the rules
        cold.append(_answer(model, prompt, 1)[1])
        cpu = time.process_time()
        text, first, taken = _answer(model, prompt, MOST_TOKENS)
        cpus.append(time.process_time() - cpu)
        texts.append(text)
        warm.append(first)
        whole.append(taken)
        writing += taken - first
        tokens += len(model._engine.tokenizer(text)["input_ids"])
    memory = _most_memory()
    distances = [
        _log_probabilities(model, prompt, text)
        for prompt, text in zip(prompts, job.get("texts") or texts, strict=True)
    ]
    return Measured(load, load_cpu, size, memory, cold, warm, whole, cpus, tokens, writing, texts, distances)


def _most_memory() -> int:
    """Bytes that this process held at most. `ru_maxrss` is of no use: a process takes over its parent's."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _model(name: str, job: dict[str, Any]) -> tuple[DraftingModel, int]:
    """The engine's model, and its size on disk."""
    how: dict[str, Any] = {"threads": job["threads"], "guessed": job["guessed"]}
    if name in OPENVINO:
        folder = Path(job["exports"][name])
        return OpenVinoModel(folder, **how), _size(folder)
    source, adapter = Path(job["source"]), Path(job["adapter"])
    precision: Any = name.removeprefix("torch-")
    model = LocalModel(source, label=NAME, adapter=adapter, precision=precision, **how)
    return model, _size(source) + _size(adapter)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _answer(model: DraftingModel, prompt: Prompt, most: int) -> tuple[str, float, float]:
    """(text, seconds to the first piece, seconds)."""
    started, first, text = time.monotonic(), None, ""
    try:
        for piece in model.stream(prompt, max_new_tokens=most, deadline=started + SECONDS):
            first = time.monotonic() - started if first is None else first
            text += piece
    except GenerationError:  # repeats itself, or does not come to an end
        pass
    taken = time.monotonic() - started
    return text, taken if first is None else first, taken


def _log_probabilities(model: DraftingModel, prompt: Prompt, text: str) -> list[float]:
    """Of the tokens of `text`, each after those before."""
    tokenizer = model._engine.tokenizer
    before: list[int] = tokenizer(prompt.fixed + prompt.variable + prompt.answer_gap)["input_ids"]
    answer: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    memory = model._engine.begin()
    memory.read(before[:-1])
    logits = memory.logits([before[-1], *answer[:-1]]).astype(np.float64)
    highest = logits.max(1)
    total = highest + np.log(np.exp(logits - highest[:, None]).sum(1))
    found: list[float] = (logits[np.arange(len(answer)), answer] - total).tolist()
    return found


def table_of(measured: dict[str, Measured], threads: int | None) -> Table:
    """The figures, a row an engine."""
    load = os.getloadavg()[0]
    table = Table(title=f"threads: {threads or 'all cores but one'}; load of the machine: {load:.1f}")
    for column in ("", "MB on disk", "MB in memory", "load s", "first cold s", "first warm s", "whole s", "CPU s", "tokens/s", "same answers", "distance"):  # fmt: skip
        table.add_column(column, justify="left" if not column else "right")
    for name, row in figures_of(measured).items():
        table.add_row(
            name,
            f"{row['bytes'] / 1e6:.0f}",
            f"{row['memory_bytes'] / 1e6:.0f}",
            *(f"{row[key]:.2f}" for key in ("load", "cold", "warm", "whole", "cpu")),
            f"{row['tokens_per_second']:.0f}",
            f"{row['same_answers']:.0%}",
            f"{row['distance']:.4f}",
        )
    return table


def figures_of(measured: dict[str, Measured]) -> dict[str, dict[str, float]]:
    """Medians of the times, shares of the answers."""
    reference = measured[REFERENCE]
    return {
        name: {
            "bytes": one.size,
            "memory_bytes": one.memory,
            "load": one.load,
            "load_cpu": one.load_cpu,
            **{key: float(np.median(getattr(one, key))) for key in ("cold", "warm", "whole", "cpu")},
            "tokens_per_second": one.tokens / one.writing,
            "same_answers": float(np.mean([a == b for a, b in zip(one.texts, reference.texts, strict=True)])),
            "distance": _distance(one, reference),
        }
        for name, one in measured.items()
    }


def _distance(one: Measured, reference: Measured) -> float:
    pairs = zip(one.log_probabilities, reference.log_probabilities, strict=True)
    return float(np.mean(np.abs(np.concatenate([np.subtract(a, b) for a, b in pairs]))))


def main() -> None:
    """Measure each engine in a process of its own, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--adapter", type=Path, default=DEFAULT_ADAPTER)
    parser.add_argument("--questions", type=int, default=6, help="in each language")
    parser.add_argument("--engines", nargs="*", choices=(*TORCH, *OPENVINO), default=[*TORCH, *OPENVINO])
    parser.add_argument("--threads", type=int, help="default: all cores but one")
    parser.add_argument("--guessed", type=int, default=GUESSED, help="most tokens to guess a step")
    parser.add_argument("--show", action="store_true", help="print the answers")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, metavar=("ENGINE", "JOB"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    configure_logs("error")
    if chosen.one is not None:
        job = json.loads(Path(chosen.one[1]).read_text("utf-8"))
        sys.stdout.write(json.dumps(asdict(measure(chosen.one[0], job))))
        return
    with tempfile.TemporaryDirectory(prefix="kefu-engines-") as folder:
        measured = _measure_all(chosen, Path(folder))
    Console(width=170).print(table_of(measured, chosen.threads))
    for name, one in measured.items() if chosen.show else ():
        _screen.print(name, *one.texts, sep="\n  ", markup=False)
    if chosen.json is not None:
        content = {"benchmark": "engines", "load": os.getloadavg()[0], "engines": figures_of(measured)}
        chosen.json.write_text(json.dumps(content, indent=2), "utf-8")


def _measure_all(chosen: argparse.Namespace, folder: Path) -> dict[str, Measured]:
    settings = load_settings()
    source = unpack_model(settings.models_path, lambda *_: None)
    shape = read_adapter(chosen.adapter).shape
    prompts = real_prompts(
        settings.knowledge_base, settings.retrieval.passage_characters, shape, chosen.questions
    )
    kinds = [name for name in chosen.engines if name in OPENVINO]
    written = export(chosen.adapter, source, folder, kinds, label=NAME) if kinds else ()
    job: dict[str, Any] = {
        "prompts": [asdict(prompt) for prompt in prompts],
        "source": str(source),
        "adapter": str(chosen.adapter),
        "exports": {each.kind: str(each.folder) for each in written},
        "threads": chosen.threads,
        "guessed": chosen.guessed,
    }
    measured: dict[str, Measured] = {}
    for name in dict.fromkeys((REFERENCE, *chosen.engines)):
        path = folder / "job.json"
        path.write_text(json.dumps(job), "utf-8")
        command = [sys.executable, "-W", "ignore", __file__, "--one", name, str(path)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603
        measured[name] = Measured(**json.loads(done.stdout.decode().rpartition("\n")[2]))
        job["texts"] = measured[REFERENCE].texts
        _screen.print(f"{name} done")
    return measured


if __name__ == "__main__":
    main()
