"""TRL's trainers as Kefu uses them: on sheets, with the head only where there is loss, and with small, plain checkpoints.

Of a training row, the answer is a tenth; the rest is passages. On a CPU, TRL scores every position with the head, and
the head of the bundled model is larger than all its layers. Here the model is asked for the answers' logits alone.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import Trainer
from trl.trainer.sft_trainer import SFTTrainer

from finetune.training.adalora import is_adalora, orthogonality, unpruned
from finetune.training.sheets import IGNORED


class AdapterTrainer(Trainer):
    """Mixed into a trainer: its checkpoints hold an adapter and no pickled settings; only matrices are decayed."""

    def get_decay_parameter_names(self, model: nn.Module) -> list[str]:
        """The trained matrices. DoRA's lengths and IA³'s factors rest at other values than zero: no decay for them."""
        return [
            name
            for name, value in model.named_parameters()
            if value.requires_grad and min(value.shape, default=0) > 1 < value.ndim
        ]

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write none: an adapter's certificate says more."""

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None) -> None:
        """The adapter alone, whole. peft would look for the base model on a hub to compare vocabularies; none changed."""
        if not self.args.should_save:
            return
        model = self.accelerator.unwrap_model(self.model)
        with unpruned(model):
            model.save_pretrained(
                output_dir or self.args.output_dir, state_dict=state_dict, save_embedding_layers=False
            )

    def _load_best_model(self) -> None:
        """Do nothing: the best checkpoint's files become the adapter."""


class SheetTrainer(AdapterTrainer, SFTTrainer):
    """Trains on batches of one sheet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.model_accepts_loss_kwargs = (
            True  # so that a step's labels are counted, whatever the model's forward takes
        )
        self._labels_of_a_sheet = _mean_labels(self.eval_dataset)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Weighted negative log-likelihood by label that carries loss, over the whole step or the whole validation set."""
        labels: Tensor = inputs["labels"][0]
        places = (labels != IGNORED).nonzero()[:, 0]
        outputs = model(
            **{name: value for name, value in inputs.items() if name not in ("labels", "weights")},
            use_cache=False,
            logits_to_keep=places - 1,  # the token before predicts
        )
        scored, wanted = outputs.logits[0].float(), labels[places]
        loss = nn.functional.cross_entropy(scored, wanted, reduction="none") @ inputs["weights"][0]
        if num_items_in_batch is None:  # of a validation, the trainer takes the mean over sheets
            loss = loss / self._labels_of_a_sheet
        else:
            loss = (
                loss / num_items_in_batch * self.accelerator.num_processes
            )  # gradients are averaged over processes
            adapted = self.accelerator.unwrap_model(model)
            if is_adalora(adapted):
                loss = loss + orthogonality(adapted) / self.current_gradient_accumulation_steps
        self._note("train" if model.training else "eval", scored, wanted, inputs["input_ids"].shape[1])
        return (loss, outputs) if return_outputs else loss

    def _note(self, mode: str, scored: Tensor, wanted: Tensor, read: int) -> None:
        """What `SFTTrainer.log` averages: how many tokens were read, and how many of the answers' were right."""
        right = (scored.detach().argmax(-1) == wanted).sum()
        counts = torch.stack((right, right.new_tensor(len(wanted)), right.new_tensor(read)))
        right, labelled, tokens = self.accelerator.gather(counts[None]).sum(0).tolist()
        self._metrics[mode]["mean_token_accuracy"].append(right / labelled)
        if mode == "train":
            self._total_train_tokens += tokens
        self._metrics[mode]["num_tokens"] = [self._total_train_tokens]


def _mean_labels(dataset: Any) -> float:
    """Labels that carry loss, of a sheet on average."""
    if dataset is None:
        return 1.0
    counts = [sum(label != IGNORED for label in labels) for labels in dataset["labels"]]
    return float(sum(counts) / len(counts))
