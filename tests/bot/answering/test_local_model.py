"""Decoding with a tiny model that has all that makes the real one hard: sliding windows, shared heads, a big prompt."""

from __future__ import annotations

import json
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedTokenizerFast

from bot.answering.generator import Prompt
from bot.answering.local_model import LocalModel
from bot.answering.prompt import PromptPassage, PromptShape, render, render_training
from bot.conversation import Language
from bot.errors import GenerationError

ANSWERS = [
    "满 99 元包邮，不满 99 元收 8 元。",
    "Delivery is free from ¥99 per order.",
    "Below that it costs ¥8. 𠮷🙂",
]
TEXTS = [
    "满 99 元包邮，不满 99 元收 8 元。",
    "Delivery is free from ¥99 per order; below that it costs ¥8.",
] * 3
ASKED: list[tuple[Language, list[PromptPassage], tuple[()], str]] = [
    (Language.ZH, [PromptPassage(1, "运费", TEXTS[0])], (), "运费多少"),
    (Language.EN, [PromptPassage(1, "Fees", TEXTS[1])], (), "how much is delivery?"),
    (
        Language.ZH,
        [PromptPassage(1, "Fees", TEXTS[1]), PromptPassage(2, "运费", TEXTS[0])],
        (),
        "fees 是多少",
    ),
]
SHAPE = PromptShape(examples=1)
PROMPTS = [render(*arguments, shape=SHAPE) for arguments in ASKED]


def write_model(folder: Path) -> Path:
    """A Gemma 3 of 3 layers with a window of 16 tokens that has learned three answers, as a Hugging Face folder."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    )
    tokenizer.add_tokens(
        [AddedToken(marker, normalized=False) for marker in ("<start_of_turn>", "<end_of_turn>")]
    )
    tokenizer.add_special_tokens(["<eos>"])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>")
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        query_pre_attn_scalar=16,
        sliding_window=16,
        layer_types=["sliding_attention", "sliding_attention", "full_attention"],
        max_position_embeddings=4096,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.eos_token_id,
        bos_token_id=None,
    )
    model = Gemma3ForCausalLM(config)
    learn(model, fast)
    model.save_pretrained(folder)
    return folder


def learn(model: Gemma3ForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Teach it the answers, with loss where the renderer says."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(40):
        for arguments, answer in zip(ASKED, ANSWERS, strict=True):
            trained = render_training(*arguments, answer, shape=SHAPE)
            ((start, _),) = trained.loss_spans
            encoded = tokenizer(trained.text, return_offsets_mapping=True)
            ids = torch.tensor([encoded["input_ids"]])
            learned = [offset[0] >= start for offset in encoded["offset_mapping"]]
            labels = torch.where(torch.tensor([learned]), ids, -100)
            model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def model(folder: Path) -> LocalModel:
    return LocalModel(folder, precision="float32", threads=1)


def soon(seconds: float = 30.0) -> float:
    return time.monotonic() + seconds


def written(model: LocalModel, prompt: Prompt, most: int = 60) -> str:
    """What it writes, whether it comes to an end or not."""
    text = ""
    try:
        for piece in model.stream(prompt, max_new_tokens=most, deadline=soon()):
            text += piece
    except GenerationError as error:
        assert "repeat" in str(error) or "not finished" in str(error)  # noqa: PT017
    return text


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
    assert expected == ANSWERS[PROMPTS.index(prompt)]
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
    original = LocalModel._step

    def counted(self: LocalModel, *arguments: Any) -> list[int]:
        nonlocal steps
        steps += 1
        return original(self, *arguments)

    monkeypatch.setattr(LocalModel, "_step", counted)
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
    original = LocalModel._step

    def counted(self: LocalModel, tokens: list[int], *arguments: Any) -> list[int]:
        read.append(len(tokens))
        return original(self, tokens, *arguments)

    monkeypatch.setattr(LocalModel, "_step", counted)
    for arguments in ASKED[:2]:
        prompt = render(*arguments)
        read.clear()
        written(model, prompt, most=1)
        assert sum(read) < 200


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
    expected = [written(model, prompt) for prompt in PROMPTS]
    results: dict[int, str] = {}

    def ask(number: int) -> None:
        results[number] = written(model, PROMPTS[number % 3])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == {number: expected[number % 3] for number in range(6)}


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


@pytest.fixture
def adapter(folder: Path, tmp_path: Path) -> Path:
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    torch.manual_seed(1)
    settings = LoraConfig(r=4, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 asks transformers by an old name
        wrapped: Any = get_peft_model(base, settings)
    wrapped.save_pretrained(tmp_path / "tone-3")
    path = tmp_path / "tone-3" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base_model_name_or_path": "org/tiny"}))
    return tmp_path / "tone-3"


def test_an_adapter_changes_what_is_written_and_is_named(folder: Path, adapter: Path) -> None:
    plain = LocalModel(folder, label="tiny", precision="float32", threads=1)
    adapted = LocalModel(folder, label="tiny", precision="float32", threads=1, adapter=adapter)
    assert adapted.adapter == "tone-3"
    assert (plain.tuned, adapted.tuned) == (False, True)
    assert written(adapted, PROMPTS[0]) != written(plain, PROMPTS[0])


def test_an_adapter_of_another_model_is_refused(folder: Path, adapter: Path) -> None:
    with pytest.raises(GenerationError, match=r"trained on 'org/tiny', but the model is 'gemma'"):
        LocalModel(folder, label="gemma", adapter=adapter)


@pytest.mark.parametrize("content", ["{", "[]", "{}", json.dumps({"base_model_name_or_path": None})])
def test_an_adapter_without_a_readable_configuration_is_refused(
    folder: Path, tmp_path: Path, content: str
) -> None:
    (tmp_path / "adapter_config.json").write_text(content)
    with pytest.raises(GenerationError, match=r"adapter|Adapter"):
        LocalModel(folder, label="tiny", adapter=tmp_path)


def test_an_adapter_whose_weights_are_damaged_is_refused(folder: Path, adapter: Path) -> None:
    weights = adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(GenerationError, match="cannot be loaded"):
        LocalModel(folder, label="tiny", adapter=adapter)
