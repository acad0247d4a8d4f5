"""An untrained sentence-transformers encoder of a few thousand numbers, for tests that train or load one."""

from __future__ import annotations

from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from tests.tiny_training import tiny_tokenizer


def write_encoder(folder: Path) -> Path:
    """Write one below `folder`; the same each time. Returns its own folder."""
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
