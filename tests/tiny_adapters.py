"""Adapters for the tiny model: random ones that change what it writes, and a Kefu over the small shop that serves them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from bot.answering.adapters import CONFIG, WEIGHTS, AdapterManifest, write_manifest
from bot.answering.prompt import PROMPT_VERSION
from bot.settings import Settings
from bot.settings_sections import ModelSettings, PolicySettings
from tests.tiny_model import SHAPE


def write_adapter(
    folder: Path,
    base: Path,
    *,
    seed: int = 1,
) -> Path:
    """A LoRA adapter with random weights for the model in `base`, as a folder with its certificate."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    torch.manual_seed(seed)
    settings = LoraConfig(r=4, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 asks transformers by an old name
        wrapped: Any = get_peft_model(model, settings)
    wrapped.save_pretrained(folder)
    write_manifest(
        folder,
        AdapterManifest(folder.name, base.name, None, "lora", "2026-11-24T00:00:00+00:00", shape=SHAPE),
    )
    return folder


def write_hollow_adapter(
    folder: Path,
    *,
    label: str = "tiny",
    created_at: str = "2026-11-24T00:00:00+00:00",
    prompt_version: int = PROMPT_VERSION,
) -> Path:
    """A folder that passes for an adapter until its weights are loaded."""
    folder.mkdir(parents=True)
    (folder / CONFIG).write_text("{}", "utf-8")
    (folder / WEIGHTS).write_bytes(b"no weights")
    write_manifest(
        folder,
        AdapterManifest(folder.name, label, None, "lora", created_at, prompt_version=prompt_version),
    )
    return folder


def tiny_settings(folder: Path, model: Path, **chosen: Any) -> Settings:
    """Settings for the small shop in `folder`, with the tiny model; `chosen` are settings of the model."""
    return Settings(
        knowledge_base=folder / "knowledge_base",
        var=folder / "var",
        model=ModelSettings(
            **{"model": str(model), "threads": 1, "device": "cpu", "first_sentence_seconds": 30.0} | chosen
        ),
        policy=PolicySettings(
            template_score=0.6,
            grounded_score=0.4,
            drafted_score=0.4,
            clarify_score=0.35,
            in_scope=0.3,
        ),
    )
