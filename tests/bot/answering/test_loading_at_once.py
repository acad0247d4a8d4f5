"""Several threads may load models at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from bot.answering.model_loading import load_base
from tests.tiny_model import write_model


def test_models_that_are_loaded_at_once_are_whole(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny")
    with ThreadPoolExecutor(8) as threads:
        loaded = list(threads.map(lambda _: load_base(folder, None, torch.float32)[0], range(24)))
    for model in loaded:
        head, words = model.get_output_embeddings(), model.get_input_embeddings()
        assert head.weight.data_ptr() == words.weight.data_ptr()
        assert {value.device.type for value in model.parameters()} == {"cpu"}
