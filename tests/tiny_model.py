"""A Gemma 3 small enough for unit tests, with all that makes the real one hard: sliding windows, shared heads."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedTokenizerFast

from bot.answering.generator import PromptShape
from bot.answering.prompt import PromptPassage, render, render_training
from bot.conversation import Language

ANSWERS = [
    "满 99 元包邮，不满 99 元收 8 元。",
    "Delivery is free from ¥99 per order.",
    "Below that it costs ¥8. 𠮷🙂",
]
SOURCES = [1, 1, 2]
TEXTS = [
    "满 99 元包邮，不满 99 元收 8 元。",
    "Delivery is free from ¥99 per order; below that it costs ¥8.",
] * 3
ASKED: list[tuple[Language, list[PromptPassage], tuple[()], str]] = [
    (Language.ZH, [PromptPassage(1, "运费", TEXTS[0])], (), "运费多少"),
    (Language.EN, [PromptPassage(1, "Fees", TEXTS[1])], (), "how much is delivery?"),
    (
        Language.ZH,
        [PromptPassage(1, "Fees", TEXTS[1]), PromptPassage(2, "运费", TEXTS[0])],
        (),
        "fees 是多少",
    ),
]
SHAPE = PromptShape(examples=1)
PROMPTS = [render(*arguments, shape=SHAPE) for arguments in ASKED]


def write_model(folder: Path, *, learned: bool = True) -> Path:
    """A Gemma 3 of 3 layers with a window of 16 tokens that has learned three answers, as a Hugging Face folder."""
    return shutil.copytree(_made(learned=learned), folder, dirs_exist_ok=True)


@cache
def _made(*, learned: bool) -> Path:
    """The folder that others are copies of: to learn takes seconds, and comes to the same each time."""
    folder = Path(tempfile.mkdtemp(prefix="kefu-tiny-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    )
    tokenizer.add_tokens(
        [AddedToken(marker, normalized=False) for marker in ("<start_of_turn>", "<end_of_turn>")]
    )
    tokenizer.add_special_tokens(["<eos>"])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>")
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        query_pre_attn_scalar=16,
        sliding_window=16,
        layer_types=["sliding_attention", "sliding_attention", "full_attention"],
        max_position_embeddings=4096,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.eos_token_id,
        bos_token_id=None,
    )
    model = Gemma3ForCausalLM(config)
    if learned:
        learn(model, fast)
    model.save_pretrained(folder)
    return folder


def learn(model: Gemma3ForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Teach it the answers, with loss where the renderer says."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(60):
        for arguments, answer, source in zip(ASKED, ANSWERS, SOURCES, strict=True):
            trained = render_training(*arguments, answer, source, shape=SHAPE)
            ((start, _),) = trained.loss_spans
            encoded = tokenizer(trained.text, return_offsets_mapping=True)
            ids = torch.tensor([encoded["input_ids"]])
            learned = [offset[0] >= start for offset in encoded["offset_mapping"]]
            labels = torch.where(torch.tensor([learned]), ids, -100)
            model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
