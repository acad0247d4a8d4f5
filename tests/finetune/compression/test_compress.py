"""Promotion's exports: written whole, found by the very adapter they were made of, served by the engine that is set."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from bot.answering.adapters import read_adapter
from bot.answering.exports import MERGED, OPENVINO_16BIT, OPENVINO_INT8, breaks_in_16_bit, find_export
from bot.answering.generator import Generator, Prompt
from bot.answering.local_model import LocalModel
from bot.errors import AdapterRefused, GenerationError
from bot.models import make_generator
from bot.settings import Settings
from finetune.compression import compress
from finetune.compression.compress import GGUF, KINDS, Written, default_kinds, export
from finetune.errors import CompressionError
from tests.tiny_adapters import tiny_settings, write_adapter
from tests.tiny_model import PROMPTS, write_model

LABEL = "tiny"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / LABEL)


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_adapter(tmp_path_factory.mktemp("adapters") / "tone-3", base)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("var") / "exports"


@pytest.fixture(scope="module")
def written(base: Path, adapter: Path, root: Path) -> tuple[Written, ...]:
    return export(adapter, base, root, KINDS)


def drafted(model: Generator, prompt: Prompt) -> str:
    text = ""
    try:
        for piece in model.stream(prompt, max_new_tokens=30, deadline=time.monotonic() + 30):
            text += piece
    except GenerationError as error:
        assert "repeat" in str(error) or "not finished" in str(error)  # noqa: PT017
    return text


def test_every_kind_is_written_and_what_cannot_be_is_said(written: tuple[Written, ...]) -> None:
    by_kind = {each.kind: each for each in written}
    assert list(by_kind) == list(KINDS)
    assert "no Gemma 3 as llama.cpp knows it" in by_kind.pop(GGUF).failure
    for each in by_kind.values():
        assert each.folder is not None
        assert each.failure == ""
        assert each.bytes > 10_000


def test_the_merged_folder_is_served_without_merging_and_writes_the_same(
    written: tuple[Written, ...], base: Path, adapter: Path
) -> None:
    folder = written[0].folder
    assert folder is not None
    before = LocalModel(base, adapter=adapter, precision="bfloat16", threads=1)
    after = LocalModel(folder, precision="bfloat16", threads=1)
    assert (after.name, after.adapter, after.tuned) == (before.name, before.adapter, True)
    assert after.shape == before.shape
    assert [drafted(after, prompt) for prompt in PROMPTS] == [drafted(before, prompt) for prompt in PROMPTS]
    weights = load_file(folder / "model.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.bfloat16}


def test_no_adapter_goes_on_top_of_a_merged_model(written: tuple[Written, ...], adapter: Path) -> None:
    folder = written[0].folder
    assert folder is not None
    with pytest.raises(AdapterRefused, match="holds the adapter 'tone-3' already"):
        LocalModel(folder, adapter=adapter)


def test_an_export_is_found_by_the_adapter_it_was_made_of_and_by_no_other(
    written: tuple[Written, ...], base: Path, adapter: Path, root: Path, tmp_path: Path
) -> None:
    certificate = read_adapter(adapter)
    found = find_export(root, MERGED, certificate, LABEL, None)
    assert found is not None
    assert found.folder == written[0].folder
    assert found.adapter == certificate
    other = read_adapter(write_adapter(tmp_path / "tone-3", base, seed=2))
    assert find_export(root, MERGED, other, LABEL, None) is None
    assert find_export(root, MERGED, certificate, "another", None) is None
    assert find_export(root, MERGED, certificate, LABEL, "other weights") is None
    assert find_export(tmp_path, MERGED, certificate, LABEL, None) is None


def test_a_damaged_export_is_as_good_as_none(base: Path, adapter: Path, tmp_path: Path) -> None:
    (one,) = export(adapter, base, tmp_path, (MERGED,))
    assert one.folder is not None
    (one.folder / "model.safetensors").write_bytes(b"cut")
    assert find_export(tmp_path, MERGED, read_adapter(adapter), LABEL, None) is None


def served(tmp_path: Path, root: Path, base: Path, adapter: Path, **chosen: Any) -> Generator | None:
    settings = tiny_settings(tmp_path, base, adapter=str(adapter), **chosen)
    return make_generator(settings.model_copy(update={"var": root.parent}), lambda *_: None)


@pytest.mark.parametrize(
    ("engine", "in_bfloat16", "breaks", "name"),
    [
        ("auto", True, False, "tiny/openvino-16bit"),
        ("auto", True, True, "tiny/openvino-int8"),
        ("auto", False, False, "tiny/openvino-int8"),
        ("openvino", False, False, "tiny/openvino-int8"),
        ("torch", True, True, "tiny/bfloat16"),
        ("torch", False, False, "tiny/int8"),
    ],
)
def test_setting_and_processor_pick_the_engine(
    engine: str,
    in_bfloat16: bool,
    breaks: bool,
    name: str,
    written: tuple[Written, ...],
    root: Path,
    base: Path,
    adapter: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del written
    for module in ("bot.answering.exports", "bot.answering.model_loading"):
        monkeypatch.setattr(f"{module}.computes_in_bfloat16", lambda: in_bfloat16)
    monkeypatch.setattr("bot.answering.exports.breaks_in_16_bit", lambda _threads: breaks)
    model = served(tmp_path, root, base, adapter, engine=engine)
    assert model is not None
    assert (model.name, model.adapter) == (name, "tone-3")
    assert drafted(model, PROMPTS[0])


def test_what_is_written_by_default_is_what_would_be_served(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_kinds()[0] == MERGED
    assert default_kinds()[1] in KINDS
    monkeypatch.setattr(compress, "_write_openvino", None)
    assert default_kinds() == (MERGED,)


def test_where_openvino_would_die_of_16_bits_they_are_neither_written_nor_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("multiplies_tiles", True), ("computes_in_bfloat16", True), ("cores", 4)):
        monkeypatch.setattr(f"bot.answering.exports.{name}", lambda value=value: value)
    assert [breaks_in_16_bit(threads) for threads in (1, 2)] == [True, False]
    assert [default_kinds(threads)[1] for threads in (1, 2)] == [OPENVINO_INT8, OPENVINO_16BIT]
    monkeypatch.setattr("bot.answering.exports.cores", lambda: 1)
    assert breaks_in_16_bit(2)  # whatever it is told, it has one core
    monkeypatch.setattr("bot.answering.exports.multiplies_tiles", lambda: False)
    assert not breaks_in_16_bit(1)


def test_without_files_for_it_torch_serves_instead_of_openvino(
    base: Path, adapter: Path, tmp_path: Path
) -> None:
    model = served(tmp_path, tmp_path / "exports", base, adapter, engine="openvino")
    assert model is not None
    assert "openvino" not in model.name


@pytest.mark.parametrize("trouble", ["not installed", "damaged", "deadly"])
def test_torch_serves_where_openvino_cannot(
    trouble: str,
    base: Path,
    adapter: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (one,) = export(adapter, base, tmp_path / "exports", (OPENVINO_INT8,))
    assert one.folder is not None
    if trouble == "not installed":
        monkeypatch.setattr("bot.models.OpenVinoModel", None)
    elif trouble == "deadly":  # it takes the process with it that loads it
        dies = (sys.executable, "-c", "import os; os.abort()")
        monkeypatch.setattr("bot.answering.openvino_trial._COMMAND", dies)
    else:
        graph = one.folder / "model.xml"
        graph.write_bytes(b"x" * graph.stat().st_size)
    model = served(tmp_path, tmp_path / "exports", base, adapter)
    assert model is not None
    assert "openvino" not in model.name
    assert model.adapter == "tone-3"


def test_unknown_kinds_and_adapters_that_do_not_fit_are_refused(
    base: Path, adapter: Path, tmp_path: Path
) -> None:
    with pytest.raises(CompressionError, match="no exports"):
        export(adapter, base, tmp_path, ("tflite",))
    with pytest.raises(CompressionError, match="cannot be merged into 'other'"):
        export(adapter, base, tmp_path, (MERGED,), label="other")
    manifest = adapter / "manifest.json"
    before = manifest.read_text()
    manifest.write_text(json.dumps(json.loads(before) | {"method": "prefix"}))
    try:
        with pytest.raises(CompressionError, match="trained as 'prefix'"):
            export(adapter, base, tmp_path, (MERGED,))
    finally:
        manifest.write_text(before)
    assert not list(tmp_path.iterdir())


def test_without_openvino_the_other_kinds_are_written(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compress, "_write_openvino", None)
    merged, graph = export(adapter, base, tmp_path, (MERGED, OPENVINO_INT8))
    assert merged.folder is not None
    assert graph.folder is None
    assert "pip install 'kefu[openvino]'" in graph.failure


@pytest.mark.parametrize("value", ["gpu", ""])
def test_an_unknown_engine_is_no_setting(value: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="engine"):
        Settings(var=tmp_path, model={"engine": value})  # type: ignore[arg-type]
