"""An encoder that many ask at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from retrieval.batching import BatchingEncoder
from retrieval.encoder import Vectors
from tests.fake_encoder import FakeEncoder


class SlowEncoder(FakeEncoder):
    """Holds its first call until it is let go; `calls` is its history. Cannot encode "bad"."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[str]] = []
        self.began, self.go = threading.Event(), threading.Event()

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(list(texts))
        if len(self.calls) == 1:
            self.began.set()
            assert self.go.wait(10)
        if "bad" in texts:
            raise ValueError("bad")
        return super().encode_queries(texts)


def _crowd(
    encoder: BatchingEncoder, slow: SlowEncoder, questions: Sequence[str]
) -> list[Vectors | Exception]:
    """The first question gets the model; the others come while it is at work."""

    def ask(question: str) -> Vectors | Exception:
        try:
            return encoder.encode_queries([question])
        except ValueError as error:
            return error

    with ThreadPoolExecutor(len(questions)) as threads:
        first = threads.submit(ask, questions[0])
        assert slow.began.wait(10)
        others = [threads.submit(ask, question) for question in questions[1:]]
        while len(encoder._waiting) < len(others):  # until all of them wait
            time.sleep(0.001)
        slow.go.set()
        return [task.result(10) for task in (first, *others)]


def test_what_waits_together_is_encoded_together_and_each_gets_their_own() -> None:
    slow = SlowEncoder()
    questions = ["运费多少", "how much is postage", "退货", "where is my 订单"]
    found = _crowd(BatchingEncoder(slow), slow, questions)
    assert [len(call) for call in slow.calls] == [1, 3]
    for question, vectors in zip(questions, found, strict=True):
        assert isinstance(vectors, np.ndarray)
        np.testing.assert_array_equal(vectors, FakeEncoder().encode_queries([question]))


def test_a_text_that_cannot_be_encoded_costs_nobody_else_theirs() -> None:
    slow = SlowEncoder()
    found = _crowd(BatchingEncoder(slow), slow, ["one", "two", "bad", "three"])
    assert [isinstance(vectors, ValueError) for vectors in found] == [False, False, True, False]


def test_a_batch_has_an_end() -> None:
    slow = SlowEncoder()
    _crowd(BatchingEncoder(slow), slow, [str(number) for number in range(50)])
    assert [len(call) for call in slow.calls] == [1, 32, 17]


def test_questions_and_passages_are_never_mixed_and_nothing_is_nothing() -> None:
    encoder = BatchingEncoder(FakeEncoder())
    assert encoder.encode_queries([]).shape == (0, encoder.dimension)
    np.testing.assert_array_equal(
        encoder.encode_passages(["a", "b"]), FakeEncoder().encode_passages(["a", "b"])
    )
