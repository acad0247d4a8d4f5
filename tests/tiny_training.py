"""What tests of training share: untrained models of a few thousand numbers, a few examples about two passages, and trainings on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import load_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from bot.answering.prompt import PromptPassage
from bot.conversation import Language
from finetune.examples.example import Example
from finetune.training.callbacks import Progress
from finetune.training.methods import Method
from finetune.training.supervised import train
from finetune.training.train_settings import Base, TrainReport, TrainSettings

METHODS: tuple[Method, ...] = ("lora", "rslora", "dora", "adalora", "ia3", "oft", "prefix")
WINDOW = 16  # of the tiny Gemma and Mistral; every prompt is longer
SETTINGS = TrainSettings(rank=2, alpha=4, dropout=0.1, learning_rate=5e-3, epochs=4, sheets=1, seed=3)
_TEXTS = ("满 99 元包邮，不满 99 元收 8 元。", "Delivery is free from ¥99 per order; below that it costs ¥8.")

Kind = Literal["gemma", "llama", "mistral"]


@cache
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Bytes and a few pieces, with Gemma's turn markers."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        [*_TEXTS, "参考资料 问题 回答 passages question answer"] * 3,
        trainers.BpeTrainer(vocab_size=360, initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer.add_tokens(
        [AddedToken(marker, normalized=False) for marker in ("<start_of_turn>", "<end_of_turn>")]
    )
    tokenizer.add_special_tokens(["<eos>"])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>")


def tiny_model(kind: Kind = "gemma", attention: str = "sdpa") -> PreTrainedModel:
    """The same untrained model each time."""
    end = tiny_tokenizer().eos_token_id
    common = {
        "vocab_size": len(tiny_tokenizer()),
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 12,  # as in the real one, not hidden size by heads
        "max_position_embeddings": 4096,
        "bos_token_id": None,
        "eos_token_id": end,
        "pad_token_id": end,
        "attn_implementation": attention,
    }
    torch.manual_seed(0)
    if kind == "gemma":
        layers = ["sliding_attention", "full_attention"]
        config = Gemma3TextConfig(
            **common, query_pre_attn_scalar=12, sliding_window=WINDOW, layer_types=layers
        )
        return Gemma3ForCausalLM(config)
    if kind == "mistral":
        return MistralForCausalLM(MistralConfig(**common, sliding_window=WINDOW))
    return LlamaForCausalLM(LlamaConfig(**common))


def tiny_base(kind: Kind = "gemma") -> Base:
    """A model to be adapted."""
    return Base(tiny_model(kind), tiny_tokenizer(), f"tiny-{kind}")


def tiny_examples(count: int, start: int = 0) -> list[Example]:
    """`count` questions; three each are about the same passages, and every third has no answer there."""
    return [_example(number) for number in range(start, start + count)]


def _example(number: int) -> Example:
    passages = (
        PromptPassage(1, f"运费 {number // 3}", _TEXTS[0]),
        PromptPassage(2, "Fees", _TEXTS[1]),
    )
    answered = number % 3 != 0
    return Example(
        id=str(number),
        language=Language.ZH if number % 2 else Language.EN,
        passages=passages,
        history=(),
        question=f"运费多少 {number}?",
        source=1 + number % 2 if answered else 0,
        answer=("满 99 元包邮。" if number % 2 == 0 else "Free from ¥99.") if answered else "",
    )


LEARNED, HELD = tiny_examples(18), tiny_examples(3, start=60)  # on two sheets, and on one
METHOD_SETTINGS = {
    method: replace(SETTINGS, method=method, sheets=3 if method == "prefix" else 1) for method in METHODS
}


def weights(adapter: Path) -> dict[str, Tensor]:
    """The weights of the adapter in a folder."""
    return load_file(adapter / "adapter_model.safetensors")


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether two sets of weights are equal, bit by bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def trained(folder: Path, settings: TrainSettings = SETTINGS, **more: Any) -> TrainReport:
    """Train on `LEARNED`, validated on `HELD`."""
    return train(more.pop("base", None) or tiny_base(), LEARNED, HELD, folder, settings=settings, **more)


@dataclass(frozen=True)
class Undisturbed:
    """A training that nobody killed, and what it told. Several tests look at it, and none changes it."""

    folder: Path
    report: TrainReport
    told: tuple[Progress, ...]


Trainings = Callable[[Method], Undisturbed]


class Killed(Exception):
    """What a test throws into a training."""


def dies_at(step: int) -> Callable[[Progress], None]:
    """A report of progress that kills the training at a step."""

    def report(progress: Progress) -> None:
        if progress.step >= step:
            raise Killed

    return report
