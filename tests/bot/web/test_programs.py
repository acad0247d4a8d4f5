"""What the settings open for programs beside Gradio's endpoints, and what they refuse to open."""

from __future__ import annotations

import pytest

from bot.errors import SettingsError
from tests.fake_assistant import FakeAssistant
from tests.web_server import build


def test_tools_for_models_without_their_library_are_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.web.programs.find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match=r"server\.mcp is on, and its library is not installed"):
        build(FakeAssistant(), mcp=True)
