"""Linear layers in 8-bit integers, for CPUs that would otherwise compute in float32.

A language model's speed on such a CPU is that of its matrices: integers are a quarter of the memory and several times
the arithmetic. Weights are rounded once, one scale an output; inputs as they come, one scale a row. Where inputs have
outliers (layers that narrow, and the vocabulary) they are kept in two 8-bit halves, so that nearly nothing is lost.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_TOP = 127.0
_CHUNK = 16_384  # rows converted at a time, so that a vocabulary of 260,000 needs no second float copy
_TINY = 1e-12
_FEW_ROWS = 16  # so few that reading the weights is all that counts: the second half costs nothing


class Int8Linear(nn.Module):
    """Computes what `linear` did, within about a hundredth of its result's size."""

    weight: Tensor
    scale: Tensor
    bias: nn.Parameter | None

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach()
        scale = weight.abs().amax(1).float().clamp(min=_TINY) / _TOP
        rounded = torch.empty(weight.shape, dtype=torch.int8)
        for start in range(0, len(weight), _CHUNK):
            part = slice(start, start + _CHUNK)
            rounded[part] = (weight[part].float() / scale[part, None]).round().to(torch.int8)
        self.register_buffer("weight", rounded.t())  # (in, out), as torch wants the second factor laid out
        self.register_buffer("scale", scale)
        bias: nn.Parameter | None = linear.bias
        self.bias = None if bias is None else nn.Parameter(bias.detach().float(), False)
        self._in_halves = (
            linear.in_features > linear.out_features or linear.out_features > 32 * linear.in_features
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Shape (…, in) to (…, out), in the inputs' dtype."""
        rows = inputs.reshape(-1, inputs.shape[-1]).float()
        scale = rows.abs().amax(1, keepdim=True).clamp_(min=_TINY) / _TOP
        scaled = rows / scale
        if self._in_halves or len(rows) <= _FEW_ROWS:
            product = self._product_in_halves(scaled)
        else:
            product = torch._int_mm(scaled.round_().to(torch.int8), self.weight).float()
        result = product.mul_(scale).mul_(self.scale)
        if self.bias is not None:
            result += self.bias
        return result.view(*inputs.shape[:-1], -1).to(inputs.dtype)

    def _product_in_halves(self, scaled: Tensor) -> Tensor:
        """The product with the inputs as whole + rest/254, both 8-bit, in one pass over the weights."""
        whole = scaled.round()
        rest = ((scaled - whole) * 254.0).round_()
        product = torch._int_mm(torch.cat((whole, rest)).to(torch.int8), self.weight).float()
        upper, lower = product.chunk(2)
        return upper.add_(lower, alpha=1 / 254.0)


def to_int8(model: nn.Module) -> None:
    """Replace every linear layer of `model`, the head included, in place; the rest computes in float32.

    Embeddings keep their dtype, because only a few of their rows are read at a time.
    """
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:
                setattr(module, name, Int8Linear(child))
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            module.register_forward_hook(_in_float32)
        else:
            for parameter in module.parameters(recurse=False):
                parameter.data = parameter.data.float()


def _in_float32(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
    del module, inputs
    return output.float()
