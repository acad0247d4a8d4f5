"""What AdaLoRA asks of whoever trains it, and peft and the trainer leave out (Zhang et al. 2023, arXiv 2303.10512).

Its ranks move after each step by what it remembers of earlier gradients, and its matrices are kept orthogonal by a term of
the loss. peft prunes an adapter that it writes; a checkpoint must hold all of it, for a rank may come back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from peft import AdaLoraConfig, PeftModel
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

_FILE = "ranks.safetensors"
_PATTERN = "rank_pattern"
_REMEMBERED = ("ipt", "exp_avg_ipt", "exp_avg_unc")  # what peft's allocator keeps of earlier steps


class Ranks(TrainerCallback):
    """Moves the ranks after each step, and keeps what they are decided by over a kill."""

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Before the gradients are cleared: they say which ranks matter."""
        del args, control
        kwargs["model"].base_model.update_and_allocate(state.global_step)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Put what the trainer's own checkpoint does not hold beside it."""
        del control
        if not state.is_world_process_zero:
            return
        model = kwargs["model"]
        remembered = {
            f"{kind}/{name}": tensor.contiguous()
            for kind in _REMEMBERED
            for name, tensor in getattr(model.base_model.rankallocator, kind).items()
        }
        pattern = {_PATTERN: json.dumps(_config(model).rank_pattern)}
        folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        save_file(remembered or {"nothing": torch.zeros(1)}, folder / _FILE, metadata=pattern)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take up what was kept, if the training goes on."""
        del control
        folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        if not (folder / _FILE).is_file():
            return
        model = kwargs["model"]
        take_pattern(model, folder)
        with safe_open(folder / _FILE, "pt") as file:
            for key in file.keys():  # noqa: SIM118 — a safetensors file is no dictionary
                kind, _, name = key.partition("/")
                if kind in _REMEMBERED:
                    getattr(model.base_model.rankallocator, kind)[name] = file.get_tensor(key)


def take_pattern(model: PeftModel, checkpoint: Path) -> None:
    """Give the adapter the ranks that it had at `checkpoint`."""
    if (checkpoint / _FILE).is_file():
        with safe_open(checkpoint / _FILE, "pt") as file:
            _config(model).rank_pattern = json.loads(file.metadata()[_PATTERN])


@contextmanager
def unpruned(model: PeftModel) -> Iterator[None]:
    """Within this, the adapter is written and loaded with all its ranks. Nothing happens to other methods."""
    if not is_adalora(model):
        yield
        return
    config = _config(model)
    pattern = config.rank_pattern
    config.rank_pattern = None
    try:
        yield
    finally:
        config.rank_pattern = pattern


def is_adalora(model: nn.Module) -> bool:
    """Whether `model` carries such an adapter."""
    configs = getattr(model, "peft_config", {})
    return "default" in configs and configs["default"].peft_type == "ADALORA"


def orthogonality(model: PeftModel) -> Tensor:
    """The term that keeps P and Q of each P·Λ·Q orthogonal (equation 4 of the paper), weighted as peft does: a scalar."""
    terms = []
    for name, matrix in model.named_parameters():
        if ".lora_A." in name or ".lora_B." in name:
            product = matrix @ matrix.T if ".lora_A." in name else matrix.T @ matrix
            identity = torch.eye(len(product), device=product.device, dtype=product.dtype)
            terms.append(torch.linalg.matrix_norm(product - identity))
    return _config(model).orth_reg_weight * torch.stack(terms).mean()


def _config(model: PeftModel) -> AdaLoraConfig:
    return cast("AdaLoraConfig", model.peft_config["default"])
