"""Texts that were encoded before anybody asked."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from retrieval import prepared_texts
from retrieval.encoder import Vectors
from retrieval.prepared_texts import PreparedTexts
from tests.fake_encoder import FakeEncoder

TEXTS = [f"sentence number {number}" for number in range(10)]


class WatchedEncoder(FakeEncoder):
    """Tells what it was asked for in which order, and can be held up in the middle of its work."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, int]] = []
        self.at_work = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(("question", len(texts)))
        return super().encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(("passages", len(texts)))
        self.at_work.set()
        assert self.go_on.wait(10)
        return super().encode_passages(texts)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared_texts, "_QUIET_SECONDS", 0.05)
    monkeypatch.setattr(prepared_texts, "_LONGEST_WAIT_SECONDS", 10.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "sentences.safetensors"


def in_thread(prepared: PreparedTexts, texts: Sequence[str]) -> threading.Thread:
    thread = threading.Thread(target=prepared.prepare, args=(texts,))
    thread.start()
    return thread


def test_a_prepared_text_is_not_encoded_when_it_is_asked_for(path: Path) -> None:
    fake = FakeEncoder()
    prepared = PreparedTexts(fake, path)
    assert prepared.prepare([*TEXTS, TEXTS[0]]) == len(TEXTS)
    fake.encoded.clear()
    vectors = prepared.encode_passages([TEXTS[3], "something new", TEXTS[1]])
    assert fake.encoded == ["something new"]
    np.testing.assert_array_equal(
        vectors, FakeEncoder().encode_passages([TEXTS[3], "something new", TEXTS[1]])
    )


def test_a_customers_question_is_never_remembered(path: Path) -> None:
    fake = FakeEncoder()
    prepared = PreparedTexts(fake, path)
    prepared.prepare(TEXTS)
    fake.encoded.clear()
    prepared.encode_queries([TEXTS[0]])
    prepared.encode_queries([TEXTS[0]])
    assert fake.encoded == [TEXTS[0]] * 2


def test_a_later_start_has_everything_at_once(path: Path) -> None:
    PreparedTexts(FakeEncoder(), path).prepare(TEXTS)
    fake = FakeEncoder()
    again = PreparedTexts(fake, path)
    assert again.encode_passages(TEXTS).shape == (len(TEXTS), fake.dimension)
    assert again.prepare(TEXTS) == 0
    assert fake.encoded == []


def test_an_edit_encodes_only_what_is_new_and_forgets_what_is_gone(path: Path) -> None:
    PreparedTexts(FakeEncoder(), path).prepare(TEXTS)
    fake = FakeEncoder()
    prepared = PreparedTexts(fake, path)
    assert prepared.prepare([*TEXTS[1:], "edited"]) == 1
    assert fake.encoded == ["edited"]
    prepared.encode_passages([TEXTS[0]])
    assert fake.encoded == ["edited", TEXTS[0]]
    later = FakeEncoder()
    PreparedTexts(later, path).encode_passages(TEXTS)
    assert later.encoded == [TEXTS[0]]


def test_what_an_index_asked_for_meanwhile_is_not_encoded_again(path: Path) -> None:
    fake = FakeEncoder()
    prepared = PreparedTexts(fake, path)
    asked = prepared.encode_passages([*TEXTS[:6], "a passage that is no sentence"])
    fake.encoded.clear()
    assert prepared.prepare(TEXTS) == 4
    assert sorted(fake.encoded) == sorted(TEXTS[6:])
    np.testing.assert_array_equal(prepared.encode_passages(TEXTS[:6]), asked[:6])
    later = FakeEncoder()
    assert PreparedTexts(later, path).prepare(TEXTS) == 0  # they are in the file, too
    assert later.encoded == []


def test_vectors_of_another_encoder_are_made_anew(path: Path) -> None:
    PreparedTexts(FakeEncoder(), path).prepare(TEXTS)
    assert PreparedTexts(FakeEncoder(name="fake@2"), path).prepare(TEXTS) == len(TEXTS)


def test_a_question_waits_for_a_small_batch_at_most_and_then_has_the_encoder_to_itself(path: Path) -> None:
    encoder = WatchedEncoder()
    prepared = PreparedTexts(encoder, path)
    encoder.go_on.clear()
    thread = in_thread(prepared, TEXTS)
    assert encoder.at_work.wait(10)
    prepared.encode_queries(["what does it cost"])  # (the real encoder would let it in after this batch)
    encoder.go_on.set()
    thread.join(10)
    assert not thread.is_alive()
    sizes = [size for kind, size in encoder.calls if kind == "passages"]
    assert sum(sizes) == len(TEXTS)
    assert max(sizes) <= 4
    assert encoder.calls.index(("question", 1)) == 1


def test_nothing_is_prepared_while_a_customer_is_served(path: Path) -> None:
    encoder = WatchedEncoder()
    prepared = PreparedTexts(encoder, path)
    encoder.go_on.clear()
    customer = threading.Thread(target=prepared.encode_passages, args=(["a passage that is not prepared"],))
    customer.start()
    assert encoder.at_work.wait(10)
    thread = in_thread(prepared, TEXTS)
    thread.join(0.3)
    assert encoder.calls == [("passages", 1)]
    encoder.go_on.set()
    customer.join(10)
    thread.join(10)
    assert sum(size for _, size in encoder.calls) == 1 + len(TEXTS)


def test_a_load_that_never_rests_does_not_stop_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared_texts, "_LONGEST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(prepared_texts, "_QUIET_SECONDS", 1000.0)
    prepared = PreparedTexts(FakeEncoder(), path)
    prepared.encode_queries(["what does it cost"])
    assert prepared.prepare(TEXTS) == len(TEXTS)


def test_closing_ends_it_and_keeps_what_was_done(path: Path) -> None:
    encoder = WatchedEncoder()
    prepared = PreparedTexts(encoder, path)
    encoder.go_on.clear()
    thread = in_thread(prepared, TEXTS)
    assert encoder.at_work.wait(10)
    threading.Timer(0.1, encoder.go_on.set).start()
    prepared.close()
    thread.join(10)
    assert encoder.calls == [("passages", 4)]
    assert PreparedTexts(FakeEncoder(), path).prepare(TEXTS) == len(TEXTS) - 4


def test_what_is_wanted_now_goes_before_what_was_wanted(path: Path) -> None:
    encoder = WatchedEncoder()
    prepared = PreparedTexts(encoder, path)
    encoder.go_on.clear()
    thread = in_thread(prepared, TEXTS)
    assert encoder.at_work.wait(10)
    threading.Timer(0.1, encoder.go_on.set).start()
    assert prepared.prepare(["edited"]) == 1
    thread.join(10)
    assert encoder.calls == [("passages", 4), ("passages", 1)]


def test_a_disk_that_cannot_be_written_costs_nothing_but_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    fake = FakeEncoder()
    prepared = PreparedTexts(fake, tmp_path / "file" / "sentences.safetensors")
    assert prepared.prepare(TEXTS) == len(TEXTS)
    fake.encoded.clear()
    prepared.encode_passages(TEXTS)
    assert fake.encoded == []


def test_nothing_asked_gives_nothing(path: Path) -> None:
    assert PreparedTexts(FakeEncoder(dimension=8), path).encode_passages([]).shape == (0, 8)
