"""Differential privacy: gradients are cut and hidden, ε is counted, and the adapter still learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bot.answering.adapters import read_adapter
from finetune.errors import TrainingError
from finetune.training.adapting import adapted
from finetune.training.private import Privacy, _clipped, train_privately
from finetune.training.rows import tokenized
from tests.tiny_training import SETTINGS, same, tiny_base, tiny_examples, weights

LEARNED = tiny_examples(12)
PLAIN = replace(SETTINGS, dropout=0.0, epochs=2)


def test_a_private_adapter_says_what_it_promises_and_leaves_the_base_as_it_was(tmp_path: Path) -> None:
    base = tiny_base()
    before = {name: value.clone() for name, value in base.model.state_dict().items()}
    train_privately(base, LEARNED, tmp_path / "a", settings=PLAIN, privacy=Privacy(epsilon=3.0, batch=4))
    privacy = read_adapter(tmp_path / "a").settings["privacy"]
    assert privacy["epsilon"] == 3.0
    assert 2.5 < privacy["spent"] <= 3.0
    assert privacy["delta"] == pytest.approx(0.1 / 12)
    assert privacy["steps"] == 6
    assert same(before, base.model.state_dict())
    assert any(value.abs().max() > 0 for name, value in weights(tmp_path / "a").items() if "lora_B" in name)


def test_less_epsilon_takes_more_noise(tmp_path: Path) -> None:
    noise = []
    for name, epsilon in (("a", 8.0), ("b", 1.0)):
        report = train_privately(
            tiny_base(), LEARNED, tmp_path / name, settings=PLAIN, privacy=Privacy(epsilon=epsilon, batch=6)
        )
        noise.append(report.manifest.settings["privacy"]["noise"])
    assert noise[1] > 2 * noise[0]


def test_the_noise_is_another_each_time_whatever_the_seed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        train_privately(tiny_base(), LEARNED, tmp_path / name, settings=PLAIN)
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "b"))


def test_no_example_moves_the_adapter_further_than_the_clip() -> None:
    base = tiny_base()
    model = adapted(base, PLAIN, 1, None)
    values = [value for value in model.parameters() if value.requires_grad]
    for row in tokenized(base.tokenizer, LEARNED[:3], PLAIN.shape).rows:
        for clip in (1e-4, 1e6):
            gradients = _clipped(model, values, row, clip)
            length = float(torch.cat([gradient.flatten() for gradient in gradients]).norm())
            assert length <= clip * 1.0001
            assert length > 0


def test_with_hardly_any_privacy_it_learns_what_a_plain_training_would(tmp_path: Path) -> None:
    settings = replace(PLAIN, learning_rate=2e-2, epochs=8)
    train_privately(
        tiny_base(), LEARNED, tmp_path / "a", settings=settings, privacy=Privacy(epsilon=1e4, batch=12)
    )
    assert mean_loss(tmp_path / "a") < mean_loss(None) - 0.05


def mean_loss(adapter: Path | None) -> float:
    base = tiny_base()
    model = adapted(base, PLAIN, 1, adapter).eval()
    losses = []
    for row in tokenized(base.tokenizer, LEARNED, PLAIN.shape).rows:
        tokens = torch.tensor([row.tokens])
        with torch.no_grad():
            logits = model(input_ids=tokens, use_cache=False).logits[0, row.answer_from - 1 : -1]
        losses.append(float(torch.nn.functional.cross_entropy(logits, tokens[0, row.answer_from :])))
    return sum(losses) / len(losses)


@pytest.mark.parametrize(("name", "value"), [("epsilon", 0.0), ("delta", 1.5), ("clip", 0.0), ("batch", 0)])
def test_a_promise_that_is_none_is_refused(name: str, value: float) -> None:
    with pytest.raises(TrainingError, match=f"{name} cannot be {value!r}"):
        Privacy(**{name: value})  # type: ignore[arg-type]


def test_there_must_be_something_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="None of 0 examples"):
        train_privately(tiny_base(), [], tmp_path / "a")
