"""What this machine's processor can do."""

from __future__ import annotations

import torch

_NATIVE_BF16 = ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16", "arm_bf16")


def computes_in_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16: then it is fast, and nothing need be rounded to 8 bits.

    The processor says so itself. To measure it would be no better: on a busy machine the same model would be loaded now
    in one form and now in another, and give other vectors.
    """
    return _has(*_NATIVE_BF16)


def multiplies_tiles() -> bool:
    """Whether the processor multiplies matrices tile by tile, in instructions of their own (AMX)."""
    return _has("amx_tile")


def _has(*names: str) -> bool:
    features = torch.cpu.get_capabilities()
    return any(features.get(name, False) for name in names)
