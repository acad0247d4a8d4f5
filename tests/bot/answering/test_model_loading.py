"""An adapter on its base: added without a loss, refused where it does not fit, and as its certificate says."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from bot.answering.adapters import AdapterManifest, write_manifest
from bot.answering.local_model import LocalModel
from bot.answering.model_loading import load_base, load_model, merged
from bot.errors import AdapterRefused
from tests.drafting import soon, written
from tests.tiny_model import PROMPTS, SHAPE, write_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def adapter(folder: Path, tmp_path: Path) -> Path:
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    torch.manual_seed(1)
    settings = LoraConfig(r=4, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 asks transformers by an old name
        wrapped: Any = get_peft_model(base, settings)
    wrapped.save_pretrained(tmp_path / "tone-3")
    write_manifest(
        tmp_path / "tone-3",
        AdapterManifest("tone-3", "org/tiny", None, "lora", "2026-11-24T00:00:00Z", shape=SHAPE),
    )
    return tmp_path / "tone-3"


def test_an_adapter_changes_what_is_written_and_is_named(folder: Path, adapter: Path) -> None:
    plain = LocalModel(folder, label="tiny", precision="float32", threads=1)
    adapted = LocalModel(folder, label="tiny", precision="float32", threads=1, adapter=adapter)
    assert adapted.adapter == "tone-3"
    assert (plain.tuned, adapted.tuned) == (False, True)
    assert adapted.shape == SHAPE
    assert written(adapted, PROMPTS[0]) != written(plain, PROMPTS[0])


@pytest.mark.parametrize(("declines_at", "declined"), [(0.0, True), (1.1, False)])
def test_the_certificate_says_when_a_model_declines(
    folder: Path, adapter: Path, declines_at: float, declined: bool
) -> None:
    change_manifest(adapter, declines_at=declines_at)
    model = LocalModel(folder, label="tiny", precision="float32", threads=1, adapter=adapter)
    for prompt in PROMPTS:
        odds = model.source_odds(prompt, deadline=soon())
        assert len(odds) == prompt.passages + 1
        assert sum(odds) == pytest.approx(1.0)
        text = written(model, prompt)
        assert (text == "[0]") == declined
        if not declined:
            assert text.startswith(f"[{1 + max(range(prompt.passages), key=odds[1:].__getitem__)}")


def test_reading_the_source_first_changes_nothing_else(folder: Path, adapter: Path) -> None:
    greedy = LocalModel(folder, label="tiny", precision="float32", threads=1, adapter=adapter)
    change_manifest(adapter, declines_at=1.1)
    reading = LocalModel(folder, label="tiny", precision="float32", threads=1, adapter=adapter)
    for prompt in PROMPTS:
        text = written(greedy, prompt)
        if text.startswith(("[1", "[2")):
            assert written(reading, prompt) == text


def test_an_adapter_of_another_model_is_refused(folder: Path, adapter: Path) -> None:
    with pytest.raises(AdapterRefused, match=r"trained on 'org/tiny', but the model is 'gemma'"):
        LocalModel(folder, label="gemma", adapter=adapter)


def change_manifest(adapter: Path, **changes: Any) -> None:
    path = adapter / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"prompt_version": 1}, "trained for prompt version 1"),
        ({"version": 99}, "version 99"),
        ({"kind": "index"}, "is a 'index'"),
        ({"shape": {"colour": "red"}}, "cannot be read"),
        ({"shape": None}, "cannot be read"),
    ],
)
def test_an_adapter_that_does_not_fit_this_kefu_is_refused(
    folder: Path, adapter: Path, changes: dict[str, Any], reason: str
) -> None:
    change_manifest(adapter, **changes)
    with pytest.raises(AdapterRefused, match=reason):
        LocalModel(folder, label="tiny", adapter=adapter)


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_an_adapter_without_a_readable_manifest_is_refused(folder: Path, adapter: Path, content: str) -> None:
    (adapter / "manifest.json").write_text(content)
    with pytest.raises(AdapterRefused, match=r"manifest\.json cannot be read"):
        LocalModel(folder, label="tiny", adapter=adapter)


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json"])
def test_an_adapter_whose_files_are_changed_or_missing_is_refused(
    folder: Path, adapter: Path, name: str
) -> None:
    path = adapter / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(AdapterRefused, match="is not the file that its manifest was written for"):
        LocalModel(folder, label="tiny", adapter=adapter)
    path.unlink()
    with pytest.raises(AdapterRefused, match="is missing"):
        LocalModel(folder, label="tiny", adapter=adapter)


def test_what_the_search_thinks_counts_when_a_passage_is_chosen(folder: Path, adapter: Path) -> None:
    change_manifest(adapter, declines_at=1.1)
    model = LocalModel(folder, label="tiny", precision="float32", threads=1, adapter=adapter)
    prompt = next(prompt for prompt in PROMPTS if prompt.passages > 1)
    for number in range(1, prompt.passages + 1):
        chances = tuple(1.0 if place == number else 1e-9 for place in range(1, prompt.passages + 1))
        assert written(model, replace(prompt, chances=chances)).startswith(f"[{number}")
    change_manifest(adapter, declines_at=0.0)
    declining = LocalModel(folder, label="tiny", precision="float32", threads=1, adapter=adapter)
    assert written(declining, replace(prompt, chances=(1.0,) * prompt.passages)) == "[0]"


def test_the_certificate_says_whether_it_writes(folder: Path, adapter: Path) -> None:
    change_manifest(adapter, writes=False)
    assert not LocalModel(folder, label="tiny", precision="float32", threads=1, adapter=adapter).writes
    assert LocalModel(folder, label="tiny", precision="float32", threads=1).writes


def test_an_adapter_is_added_in_float32_before_anything_is_rounded(folder: Path, adapter: Path) -> None:
    found = load_model(folder, label="tiny", adapter=adapter, precision="bfloat16").model.state_dict()
    base, _ = load_base(folder, None, torch.float32)
    expected = merged(base, adapter).to(torch.bfloat16).state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
