"""What the tests of every model that drafts do alike: let it write, and ask it from several threads at once."""

from __future__ import annotations

import threading
import time

from bot.answering.drafting import DraftingModel
from bot.answering.generator import Prompt
from bot.errors import GenerationError
from tests.tiny_model import PROMPTS


def soon(seconds: float = 30.0) -> float:
    """A deadline."""
    return time.monotonic() + seconds


def written(model: DraftingModel, prompt: Prompt, most: int = 60) -> str:
    """What it writes, whether it comes to an end or not."""
    text = ""
    try:
        for piece in model.stream(prompt, max_new_tokens=most, deadline=soon()):
            text += piece
    except GenerationError as error:
        assert "repeat" in str(error) or "not finished" in str(error)  # noqa: PT017
    return text


def assert_threads_get_what_one_gets(model: DraftingModel) -> None:
    """Six readers at once, two for each prompt."""
    expected = [written(model, prompt) for prompt in PROMPTS]
    results: dict[int, str] = {}

    def ask(number: int) -> None:
        results[number] = written(model, PROMPTS[number % 3])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == {number: expected[number % 3] for number in range(6)}
