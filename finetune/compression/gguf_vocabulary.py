"""Writes a Hugging Face tokenizer into a GGUF file: llama.cpp's two kinds, with pieces and scores or with merges.

llama.cpp's "llama" tokenizer joins the two neighbours whose joined piece has the highest score; a Hugging Face one of
the same kind (BPE on characters with ▁ for a space, bytes for what it does not know) joins the pair whose merge comes
first. So a piece's score is minus the place of the first merge that makes it. Byte-level BPE is stored as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gguf import GGUFWriter, TokenType
from transformers import PreTrainedTokenizerBase

from finetune.errors import CompressionError

_UNMERGED = -1000.0  # score of a piece that no merge makes: special tokens and single characters


def add_vocabulary(writer: GGUFWriter, tokenizer: PreTrainedTokenizerBase, size: int) -> None:
    """Add the tokenizer's metadata to a file that is being written.

    Args:
        writer: of the file.
        tokenizer: a BPE tokenizer.
        size: rows of the embedding; pieces that the tokenizer lacks are filled up as unused.

    Raises:
        CompressionError: the tokenizer is of a kind that this does not know.
    """
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    model = content["model"]
    if model["type"] != "BPE":
        raise CompressionError(
            f"The tokenizer is of type {model['type']!r}; only BPE can be written to GGUF. Serve this model with torch."
        )
    pieces, kinds = _pieces(
        model["vocab"], content["added_tokens"], size, by_character=model["byte_fallback"]
    )
    if model["byte_fallback"]:
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_scores(_scores(pieces, model["merges"]))
        writer.add_add_space_prefix(value=False)
    else:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("default")
        writer.add_token_merges([" ".join(_pair(merge)) for merge in model["merges"]])
    writer.add_token_list(pieces)
    writer.add_token_types(kinds)
    _add_special(writer, tokenizer)


def _pieces(
    vocabulary: Mapping[str, int], added: Sequence[Mapping[str, Any]], size: int, *, by_character: bool
) -> tuple[list[str], list[int]]:
    """Every piece by its number, and what kind llama.cpp takes it for."""
    pieces = [f"<unused_{number}>" for number in range(size)]
    kinds = [int(TokenType.UNUSED)] * size
    for piece, number in vocabulary.items():
        pieces[number] = piece
        is_byte = by_character and len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">")
        kinds[number] = int(TokenType.BYTE if is_byte else TokenType.NORMAL)
    for token in added:
        pieces[token["id"]] = token["content"]
        kinds[token["id"]] = int(TokenType.CONTROL if token["special"] else TokenType.USER_DEFINED)
    return pieces, kinds


def _scores(pieces: Sequence[str], merges: Sequence[Any]) -> list[float]:
    first: dict[str, int] = {}
    for place, merge in enumerate(merges):
        first.setdefault("".join(_pair(merge)), place)
    return [-float(first[piece]) if piece in first else _UNMERGED for piece in pieces]


def _pair(merge: Any) -> tuple[str, str]:
    """The two halves of a merge, which tokenizers store as a list, or as a string in older files."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _add_special(writer: GGUFWriter, tokenizer: PreTrainedTokenizerBase) -> None:
    for number, add in (
        (tokenizer.bos_token_id, writer.add_bos_token_id),
        (tokenizer.eos_token_id, writer.add_eos_token_id),
        (tokenizer.unk_token_id, writer.add_unk_token_id),
        (tokenizer.pad_token_id, writer.add_pad_token_id),
    ):
        if number is not None:
            add(number)
    starts = tokenizer("x")["input_ids"][:1] == [tokenizer.bos_token_id]
    writer.add_add_bos_token(value=starts)
    writer.add_add_eos_token(value=False)
    if isinstance(tokenizer.chat_template, str):
        writer.add_chat_template(tokenizer.chat_template)
