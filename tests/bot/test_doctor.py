"""What `kefu doctor` says about the adapter."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.answering.registry import AdapterRegistry, BaseModel
from bot.doctor import Finding, examine
from bot.models import adapter_registry
from bot.settings import Settings
from tests.tiny_adapters import tiny_settings, write_hollow_adapter


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = tiny_settings(tmp_path, tmp_path / "tiny")
    write_hollow_adapter(settings.adapters_path / "one")
    return settings


def adapter(settings: Settings) -> Finding:
    return next(finding for finding in examine(settings) if finding.what == "adapter")


def test_without_an_adapter_answers_are_composed_and_that_is_fine(settings: Settings) -> None:
    found = adapter(settings)
    assert found.fine
    assert "none" in found.seen


def test_the_adapter_that_serves_is_named(settings: Settings) -> None:
    adapter_registry(settings).promote("one", by="anna")
    assert adapter(settings) == Finding("adapter", fine=True, seen="one, lora, 2026-11-24")


def test_an_adapter_that_is_refused_is_named_with_the_reason(settings: Settings) -> None:
    adapter_registry(settings).promote("one", by="anna")
    (settings.adapters_path / "one" / "adapter_model.safetensors").write_bytes(b"damaged")
    found = adapter(settings)
    assert not found.fine
    assert "answers are composed" in found.seen
    assert "is not the file that its manifest was written for" in found.remedy


def test_an_adapter_that_the_settings_name_is_looked_at_too(settings: Settings, tmp_path: Path) -> None:
    named = settings.model.model_copy(update={"adapter": str(tmp_path / "nowhere")})
    assert not adapter(settings.model_copy(update={"model": named})).fine
    none = settings.model.model_copy(update={"adapter": "none"})
    assert adapter(settings.model_copy(update={"model": none})).fine


def test_a_record_of_promotions_that_cannot_be_read_is_named(settings: Settings) -> None:
    AdapterRegistry(settings.adapters_path, BaseModel("tiny")).path.write_text("{", "utf-8")
    found = adapter(settings)
    assert not found.fine
    assert "serving.json cannot be read" in found.remedy


@pytest.mark.parametrize("chosen", [{"model": "none"}, {"url": "http://127.0.0.1:1"}])
def test_a_model_elsewhere_has_no_adapter(settings: Settings, chosen: dict[str, str]) -> None:
    found = adapter(settings.model_copy(update={"model": settings.model.model_copy(update=chosen)}))
    assert found.fine
    assert "does not run here" in found.seen
