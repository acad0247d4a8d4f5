"""What tests of the time machine share: the small shop with a log, and that log as questions to be asked again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.manager import Manager
from bot.safety.redact import redact
from bot.upkeep.backtest.asking import How
from bot.upkeep.backtest.questions import PastQuestions, read_questions
from tests.small_shop import TODAY, build_shop, write_knowledge_base


@pytest.fixture
def how() -> How:
    return How(day=TODAY, top_k=5, redact=redact)


@pytest.fixture
def knowledge_base(tmp_path: Path) -> Path:
    """The small shop's content, and an intent that needs a telephone number."""
    folder = tmp_path / "knowledge_base"
    write_knowledge_base(folder)
    call_back = {
        "id": "call-back",
        "title": {"zh": "回电", "en": "Call me back"},
        "slots": {"phone": {"required": True, "ask": {"zh": "电话是多少？", "en": "Which number?"}}},
        "answer": {"zh": "我们会拨打 {phone}。", "en": "We will ring {phone}."},
        "examples": {
            "zh": ["请给我回电", "打电话给我", "回个电话"],
            "en": ["call me back", "please ring me", "phone me"],
        },
    }
    write_yaml(folder / "intents" / "call-back.yaml", call_back)
    return folder


@pytest.fixture
def shop(tmp_path: Path, knowledge_base: Path) -> Manager:
    """The small shop; its log is `tmp_path/kefu.db`."""
    assert knowledge_base.exists()
    return build_shop(tmp_path)


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., PastQuestions]:
    """Reads the shop's log."""

    def read(**choice: Any) -> PastQuestions:
        return read_questions(tmp_path / "kefu.db", **choice)

    return read


@pytest.fixture
def edit_yaml() -> Callable[..., None]:
    """Changes top-level keys of a YAML file."""

    def edit(path: Path, **changes: object) -> None:
        write_yaml(path, {**yaml.safe_load(path.read_text("utf-8")), **changes})

    return edit


def write_yaml(path: Path, value: object) -> None:
    path.write_text(yaml.safe_dump(value, allow_unicode=True, sort_keys=False), "utf-8")
