"""OpenVINO writes what torch writes: on a tiny model with sliding windows and shared heads, and on one without."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from bot.answering.adapters import AdapterManifest
from bot.answering.bundled_model import NAME, unpack_model
from bot.answering.exports import OPENVINO_16BIT, OPENVINO_INT4, OPENVINO_INT8
from bot.answering.local_model import LocalModel
from bot.answering.model_loading import load_base
from bot.answering.openvino_model import OpenVinoModel
from bot.errors import GenerationError
from finetune.compression.merge import Whole, merge
from finetune.compression.openvino_export import write_openvino
from finetune.errors import CompressionError
from tests.drafting import assert_threads_get_what_one_gets, soon, written
from tests.tiny_adapters import write_adapter
from tests.tiny_model import PROMPTS, write_model

ROOT = Path(__file__).parents[3]
MOST_DISTANCE = {
    OPENVINO_16BIT: 0.03,
    OPENVINO_INT8: 0.12,
    OPENVINO_INT4: 1.5,
}  # of a log-probability, on average


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_adapter(tmp_path_factory.mktemp("adapters") / "tone-3", base)


@pytest.fixture(scope="module")
def whole(base: Path, adapter: Path) -> Whole:
    return merge(adapter, base)


@pytest.fixture(scope="module")
def exported(whole: Whole, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_openvino(whole, tmp_path_factory.mktemp("exports") / OPENVINO_INT8, OPENVINO_INT8)


def expected_log_probabilities(whole: Whole, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return whole.model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)


@pytest.mark.parametrize("form", list(MOST_DISTANCE))
def test_log_probabilities_stay_within_the_stated_distance(whole: Whole, form: str, tmp_path: Path) -> None:
    engine = OpenVinoModel(write_openvino(whole, tmp_path / form, form), threads=1)._engine
    for prompt in PROMPTS:
        ids = whole.tokenizer(prompt.fixed + prompt.variable)["input_ids"][:120]
        expected = expected_log_probabilities(whole, ids)
        memory: Any = engine.begin()
        parts = [
            memory.logits(part) for part in (ids[:50], ids[50:51], ids[51:])
        ]  # past 16 tokens, windows slide
        found = torch.from_numpy(np.concatenate(parts)).log_softmax(-1)
        assert (found - expected).abs().mean() < MOST_DISTANCE[form]


def test_tokens_that_were_taken_back_leave_no_trace(exported: Path) -> None:
    engine: Any = OpenVinoModel(exported, threads=1)._engine
    straight, detour = engine.begin(), engine.begin()
    straight.read([1, 2, 3])
    detour.read([1, 2, 3])
    detour.choose([7, 8, 9, 10], 4)
    detour.forget(4)
    copied = detour.copy()
    assert detour.length == copied.length == 3
    for memory in (detour, copied):
        np.testing.assert_array_equal(straight.copy().logits([4, 5]), memory.logits([4, 5]))


def test_a_memory_grows_beyond_the_room_it_began_with(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine: Any = OpenVinoModel(exported, threads=1)._engine
    expected = engine.begin().logits([1, 2, 3, 4, 5, 6])[-1]
    monkeypatch.setattr("bot.answering.openvino_model._ROOM", 2)
    memory = engine.begin()
    memory.read([1, 2])
    memory.read([3, 4, 5])
    np.testing.assert_allclose(memory.logits([6])[0], expected, atol=0.05)


@pytest.mark.parametrize("options", [{}, {"guessed": 0}, {"keep_prefixes": False}])
def test_drafts_are_those_of_torch(
    exported: Path, base: Path, adapter: Path, options: dict[str, Any]
) -> None:
    torch_model = LocalModel(base, precision="float32", threads=1, adapter=adapter)
    model = OpenVinoModel(exported, threads=1, **options)
    assert model.name == f"{base.name}/openvino-int8"
    assert (model.adapter, model.tuned, model.shape) == ("tone-3", True, torch_model.shape)
    same = [written(model, prompt)[:8] == written(torch_model, prompt)[:8] for prompt in PROMPTS]
    assert sum(same) >= 2, "of three; the tiny model's likeliest tokens lie close together"


def test_the_odds_of_the_passages_are_those_of_torch(exported: Path, base: Path, adapter: Path) -> None:
    torch_model = LocalModel(base, precision="float32", threads=1, adapter=adapter)
    model = OpenVinoModel(exported, threads=1)
    for prompt in PROMPTS:
        found = model.source_odds(prompt, deadline=soon())
        assert found == pytest.approx(torch_model.source_odds(prompt, deadline=soon()), abs=0.1)


def test_several_threads_get_what_one_gets(exported: Path) -> None:
    assert_threads_get_what_one_gets(OpenVinoModel(exported, threads=1))


def test_a_reader_who_leaves_and_a_deadline_stop_it(exported: Path) -> None:
    model = OpenVinoModel(exported, threads=1)
    model.warm_up()
    pieces = model.stream(PROMPTS[0], max_new_tokens=60, deadline=soon())
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    with pytest.raises(GenerationError, match="out of time"):
        list(model.stream(PROMPTS[0], max_new_tokens=60, deadline=time.monotonic() - 1))
    model.close()


def test_a_model_without_sliding_windows_is_exported_too(base: Path, whole: Whole, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=whole.model.config.vocab_size,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
    )
    llama = LlamaForCausalLM(config).eval()
    other = Whole(llama, PreTrainedTokenizerFast.from_pretrained(base), "llama", None, whole.adapter)
    engine = OpenVinoModel(write_openvino(other, tmp_path / "x", OPENVINO_INT8), threads=1)._engine
    memory: Any = engine.begin()
    ids = list(range(3, 40))
    memory.read(ids[:30])
    found = torch.from_numpy(memory.logits(ids[30:])).log_softmax(-1)
    assert (found - expected_log_probabilities(other, ids)[30:]).abs().mean() < 0.05


def test_openvino_reports_to_nobody() -> None:
    reporting: Any = import_module(
        "openvino.tools.ovc.telemetry_utils"
    )  # after openvino_quietly, as serving does
    assert reporting.tm.__name__ == "openvino.tools.ovc.telemetry_stub"


@pytest.mark.models
@pytest.mark.timeout(600)
def test_the_real_model_stays_within_the_stated_distance(tmp_path: Path) -> None:
    source = unpack_model(ROOT / "var" / "models", lambda *_: None)
    model, tokenizer = load_base(source, None, torch.float32)
    certificate = AdapterManifest("none", NAME, None, "lora", "2026-11-24T00:00:00+00:00")
    whole = Whole(model.requires_grad_(requires_grad=False), tokenizer, NAME, None, certificate)
    engine = OpenVinoModel(write_openvino(whole, tmp_path, OPENVINO_INT8), threads=1)._engine
    for text in (
        "巴黎是法国的首都，埃菲尔铁塔在那里。",
        "Paris is the capital of France, and the Eiffel Tower stands there.",
    ):
        ids = tokenizer(text)["input_ids"]
        memory: Any = engine.begin()
        found = torch.from_numpy(memory.logits(ids)).log_softmax(-1)
        expected = expected_log_probabilities(whole, ids)
        written = torch.tensor(ids[1:])[:, None]
        difference = (found[:-1].gather(1, written) - expected[:-1].gather(1, written)).abs().mean()
        assert difference < 0.25
        assert (found.argmax(-1) == expected.argmax(-1)).float().mean() >= 0.8


def test_a_model_with_unknown_layers_is_refused(whole: Whole, tmp_path: Path) -> None:
    config = whole.model.config
    before = config.layer_types
    config.layer_types = ["linear_attention", *before[1:]]
    try:
        with pytest.raises(CompressionError, match="linear_attention"):
            write_openvino(whole, tmp_path / "x", OPENVINO_INT8)
    finally:
        config.layer_types = before
    assert not (tmp_path / "x").exists()


def test_a_missing_or_damaged_export_is_refused(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="is no export"):
        OpenVinoModel(tmp_path)
    for file in exported.iterdir():
        data = file.read_bytes()
        (tmp_path / file.name).write_bytes(data[: len(data) // 2] if file.suffix == ".xml" else data)
    with pytest.raises(GenerationError, match="OpenVINO cannot load"):
        OpenVinoModel(tmp_path)
