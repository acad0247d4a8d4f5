"""Linear layers in 8-bit integers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bot.answering.int8_linear import Int8Linear, to_int8


@pytest.mark.parametrize(
    ("inputs", "outputs"), [(64, 256), (256, 64), (64, 4096)], ids=["widens", "narrows", "head"]
)
@pytest.mark.parametrize("rows", [1, 7, 40])
@pytest.mark.parametrize("bias", [True, False])
def test_it_computes_what_the_layer_did(inputs: int, outputs: int, rows: int, bias: bool) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(inputs, outputs, bias=bias)
    given = torch.randn(2, rows, inputs)
    given[..., 0] *= 20  # language models have such outliers
    with torch.inference_mode():
        expected = layer(given)
        result = Int8Linear(layer)(given)
    assert result.shape == expected.shape
    assert float((result - expected).norm() / expected.norm()) < 0.03


def test_rows_do_not_disturb_each_other() -> None:
    torch.manual_seed(0)
    layer = Int8Linear(nn.Linear(32, 64))
    small = torch.randn(1, 32) * 1e-3
    with torch.inference_mode():
        alone = layer(torch.cat((small, small)))[0]
        beside_a_giant = layer(torch.cat((small, torch.full((1, 32), 1e4))))[0]
    assert torch.allclose(alone, beside_a_giant)


def test_zeros_stay_zeros() -> None:
    layer = nn.Linear(16, 16, bias=False)
    nn.init.zeros_(layer.weight)
    with torch.inference_mode():
        assert not Int8Linear(layer)(torch.zeros(3, 16)).isnan().any()


def test_every_linear_layer_of_a_model_is_replaced_and_the_rest_is_float32() -> None:
    model = nn.Sequential(nn.Embedding(10, 8), nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8))).bfloat16()
    to_int8(model)
    kinds = [type(module) for module in model.modules()]
    assert nn.Linear not in kinds
    assert Int8Linear in kinds
    with torch.inference_mode():
        assert model(torch.tensor([1, 2])).dtype is torch.float32
    assert model[0].weight.dtype is torch.bfloat16
