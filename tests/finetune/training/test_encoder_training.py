"""The encoder learns a company's language, and comes out as a folder that `encoder.model` can name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from bot.understanding.intents import TrainingSet
from finetune.errors import TrainingError
from finetune.training.encoder_training import EncoderSettings, train_encoder
from retrieval.sentence_encoder import load_encoder
from tests.tiny_training import tiny_tokenizer

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
    """An untrained sentence-transformers encoder of a few thousand numbers."""
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tiny_tokenizer()),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        pad_token_id=tiny_tokenizer().pad_token_id,
    )
    BertModel(config).save_pretrained(folder / "bert")
    tokenizer = Tokenizer.from_str(tiny_tokenizer().backend_tokenizer.to_str())
    end = tokenizer.token_to_id("<eos>")
    tokenizer.post_processor = TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", end)])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<eos>").save_pretrained(folder / "bert")
    transformer = Transformer(str(folder / "bert"))
    encoder = SentenceTransformer(modules=[transformer, Pooling(16)], device="cpu")
    encoder.save_pretrained(str(folder / "st"), create_model_card=False)
    return folder / "st"


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
    with pytest.raises(TrainingError, match="exists already"):
        train_encoder(source, EXAMPLES, tmp_path)
