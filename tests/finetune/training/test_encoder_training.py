"""The encoder learns a company's language, and comes out as a folder that `encoder.model` can name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from bot.understanding.intents import TrainingSet
from finetune.errors import TrainingError
from finetune.training.encoder_training import EncoderSettings, train_encoder
from retrieval.sentence_encoder import load_encoder
from tests.tiny_encoder import write_encoder

CLASSES = {
    "fees": ["how much is delivery", "运费多少", "delivery fees?", "收多少运费"],
    "invoice": ["I need an invoice", "开发票", "invoice please", "发票怎么开"],
    "return": ["send it back", "我要退货", "return this", "退货怎么弄"],
}
EXAMPLES = TrainingSet(
    tuple(text for texts in CLASSES.values() for text in texts),
    tuple(label for label, texts in CLASSES.items() for _ in texts),
)
SETTINGS = EncoderSettings(rank=4, learning_rate=2e-2, steps=40)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder"))


def apart(folder: Path) -> float:
    """By how much questions of one class are nearer to each other than to the others."""
    encoder = load_encoder(folder, device="cpu")
    vectors = encoder.encode_queries(EXAMPLES.texts)
    near = vectors @ vectors.T
    same = np.array([[one == other for other in EXAMPLES.labels] for one in EXAMPLES.labels])
    own = same & ~np.eye(len(same), dtype=bool)
    return float(near[own].mean() - near[~same].mean())


def test_questions_of_one_class_move_together_and_others_apart(source: Path, tmp_path: Path) -> None:
    folder = train_encoder(source, EXAMPLES, tmp_path / "ours", settings=SETTINGS)
    assert apart(folder) > apart(source) + 0.03


def test_the_folder_is_an_ordinary_one_of_the_same_shape_without_a_pickle(
    source: Path, tmp_path: Path
) -> None:
    folder = train_encoder(source, EXAMPLES, tmp_path / "ours", settings=EncoderSettings(rank=2, steps=2))
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {"modules.json", "model.safetensors"} <= names
    assert not any(name.endswith((".bin", ".pkl", ".pt", ".pth")) or "adapter" in name for name in names)
    before, after = (SentenceTransformer(str(path), device="cpu").state_dict() for path in (source, folder))
    assert {name: value.shape for name, value in before.items()} == {
        name: value.shape for name, value in after.items()
    }
    assert load_encoder(folder, device="cpu").name != load_encoder(source, device="cpu").name
    assert list(tmp_path.iterdir()) == [folder]


def test_the_same_seed_gives_the_same_encoder(source: Path, tmp_path: Path) -> None:
    names = [
        load_encoder(train_encoder(source, EXAMPLES, tmp_path / str(n) / "e", settings=SETTINGS)).name
        for n in range(2)
    ]
    assert names[0] == names[1]


def test_there_must_be_classes_to_tell_apart(source: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="1 classes have two questions"):
        train_encoder(source, TrainingSet(("a", "b", "c"), ("x", "x", "y")), tmp_path / "e")
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(TrainingError, match="exists already"):
        train_encoder(source, EXAMPLES, tmp_path)


def test_each_step_is_told_with_its_loss_and_an_empty_folder_is_filled(source: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int, float]] = []
    settings = EncoderSettings(rank=2, steps=3)
    folder = tmp_path / "empty"
    folder.mkdir()
    train_encoder(source, EXAMPLES, folder, settings=settings, report=lambda *step: told.append(step))
    assert [(step, steps) for step, steps, _ in told] == [(1, 3), (2, 3), (3, 3)]
    assert all(np.isfinite(loss) and loss > 0 for _, _, loss in told)
    assert load_encoder(folder, device="cpu").dimension == 16


def test_a_training_that_diverges_says_so_and_leaves_nothing(source: Path, tmp_path: Path) -> None:
    wild = EncoderSettings(rank=2, steps=5, learning_rate=float("inf"))
    with pytest.raises(TrainingError, match=r"diverged in step 2.*learning rate below inf"):
        train_encoder(source, EXAMPLES, tmp_path / "e", settings=wild)
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_is_not_there_cannot_be_trained(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be loaded to be trained"):
        train_encoder(tmp_path / "none", EXAMPLES, tmp_path / "e")
