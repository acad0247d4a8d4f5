"""The trainer's arithmetic: what a step and a validation come to is what the examples say by themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from torch import nn
from trl.trainer.sft_config import SFTConfig

from finetune.errors import TrainingError
from finetune.training.adapting import adapted
from finetune.training.arguments import steps_of, trainer_arguments
from finetune.training.rows import tokenized
from finetune.training.sheets import OneSheet, Row, apart, sheets
from finetune.training.trainer import SheetTrainer
from tests.tiny_training import SETTINGS, Kind, tiny_base, tiny_examples

PLAIN = replace(SETTINGS, dropout=0.0, sheets=2, weight_decay=0.0)


def rows() -> list[Row]:
    found = tokenized(tiny_base().tokenizer, tiny_examples(13), PLAIN.shape).rows
    return list(found)


def trainer_on(folder: Path, kind: Kind = "gemma", method: Any = "lora") -> SheetTrainer:
    base = tiny_base(kind)
    table = Dataset.from_list([sheet.as_features() for sheet in sheets(rows(), most_tokens=500)])
    settings = replace(PLAIN, method=method)
    args = trainer_arguments(
        SFTConfig,
        folder / "a",
        settings,
        4,
        validated=True,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    return SheetTrainer(
        model=adapted(base, settings, 4, None),
        args=args,
        train_dataset=table,
        eval_dataset=table,
        processing_class=base.tokenizer,
        data_collator=OneSheet(base.model.config),
    )


def answers_of(model: nn.Module) -> tuple[float, int]:
    """Loss and count of all answers, each example by itself."""
    total, count = 0.0, 0
    for row in rows():
        tokens = torch.tensor([row.tokens])
        with torch.no_grad():
            logits = model(input_ids=tokens, use_cache=False).logits[0, row.answer_from - 1 : -1]
        total += float(nn.functional.cross_entropy(logits, tokens[0, row.answer_from :], reduction="sum"))
        count += len(logits)
    return total, count


@pytest.mark.parametrize("kind", ["gemma", "llama"])
def test_the_validation_loss_is_the_mean_over_answers_tokens_not_over_sheets(
    kind: Kind, tmp_path: Path
) -> None:
    trainer = trainer_on(tmp_path, kind)
    sizes = [sum(label >= 0 for label in labels) for labels in trainer.eval_dataset["labels"]]
    assert len(set(sizes)) > 1
    total, count = answers_of(trainer.model.eval())
    found = trainer.evaluate()
    assert found["eval_loss"] == pytest.approx(total / count, rel=1e-5)
    assert 0 <= found["eval_mean_token_accuracy"] <= 1


def test_a_steps_loss_is_the_mean_over_all_its_tokens(tmp_path: Path) -> None:
    trainer = trainer_on(tmp_path)
    model = trainer.model.eval()
    batches = [trainer.data_collator([row]) for row in trainer.train_dataset]
    count = sum(int((batch["labels"] >= 0).sum()) for batch in batches)
    parts = [trainer.compute_loss(model, batch, num_items_in_batch=count) for batch in batches]
    total, answers = answers_of(model)
    assert count == answers
    assert float(sum(part.detach() for part in parts)) == pytest.approx(total / count, rel=1e-5)


def test_the_tokens_that_name_the_passage_weigh_as_much_as_asked(tmp_path: Path) -> None:
    trainer = trainer_on(tmp_path)
    model = trainer.model.eval()
    marked = rows()[0].marked
    assert marked > 0
    losses = []
    for decision in (1.0, 4.0):
        batch = trainer.data_collator([apart(rows()[:1])[0].as_features(decision)])
        losses.append(float(trainer.compute_loss(model, batch, num_items_in_batch=1).detach()))
    row = rows()[0]
    tokens = torch.tensor([row.tokens])
    with torch.no_grad():
        logits = model(input_ids=tokens, use_cache=False).logits[0, row.answer_from - 1 :][:marked]
    decided = nn.functional.cross_entropy(logits, tokens[0, row.answer_from :][:marked], reduction="sum")
    assert losses[1] - losses[0] == pytest.approx(3 * float(decided), rel=1e-4)


def test_adalora_keeps_its_matrices_orthogonal(tmp_path: Path) -> None:
    trainer = trainer_on(tmp_path, method="adalora")
    plain = trainer_on(tmp_path / "plain")
    losses = []
    for each in (trainer, plain):
        each.current_gradient_accumulation_steps = 1
        batch = each.data_collator([each.train_dataset[0]])
        losses.append(float(each.compute_loss(each.model.eval(), batch, num_items_in_batch=100).detach()))
    assert losses[0] > losses[1] + 0.1


def test_the_learning_rate_rises_and_falls_as_a_cosine(tmp_path: Path) -> None:
    trainer = trainer_on(tmp_path)
    trainer.create_optimizer_and_scheduler(100)
    assert trainer.args.lr_scheduler_type == "cosine"
    rates = []
    for _ in range(100):
        rates.append(trainer.lr_scheduler.get_last_lr()[0])
        trainer.optimizer.step()
        trainer.lr_scheduler.step()
    assert max(rates) == pytest.approx(PLAIN.learning_rate)
    assert rates[50] == pytest.approx(PLAIN.learning_rate / 2, rel=0.05)
    assert rates[-1] < 0.01 * PLAIN.learning_rate


@pytest.mark.parametrize("steps", [1, 7, 12, 60, 61, 1000])
def test_a_checkpoint_is_written_only_where_a_loss_was_logged(steps: int, tmp_path: Path) -> None:
    args = trainer_arguments(SFTConfig, tmp_path / "a", PLAIN, steps, validated=True)
    assert args.save_steps % args.logging_steps == 0
    assert args.eval_steps == args.save_steps
    assert steps / args.save_steps <= 12 + 1


@pytest.mark.parametrize(
    ("count", "epochs", "expected"), [(10, 1.0, 5), (11, 2.0, 12), (1, 0.1, 1), (9, 0.5, 3)]
)
def test_the_steps_of_a_training(count: int, epochs: float, expected: int) -> None:
    assert steps_of(count, replace(PLAIN, epochs=epochs)) == expected


def test_a_step_that_cannot_be_shared_says_so(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="A step of 2 sheets cannot be shared by 3"):
        trainer_arguments(SFTConfig, tmp_path / "a", PLAIN, 10, validated=False, batch=3)
