"""The ways to adapt a model, as peft configurations: one setting picks, the same numbers mean the same.

Sources: LoRA (Hu et al. 2021, arXiv 2106.09685), rsLoRA (Kalajdzievski 2023, 2312.03732), DoRA (Liu et al. 2024,
2402.09353), AdaLoRA (Zhang et al. 2023, 2303.10512), IA³ (Liu et al. 2022, 2205.05638), OFT (Qiu et al. 2023, 2306.07280),
prefix tuning (Li and Liang 2021, 2101.00190). A prefix is weak in models with sliding windows: most layers lose sight of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

from peft import (
    AdaLoraConfig,
    IA3Config,
    LoraConfig,
    OFTConfig,
    PeftConfig,
    PrefixTuningConfig,
    TaskType,
)

from finetune.errors import TrainingError

Method = Literal["lora", "rslora", "dora", "adalora", "ia3", "oft", "prefix"]
MERGEABLE: frozenset[str] = frozenset(get_args(Method)) - {"prefix"}  # the others cannot be served

_EVERY_LINEAR = "all-linear"  # all but the head
_IA3_TARGETS = ["k_proj", "v_proj", "down_proj"]
_ADALORA_WARM_UP = 0.15  # share of the steps before ranks are cut
_ADALORA_END = 0.35  # share of the steps after


def peft_config(method: Method, *, rank: int, alpha: float, dropout: float, steps: int) -> PeftConfig:
    """The peft configuration of a method.

    Args:
        method: which.
        rank: of the low-rank matrices; OFT takes it as its block size, prefix tuning as its number of virtual tokens.
        alpha: LoRA's scale is alpha/rank (rsLoRA's alpha/√rank).
        dropout: before the low-rank matrices, 0 to 1.
        steps: optimizer steps of the whole training; AdaLoRA plans its ranks by it.

    Raises:
        TrainingError: the method is unknown.
    """
    if method not in _CONFIGS:
        raise TrainingError(f"There is no method {method!r}. Use one of {', '.join(get_args(Method))}.")
    config = _CONFIGS[method](rank, alpha, dropout, steps)
    config.task_type = TaskType.CAUSAL_LM
    return config


def shares_sheets(method: Method) -> bool:
    """Whether a method can be trained on sheets. A prefix stands before the row, and peft makes the mask for it."""
    return method != "prefix"


def _lora(rank: int, alpha: float, dropout: float, **more: Any) -> PeftConfig:
    return LoraConfig(
        r=rank,
        lora_alpha=alpha,  # type: ignore[arg-type]  # its annotation is too narrow: alpha is only divided
        lora_dropout=dropout,
        target_modules=_EVERY_LINEAR,
        **more,
    )


def _adalora(rank: int, alpha: float, dropout: float, steps: int) -> PeftConfig:
    begin, end = int(steps * _ADALORA_WARM_UP), int(steps * _ADALORA_END)
    return AdaLoraConfig(
        init_r=rank + rank // 2,
        target_r=rank,
        lora_alpha=int(alpha),
        lora_dropout=dropout,
        target_modules=_EVERY_LINEAR,
        tinit=begin,
        tfinal=end,
        deltaT=max(1, steps // 100),
        total_step=max(steps, begin + end + 1),
    )


_CONFIGS: dict[str, Callable[[int, float, float, int], PeftConfig]] = {
    "lora": lambda rank, alpha, dropout, _: _lora(rank, alpha, dropout),
    "rslora": lambda rank, alpha, dropout, _: _lora(rank, alpha, dropout, use_rslora=True),
    "dora": lambda rank, alpha, dropout, _: _lora(rank, alpha, dropout, use_dora=True),
    "adalora": _adalora,
    "ia3": lambda *_: IA3Config(target_modules=_IA3_TARGETS, feedforward_modules=["down_proj"]),
    "oft": lambda rank, _alpha, dropout, _: OFTConfig(
        r=0, oft_block_size=rank, module_dropout=dropout, target_modules=_EVERY_LINEAR
    ),
    "prefix": lambda rank, *_: PrefixTuningConfig(num_virtual_tokens=rank),
}
