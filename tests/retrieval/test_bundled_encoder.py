"""Tests of unpacking the bundled encoder, on a package file made by hand."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from retrieval import bundled_encoder
from retrieval.bundled_encoder import unpack_encoder
from retrieval.e5_file import dequantize_q4_0, read_layout
from retrieval.errors import EncoderError

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "退", "货", "▁a"]


def test_a_q4_0_block_is_a_scale_and_two_weights_a_byte() -> None:
    packed = [low | (15 - low) << 4 for low in range(16)]  # low nibbles 0…15, high nibbles 15…0
    block = np.frombuffer(struct.pack("<e16B", 0.5, *packed), dtype=np.uint8).reshape(1, 18)
    expected = [(value - 8) * 0.5 for value in (*range(16), *reversed(range(16)))]
    assert dequantize_q4_0(block).tolist() == [expected]


def test_blocks_keep_their_own_scales() -> None:
    blocks = b"".join(struct.pack("<e16B", scale, *[0xF0] * 16) for scale in (1.0, -2.0))
    weights = dequantize_q4_0(np.frombuffer(blocks, dtype=np.uint8).reshape(2, 18))
    assert weights[0].tolist() == [-8.0] * 16 + [7.0] * 16
    assert weights[1].tolist() == [16.0] * 16 + [-14.0] * 16


def package_file() -> bytes:
    """A file like the package's, of a model with one layer and eight pieces."""
    hidden, wide = 32, 64
    blob = "".join(PIECES).encode()
    offsets = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)])
    data = b"E5S1" + struct.pack("<I7ifi5i", 1, hidden, 1, 2, wide, 8, 16, 2, 1e-12, 32, 8, 0, 2, 1, 3)
    data += (
        struct.pack("<Q", len(blob))
        + offsets.astype("<u4").tobytes()
        + np.full(8, -1, "<f4").tobytes()
        + blob
    )
    data += struct.pack("<ii", 1, 9) + b"\0" * 9
    shapes = {
        "emb.word": 8 * hidden,
        "emb.pos": 16 * hidden,
        "emb.type": 2 * hidden,
        "emb.ln.w": hidden,
        "emb.ln.b": hidden,
    }
    for part in ("q", "k", "v", "ao"):
        shapes |= {f"l0.{part}.w": hidden * hidden, f"l0.{part}.b": hidden}
    shapes |= {"l0.fi.w": hidden * wide, "l0.fi.b": wide, "l0.fo.w": hidden * wide, "l0.fo.b": hidden}
    shapes |= {f"l0.{norm}.{kind}": hidden for norm in ("aln", "oln") for kind in "wb"}
    quantized = {name for name in shapes if name.endswith(".w") and "ln" not in name} | {"emb.word"}
    sizes = {name: count // 32 * 18 if name in quantized else count * 4 for name, count in shapes.items()}
    start = len(data) + 4 + sum(2 + len(name) + 1 + 4 + 8 + 8 for name in shapes)
    directory, body = struct.pack("<i", len(shapes)), b""
    for name, count in shapes.items():
        directory += struct.pack(
            f"<H{len(name)}sBIQQ", len(name), name.encode(), 0, count, start + len(body), sizes[name]
        )
        body += b"\x11" * sizes[name]
    return data + directory + body


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "e5.bin"
    path.write_bytes(package_file())
    monkeypatch.setattr(bundled_encoder, "_source", lambda: path)
    return path


def test_the_layout_is_read_in_order(package: Path) -> None:
    header, pieces, directory = read_layout(np.fromfile(package, dtype=np.uint8))
    assert (header.hidden, header.layers, header.heads, header.feed_forward, header.positions) == (
        32,
        1,
        2,
        64,
        16,
    )
    assert [piece for piece, _ in pieces] == PIECES
    assert len(directory) == 21


def test_the_encoder_becomes_a_sentence_transformers_folder(package: Path, tmp_path: Path) -> None:
    assert package.exists()
    seen: list[tuple[str, int, int]] = []
    folder = unpack_encoder(tmp_path / "models", lambda *step: seen.append(step))
    weights = load_file(folder / "model.safetensors")
    assert weights["encoder.layer.0.intermediate.dense.weight"].shape == (64, 32)
    assert weights["encoder.layer.0.output.dense.weight"].shape == (32, 64)
    assert weights["embeddings.word_embeddings.weight"].shape == (8, 32)
    assert weights["encoder.layer.0.attention.output.LayerNorm.bias"].shape == (32,)
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"] == "bert"
    tokens = Tokenizer.from_file(str(folder / "tokenizer.json")).encode("退貨退货").tokens
    assert (tokens[0], tokens[-1]) == ("<s>", "</s>")
    assert seen[-1][1] == seen[-1][2]


def test_a_second_unpacking_does_nothing(package: Path, tmp_path: Path) -> None:
    assert package.exists()
    first = unpack_encoder(tmp_path / "models", lambda *_: None)
    assert unpack_encoder(tmp_path / "models", lambda *_: pytest.fail("unpacked again")) == first


def test_a_folder_cut_short_is_unpacked_again(package: Path, tmp_path: Path) -> None:
    assert package.exists()
    first = unpack_encoder(tmp_path / "models", lambda *_: None)
    (first / "model.safetensors").write_bytes(b"short")
    second = unpack_encoder(tmp_path / "models", lambda *_: None)
    assert second != first
    load_file(second / "model.safetensors")


@pytest.mark.parametrize(
    "damage", [lambda data: b"JUNK" + data[4:], lambda data: data[: len(data) // 2], lambda _: b""]
)
def test_a_damaged_package_is_refused_and_leaves_nothing(package: Path, tmp_path: Path, damage: Any) -> None:
    package.write_bytes(damage(package.read_bytes()))
    with pytest.raises(EncoderError, match="force-reinstall"):
        unpack_encoder(tmp_path / "models", lambda *_: None)
    assert not list((tmp_path / "models").rglob("*.safetensors"))
