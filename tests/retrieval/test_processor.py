"""In what form a model is loaded: the processor decides, and how busy the machine is decides nothing."""

from __future__ import annotations

import time

import pytest
import torch

from retrieval.processor import computes_in_bfloat16
from retrieval.sentence_encoder import _dtype_on


@pytest.mark.parametrize(
    ("features", "dtype"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, torch.bfloat16),
        ({"arm_bf16": True}, torch.bfloat16),
        ({"avx512_f": True, "avx512_bf16": False}, torch.float32),
        ({}, torch.float32),
    ],
)
def test_the_encoder_is_loaded_in_what_the_processor_computes_in(
    features: dict[str, bool], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_clock() -> float:
        raise AssertionError("A measured time would depend on what else the machine does.")

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    monkeypatch.setattr(time, "perf_counter", no_clock)
    assert computes_in_bfloat16() is (dtype is torch.bfloat16)
    assert _dtype_on("cpu") is dtype
    assert _dtype_on("mps") is torch.float32
