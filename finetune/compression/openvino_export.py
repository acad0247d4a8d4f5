"""Writes a merged model for OpenVINO, in 16-bit, 8-bit or 4-bit weights; `bot.answering.openvino_model` says what the graph is told.

The graph is traced from the model itself: optimum-intel 2.2, the usual exporter, refuses Gemma 3 beside transformers
above 5.0. Keys and values are explicit inputs and outputs instead of a state, so that the decoder can take tokens back
that it guessed wrong and start from a kept prefix, without copying the rest.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, Cache, PretrainedConfig, PreTrainedModel

from bot.answering.exports import OPENVINO_16BIT, OPENVINO_INT4, OPENVINO_INT8
from bot.answering.openvino_model import GRAPH
from bot.answering.openvino_quietly import openvino
from finetune.compression.merge import Whole
from finetune.errors import CompressionError
from retrieval.publish import publish

try:
    import nncf
except ImportError as error:
    raise ImportError(
        "Weights for OpenVINO are rounded with nncf, which is not installed. Run `pip install 'kefu[openvino]'`."
    ) from error

nncf.set_log_level(logging.ERROR)  # else it prints a table

_MODES: dict[str, dict[str, Any] | None] = {
    OPENVINO_16BIT: None,  # not rounded to integers
    OPENVINO_INT8: {"mode": nncf.CompressWeightsMode.INT8_SYM},
    # The vocabulary stays in 8 bits, as nncf has it: it is two thirds of the bundled model.
    OPENVINO_INT4: {"mode": nncf.CompressWeightsMode.INT4_SYM, "group_size": 32, "ratio": 1.0},
}
_ATTENTION = "kefu_grouped"
_KINDS = {"full_attention", "sliding_attention"}  # of layers, that the graph has masks for
_TOKENS, _PAST = 4, 3  # of the example that the model is traced with; both are dynamic afterwards


def write_openvino(whole: Whole, into: Path, form: str) -> Path:
    """Trace a merged model, round its weights, and write a new generation under `into`.

    Args:
        whole: the merged model.
        into: folder of the generations.
        form: `OPENVINO_16BIT`, `OPENVINO_INT8` or `OPENVINO_INT4`.

    Raises:
        CompressionError: the model has parts that the graph has no inputs for, or cannot be traced.
        PublishError: it cannot be written; what was there before stays.
    """
    config = whole.model.config
    _check(config, whole.base)
    graph, mode = _traced(whole.model), _MODES[form]
    if mode is not None:
        with redirect_stdout(StringIO()):  # nncf draws a bar there
            graph = nncf.compress_weights(graph, **mode)
    return publish(into, lambda folder: _fill(whole, graph, folder, form))


def _fill(whole: Whole, graph: Any, folder: Path, form: str) -> Mapping[str, Any]:
    openvino.save_model(graph, str(folder / GRAPH), compress_to_fp16=True)
    whole.tokenizer.save_pretrained(str(folder))
    generation = whole.model.generation_config
    if generation is not None:
        generation.save_pretrained(str(folder))
    return whole.describe(form, sliding_window=_window(whole.model.config))


def _check(config: PretrainedConfig, base: str) -> None:
    other = set(getattr(config, "layer_types", None) or ()) - _KINDS
    if other or getattr(config, "is_encoder_decoder", False):
        raise CompressionError(
            f"Model {base!r} has {', '.join(sorted(other)) or 'an encoder'}, which the export for OpenVINO does not know. "
            "Serve it with torch: set model.engine to 'torch'."
        )


def _window(config: PretrainedConfig) -> int | None:
    """How many tokens a sliding layer sees; None where no layer slides."""
    slides = "sliding_attention" in (getattr(config, "layer_types", None) or ())
    window: int | None = config.sliding_window if slides else None
    return window


def _traced(model: PreTrainedModel) -> Any:
    """The model as an OpenVINO graph with the inputs and outputs that the engine knows."""
    config = model.config
    layers, heads = config.num_hidden_layers, config.num_key_value_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    seen = torch.ones(1, 1, _TOKENS, _PAST + _TOKENS, dtype=torch.bool)
    example = {  # in the order of `_Step.forward`
        "ids": torch.arange(_TOKENS)[None],
        "positions": torch.arange(_PAST, _PAST + _TOKENS)[None],
        "rows": torch.tensor([_TOKENS - 1]),
        "full": seen,
        "past": torch.ones(_PAST, 2 * layers, heads, size),
        "sliding": seen.clone(),
    }
    shapes: dict[str, list[int]] = {
        "ids": [1, -1],
        "positions": [1, -1],
        "rows": [-1],
        "full": [1, 1, -1, -1],
        "past": [-1, 2 * layers, heads, size],
        "sliding": [1, 1, -1, -1],
    }
    if _window(config) is None:
        del example["sliding"], shapes["sliding"]
    before = config._attn_implementation
    model.set_attn_implementation(_ATTENTION)
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # tracing warns of each shape that it takes for fixed; the test compares
            graph = openvino.convert_model(_Step(model), example_input=example, input=list(shapes.items()))
    except (RuntimeError, ValueError, TypeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise CompressionError(
            f"Model {config.model_type!r} cannot be traced for OpenVINO: {reason} Serve it with torch: set model.engine "
            "to 'torch'."
        ) from error
    finally:
        model.set_attn_implementation(before)
    for given in graph.inputs:  # which also bear the numbers of the nodes that read them
        given.get_tensor().set_names({name for name in shapes if name in given.get_names()})
    for output, name in zip(graph.outputs, ("logits", "new"), strict=True):
        output.get_tensor().set_names({name})
    return graph


class _Step(nn.Module):
    """One step of a model, with its memory as a plain tensor."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self._model = model

    def forward(
        self,
        ids: Tensor,
        positions: Tensor,
        rows: Tensor,
        full: Tensor,
        past: Tensor,
        sliding: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """(logits after `rows`, keys and values of `ids`); see `bot.answering.openvino_model`."""
        masks: Any = full if sliding is None else {"full_attention": full, "sliding_attention": sliding}
        memory = _Rows(past)
        hidden = self._model.base_model(
            input_ids=ids,
            position_ids=positions,
            attention_mask=masks,
            past_key_values=memory,
            use_cache=True,
        ).last_hidden_state
        head: nn.Module = self._model.get_output_embeddings()  # type: ignore[no-untyped-call]
        return head(hidden[0, rows]), torch.stack(memory.new, 1)


class _Rows(Cache):
    """A cache of transformers on top of one tensor (p, 2·layers, heads, size), that collects what is added."""

    def __init__(self, past: Tensor) -> None:
        self.layers = []  # what the base class asks for
        self.past = past
        self.new: list[Tensor] = []

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """All keys and values of a layer, (1, heads, p+n, size); the new ones are collected as (n, heads, size)."""
        self.new += [_by_token(key_states), _by_token(value_states)]
        keys, values = (_by_head(self.past[:, 2 * layer_idx + place]) for place in (0, 1))
        return torch.cat((keys, key_states), 2), torch.cat((values, value_states), 2)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Nothing depends on it: positions and masks are given."""
        del layer_idx
        return 0


# With one head, as in Gemma 3 270M, a change of the layout is none at all, and a quarter of a step is saved.
def _by_token(states: Tensor) -> Tensor:
    """(1, heads, n, size) → (n, heads, size)."""
    if states.shape[1] == 1:
        return states.reshape(-1, 1, states.shape[-1])
    return states[0].transpose(0, 1)


def _by_head(states: Tensor) -> Tensor:
    """(n, heads, size) → (1, heads, n, size)."""
    if states.shape[1] == 1:
        return states.reshape(1, 1, -1, states.shape[-1])
    return states.transpose(0, 1)[None]


def _grouped(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scaling: float, **_: Any
) -> tuple[Tensor, None]:
    """Attention in which the queries that share a key stand side by side: keys and values need no copies.

    Shapes: query (1, heads·group, n, size), key and value (1, heads, t, size), mask (1, 1, n, t), result
    (1, n, heads·group, size).
    """
    del module
    heads, size = key.shape[1], query.shape[3]
    group = query.shape[1] // heads
    rows = query.reshape(1, heads, -1, size)
    seen = mask.repeat(1, 1, group, 1)
    result = nn.functional.scaled_dot_product_attention(rows, key, value, attn_mask=seen, scale=scaling)
    return result.reshape(1, heads * group, -1, size).transpose(1, 2).contiguous(), None


AttentionInterface.register(_ATTENTION, _grouped)
