"""The ways to train an adapter that benchmarks/training.py compares, each on the same rows and with the same LoRA."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import PreTrainedModel
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from finetune.training.sheets import IGNORED, OneSheet, Row, sheets
from finetune.training.trainer import SheetTrainer

BATCH = 4  # rows, or sheets, of a step
RANK = 16


def adapted(model: PreTrainedModel) -> nn.Module:
    """The same adapter for every way."""
    model.requires_grad_(requires_grad=False)
    config = LoraConfig(r=RANK, lora_alpha=2 * RANK, lora_dropout=0.05, target_modules="all-linear", task_type="CAUSAL_LM")  # fmt: skip
    return get_peft_model(model, config)


def padded(rows: Sequence[Row], length: int, pad: int) -> dict[str, Tensor]:
    """A batch of rows, each `length` tokens long."""
    ids, labels, mask = [], [], []
    for row in rows:
        missing = length - len(row.tokens)
        answer = row.tokens[row.answer_from :]
        ids.append([*row.tokens, *[pad] * missing])
        labels.append([*[IGNORED] * row.answer_from, *answer, *[IGNORED] * missing])
        mask.append([1] * len(row.tokens) + [0] * missing)
    return {
        "input_ids": torch.tensor(ids),
        "labels": torch.tensor(labels),
        "attention_mask": torch.tensor(mask),
    }


def plain(model: PreTrainedModel, rows: Sequence[Row], *, to_maximum: bool) -> float:
    """A loop as tutorials have it: batches that are padded, and the model's own loss. Seconds."""
    wrapped = adapted(model).train()
    optimizer = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], lr=1e-4)
    pad = model.config.get_text_config().pad_token_id or 0
    most = max(len(row.tokens) for row in rows)
    started = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        length = most if to_maximum else max(len(row.tokens) for row in part)
        batch = {name: value.to(model.device) for name, value in padded(part, length, pad).items()}
        wrapped(**batch, use_cache=False).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - started


def config(folder: str, batch: int, accumulated: int, **more: Any) -> SFTConfig:
    """What both trainers are told."""
    return SFTConfig(
        output_dir=folder,
        use_cpu=not torch.cuda.is_available(),
        bf16=False,
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=accumulated,
        num_train_epochs=1,
        learning_rate=1e-4,
        activation_checkpointing=False,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        **more,
    )


def trl(model: PreTrainedModel, tokenizer: Any, rows: Sequence[Row], *, packing: bool) -> float:
    """TRL's own trainer, on the same tokens. Seconds."""
    most = max(1536 if packing else 0, *(len(row.tokens) for row in rows))
    table = Dataset.from_list(
        [
            {
                "input_ids": list(row.tokens),
                "labels": [*[IGNORED] * row.answer_from, *row.tokens[row.answer_from :]],
            }
            for row in rows
        ]
    )
    with tempfile.TemporaryDirectory() as folder:
        more = {"max_length": most, "packing": packing}
        args = config(folder, 1 if packing else BATCH, 1, **more)
        args.remove_unused_columns = True
        trainer = SFTTrainer(model=adapted(model), args=args, train_dataset=table, processing_class=tokenizer)
        return timed(trainer.train)


def on_sheets(model: PreTrainedModel, tokenizer: Any, rows: Sequence[Row]) -> float:
    """Kefu's own way. Seconds."""
    table = Dataset.from_list([sheet.as_features() for sheet in sheets(rows)])
    with tempfile.TemporaryDirectory() as folder:
        args = config(folder, 1, BATCH, max_length=None, dataset_kwargs={"skip_prepare_dataset": True})
        trainer = SheetTrainer(
            model=adapted(model),
            args=args,
            train_dataset=table,
            processing_class=tokenizer,
            data_collator=OneSheet(model.config),
        )
        return timed(trainer.train)


def timed(do: Callable[[], object]) -> float:
    """How many seconds it takes."""
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


WAYS: dict[str, Callable[[PreTrainedModel, Any, Sequence[Row]], float]] = {
    "sheets": on_sheets,
    "plain": lambda model, _, rows: plain(model, rows, to_maximum=False),
    "plain-max": lambda model, _, rows: plain(model, rows, to_maximum=True),
    "trl": lambda model, tokenizer, rows: trl(model, tokenizer, rows, packing=False),
    "trl-packed": lambda model, tokenizer, rows: trl(model, tokenizer, rows, packing=True),
}
TITLES = {
    "sheets": "Kefu: sheets, head on answers",
    "plain": "peft loop, padded to the longest of 4",
    "plain-max": "peft loop, padded to the maximum",
    "trl": "TRL SFTTrainer, batches of 4",
    "trl-packed": "TRL SFTTrainer, packed",
}
