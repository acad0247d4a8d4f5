"""A training set is published whole, says how it was made, is checked when it is read, and loads elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from finetune.curation.augment import load_wordings
from finetune.curation.curate import Curated, CurationSettings, curate
from finetune.curation.dataset import Dataset, load_dataset_folder, write_dataset
from finetune.curation.export import export_dataset
from finetune.curation.sources import Input
from finetune.errors import DatasetDamaged, ExportError, NothingToExport
from tests.example_talks import shop_talks, talk, unlike

SETTINGS = CurationSettings(seed=3)
INPUTS = [Input("kefu-log", "ab" * 32, 122)]


@pytest.fixture(scope="module")
def curated() -> Curated:
    extra = [talk("bad", ("你好", "您好"), day=1)]
    for n in range(8):  # enough of each, so that some land in training
        question, day = unlike(801 + 2 * n), 1 + n
        extra += [
            talk(f"up{n}", (question, "请看说明书。"), day=day, customer=f"u{n}", rating=1),
            talk(
                f"down{n}", (f"{question}？", "不知道。"), day=day, customer=f"d{n}", rating=-1, author="bot"
            ),
            talk(
                f"mended{n}",
                (unlike(901 + 2 * n), "请联系维修。"),
                day=day,
                customer=f"m{n}",
                rejected="没办法。",
            ),
        ]
    return curate([*shop_talks(), *extra], SETTINGS, wordings=load_wordings())


@pytest.fixture
def dataset(curated: Curated, tmp_path: Path) -> Dataset:
    return load_dataset_folder(write_dataset(tmp_path / "datasets", curated, SETTINGS, INPUTS))


def test_a_set_comes_back_as_it_was_curated(dataset: Dataset, curated: Curated) -> None:
    assert dataset.train == curated.splits.train
    assert dataset.validation == curated.splits.validation
    assert dataset.test == curated.splits.test
    assert dataset.disliked == curated.disliked
    assert dataset.side("test") == dataset.test


def test_the_manifest_says_how_the_set_was_made(dataset: Dataset) -> None:
    manifest = dataset.manifest
    assert (manifest["kind"], manifest["schema"], manifest["seed"]) == ("kefu-dataset", 1, 3)
    assert manifest["inputs"] == [{"name": "kefu-log", "sha256": "ab" * 32, "conversations": 122}]
    assert manifest["settings"]["near_duplicate"] == 0.7
    assert {"step": "nothing asked", "reason": "the question asks nothing", "count": 1} in manifest["dropped"]
    assert manifest["steps"][0]["before"] == 120 + 1 + 8 * 3
    counts = manifest["counts"]["train"]
    assert counts["exchanges"] == sum(map(len, (c.selected for c in dataset.train)))
    assert counts["variants"] == manifest["augmented"] > 0
    assert set(counts["by_language"]) <= {"zh", "zh-Hant", "en"}
    assert manifest["counts"]["test"]["first"] >= manifest["counts"]["validation"]["last"]
    assert set(manifest["files"]) == {
        f"{n}.jsonl" for n in ("train", "validation", "test", "disliked", "dropped")
    }
    assert {"kefu", "python", "datasketch"} <= set(manifest["versions"])


def test_what_was_dropped_has_a_line_with_its_reason(dataset: Dataset) -> None:
    lines = [json.loads(line) for line in (dataset.folder / "dropped.jsonl").read_text("utf-8").splitlines()]
    assert {
        "step": "nothing asked",
        "conversation": "bad",
        "exchange": "bad-1",
        "reason": "the question asks nothing",
    } in lines


def test_the_same_seed_writes_the_same_bytes(curated: Curated, tmp_path: Path) -> None:
    one, other = (write_dataset(tmp_path / name, curated, SETTINGS, INPUTS) for name in ("a", "b"))
    for name in ("train", "validation", "test", "disliked", "dropped"):
        assert (one / f"{name}.jsonl").read_bytes() == (other / f"{name}.jsonl").read_bytes()


def test_older_sets_stay_and_the_latest_is_found(curated: Curated, tmp_path: Path) -> None:
    folders = [write_dataset(tmp_path, curated, SETTINGS, INPUTS) for _ in range(4)]
    assert all(folder.is_dir() for folder in folders)
    assert load_dataset_folder(tmp_path).id == folders[-1].name


@pytest.mark.parametrize("harm", ["change", "cut", "remove"])
def test_a_damaged_set_is_refused(dataset: Dataset, harm: str) -> None:
    path = dataset.folder / "test.jsonl"
    if harm == "change":
        path.write_bytes(path.read_bytes().replace(b"?", b"!").replace(b"about", b"aboot"))
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:-10])
    else:
        path.unlink()
    with pytest.raises(DatasetDamaged, match=r"test\.jsonl"):
        load_dataset_folder(dataset.folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"schema": 2}, "version 2"), ({"kind": "index"}, "'index'"), ({"schema": "x"}, "kefu-dataset")],
)
def test_a_set_of_another_kind_or_a_newer_kefu_is_refused(
    dataset: Dataset, change: dict[str, Any], said: str
) -> None:
    path = dataset.folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **change}), "utf-8")
    with pytest.raises(DatasetDamaged, match=said):
        load_dataset_folder(dataset.folder)


def test_no_set_is_an_error_that_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(DatasetDamaged, match="kefu curate"):
        load_dataset_folder(tmp_path)


def test_a_side_is_exported_in_every_shape(dataset: Dataset, tmp_path: Path) -> None:
    rows = {}
    for kind in ("messages", "prompt-completion", "sharegpt", "alpaca", "dpo", "kto"):
        report = export_dataset(dataset, tmp_path / f"{kind}.jsonl", format=kind)  # type: ignore[arg-type]
        rows[kind] = [json.loads(line) for line in report.path.read_text("utf-8").splitlines()]
        manifest = json.loads(report.manifest.read_text("utf-8"))
        assert (manifest["dataset"], manifest["side"], manifest["format"]) == (dataset.id, "train", kind)
    learned = sum(len(conversation.selected) for conversation in dataset.train)
    assert [len(rows[kind]) for kind in ("prompt-completion", "alpaca")] == [learned, learned]
    assert len(rows["messages"]) == len(rows["sharegpt"]) == len(dataset.train)
    pairs = {(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in rows["dpo"]}
    assert pairs == {("请看说明书。", "不知道。"), ("请联系维修。", "没办法。")}
    assert ("不知道。", False) in {(row["completion"][0]["content"], row["label"]) for row in rows["kto"]}


def test_a_side_without_votes_has_no_preferences(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(NothingToExport, match="dpo"):
        export_dataset(dataset, tmp_path / "x.jsonl", side="test", format="dpo")
    with pytest.raises(NothingToExport, match="validation"):
        export_dataset(replace(dataset, validation=()), tmp_path / "x.jsonl", side="validation")
    with pytest.raises(ExportError, match="parquet"):
        export_dataset(dataset, tmp_path / "x", format="parquet")  # type: ignore[arg-type]
    assert not list(tmp_path.glob("x*"))


def test_the_datasets_library_loads_every_side(dataset: Dataset, tmp_path: Path) -> None:
    """In a process of its own: the library starts threads, and importing it takes seconds."""
    sides = {
        name: str(dataset.folder / f"{name}.jsonl") for name in ("train", "validation", "test", "disliked")
    }
    script = (
        "import json, sys; from datasets import load_dataset\n"
        "loaded = load_dataset('json', data_files=json.loads(sys.argv[1]), cache_dir=sys.argv[2])\n"
        "print(json.dumps({name: [loaded[name].num_rows, loaded[name][0]['exchanges'][0]['question']] for name in loaded}))"
    )
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(sides), str(tmp_path / "cache")],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = json.loads(done.stdout.splitlines()[-1])
    for name in sides:
        side = dataset.side(name)  # type: ignore[arg-type]
        assert loaded[name] == [len(side), side[0].exchanges[0].question]
