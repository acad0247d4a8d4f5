"""Tests of the encoder that remembers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.vector_cache import CachedEncoder
from tests.fake_encoder import FakeEncoder


def test_a_text_is_encoded_once_for_each_purpose() -> None:
    fake = FakeEncoder()
    cached = CachedEncoder(fake)
    first = cached.encode_queries(["退货", "refund", "退货"])
    second = cached.encode_queries(["refund"])
    cached.encode_passages(["refund"])
    assert fake.encoded == ["退货", "refund", "refund"]
    np.testing.assert_array_equal(first[1], second[0])
    np.testing.assert_array_equal(first[0], first[2])
    assert (cached.encoded, cached.reused) == (3, 2)


def test_vectors_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "v" / "cache.safetensors"
    cached = CachedEncoder(FakeEncoder(), path)
    vectors = cached.encode_passages(["退货", "refund"])
    cached.save()
    again = FakeEncoder()
    np.testing.assert_array_equal(
        CachedEncoder(again, path).encode_passages(["refund", "退货"]), vectors[::-1]
    )
    assert again.encoded == []


def test_what_is_not_asked_for_any_more_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "cache.safetensors"
    first = CachedEncoder(FakeEncoder(), path)
    first.encode_queries(["old", "kept"])
    first.save()
    second = CachedEncoder(FakeEncoder(), path)
    second.encode_queries(["kept"])
    second.save()
    third = FakeEncoder()
    CachedEncoder(third, path).encode_queries(["kept", "old"])
    assert third.encoded == ["old"]


@pytest.mark.parametrize("other", [FakeEncoder(name="fake@2"), FakeEncoder(dimension=8)])
def test_vectors_of_another_encoder_are_not_used(tmp_path: Path, other: FakeEncoder) -> None:
    path = tmp_path / "cache.safetensors"
    cached = CachedEncoder(FakeEncoder(), path)
    cached.encode_queries(["a"])
    cached.save()
    assert CachedEncoder(other, path).encode_queries(["a"]).shape == (1, other.dimension)
    assert other.encoded == ["a"]


@pytest.mark.parametrize("content", [b"", b"junk", b"\x80\x02pickle"])
def test_a_damaged_cache_is_ignored(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cache.safetensors"
    path.write_bytes(content)
    fake = FakeEncoder()
    cached = CachedEncoder(fake, path)
    cached.encode_queries(["a"])
    cached.save()
    assert fake.encoded == ["a"]
    again = FakeEncoder()
    CachedEncoder(again, path).encode_queries(["a"])
    assert again.encoded == []


def test_nothing_asked_gives_nothing() -> None:
    assert CachedEncoder(FakeEncoder(dimension=8)).encode_queries([]).shape == (0, 8)


def test_odd_characters_are_texts_too() -> None:
    assert CachedEncoder(FakeEncoder(dimension=8)).encode_queries(["\ud800", ""]).shape == (2, 8)
