"""Decoding with a tiny model that has all that makes the real one hard: sliding windows, shared heads, a big prompt."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from bot.answering.generator import Prompt
from bot.answering.greedy import GreedyDecoder
from bot.answering.local_model import LocalModel
from bot.answering.prompt import render
from bot.answering.torch_engine import TorchMemory
from bot.errors import GenerationError
from tests.drafting import assert_threads_get_what_one_gets, soon, written
from tests.tiny_model import ANSWERS, ASKED, PROMPTS, SOURCES, write_model

EXPECTED = [f"[{source}] {answer}" for source, answer in zip(SOURCES, ANSWERS, strict=True)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def model(folder: Path) -> LocalModel:
    return LocalModel(folder, precision="float32", threads=1)


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize(
    "options",
    [{"guessed": 0}, {"keep_prefixes": False}, {}, {"guessed": 1}, {"guessed": 12}],
    ids=["prefix kept", "guessing", "both", "one guessed", "many guessed"],
)
def test_every_way_of_decoding_writes_what_the_library_writes(
    folder: Path, prompt: Prompt, options: dict[str, Any]
) -> None:
    plain = LocalModel(folder, precision="float32", threads=1, guessed=0, keep_prefixes=False)
    fast = LocalModel(folder, precision="float32", threads=1, **options)
    expected = written(plain, prompt)
    assert expected == EXPECTED[PROMPTS.index(prompt)]
    assert written(fast, prompt) == expected
    assert written(fast, prompt) == expected  # now from the kept prefix
    assert generated(folder, prompt).strip() == f"{expected}<end_of_turn>"


def generated(folder: Path, prompt: Prompt) -> str:
    """What `transformers.generate` writes."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = tokenizer(prompt.fixed + prompt.variable, return_tensors="pt")
    ids.pop("token_type_ids", None)
    out = model.generate(**ids, max_new_tokens=60, do_sample=False)
    text = str(tokenizer.decode(out[0][ids["input_ids"].shape[1] :], skip_special_tokens=True))
    return text[: text.find("<end_of_turn>") + len("<end_of_turn>")]


def test_guessing_saves_steps(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 0
    original = GreedyDecoder._step

    def counted(self: GreedyDecoder, *arguments: Any) -> list[int]:
        nonlocal steps
        steps += 1
        return original(self, *arguments)

    monkeypatch.setattr(GreedyDecoder, "_step", counted)
    counts = []
    for guessed in (0, 5):
        model = LocalModel(folder, precision="float32", threads=1, guessed=guessed)
        written(model, PROMPTS[0])
        steps = 0
        written(model, PROMPTS[0])
        counts.append(steps)
    assert counts[1] <= counts[0]


def test_the_fixed_part_is_computed_once_a_language(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.warm_up()
    read: list[int] = []
    original = TorchMemory._run

    def counted(self: TorchMemory, network: Any, tokens: list[int], **more: int) -> Any:
        read.append(len(tokens))
        return original(self, network, tokens, **more)

    monkeypatch.setattr(TorchMemory, "_run", counted)
    for arguments in ASKED[:2]:
        prompt = render(*arguments)
        read.clear()
        written(model, prompt, most=1)
        assert 0 < sum(read) < 200


def test_the_vocabulary_is_multiplied_by_rows_that_torch_need_not_copy_it_for(model: LocalModel) -> None:
    seen: list[tuple[torch.Size, tuple[int, ...]]] = []
    head: Any = model._loaded.model.get_output_embeddings()  # type: ignore[no-untyped-call]
    head.register_forward_hook(lambda _, given, __: seen.append((given[0].shape, given[0].stride())))
    memory = model._engine.begin()
    memory.read([1, 2, 3, 4])
    assert not seen, "reading needs no vocabulary"
    memory.choose([5, 6, 7], 1)
    memory.choose([8, 9], 2)
    assert [shape[1] for shape, _ in seen] == [1, 2]
    assert all(stride == torch.empty(shape).stride() for shape, stride in seen)


def test_a_deadline_stops_it_between_two_tokens(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    pieces = model.stream(PROMPTS[0], max_new_tokens=60, deadline=10.0)
    next(pieces)
    clock[0] = 11.0
    with pytest.raises(GenerationError, match="ran out of time after"):
        list(pieces)


def test_no_time_at_all_writes_nothing(model: LocalModel) -> None:
    with pytest.raises(GenerationError, match="out of time"):
        list(model.stream(PROMPTS[0], max_new_tokens=10, deadline=time.monotonic() - 1))


def test_a_reader_who_leaves_frees_the_model(model: LocalModel) -> None:
    pieces = model.stream(PROMPTS[0], max_new_tokens=60, deadline=soon())
    next(pieces)
    with pytest.raises(GenerationError, match="busy"):
        list(model.stream(PROMPTS[1], max_new_tokens=5, deadline=soon(0.1)))
    pieces.close()  # type: ignore[attr-defined]
    assert written(model, PROMPTS[1])


def test_several_threads_get_what_one_gets(model: LocalModel) -> None:
    assert_threads_get_what_one_gets(model)


def test_an_answer_that_is_not_finished_says_so(model: LocalModel) -> None:
    with pytest.raises(GenerationError, match="not finished after 3 tokens"):
        list(model.stream(PROMPTS[0], max_new_tokens=3, deadline=soon()))


def test_torchs_own_threads_are_left_as_they_were(folder: Path) -> None:
    before = torch.get_num_threads()
    model = LocalModel(folder, precision="float32", threads=before + 1)
    pieces = model.stream(PROMPTS[0], max_new_tokens=10, deadline=soon())
    next(pieces)
    assert torch.get_num_threads() == before
    assert not torch.is_inference_mode_enabled()
    pieces.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("precision", ["int8", "bfloat16"])
def test_other_arithmetics_write_too_and_are_named(folder: Path, precision: Any) -> None:
    model = LocalModel(folder, precision=precision, threads=1, label="tiny")
    assert model.name == f"tiny/{precision}"
    assert model.adapter is None
    assert written(model, PROMPTS[0])


def test_a_missing_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match=r"model\.model"):
        LocalModel(tmp_path)


def test_a_model_whose_files_are_cut_short_is_refused(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        data = file.read_bytes()
        (tmp_path / file.name).write_bytes(data[: len(data) // 2] if file.suffix == ".safetensors" else data)
    with pytest.raises(GenerationError, match="cannot be loaded"):
        LocalModel(tmp_path)
