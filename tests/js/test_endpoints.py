"""The named endpoints, called by programs in JavaScript: through `@gradio/client`, from node."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fake_assistant import FakeAssistant
from tests.web_server import build, serving

HERE = Path(__file__).parent
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(NODE is None, reason="needs node 18 or newer (Debian: apt-get install nodejs npm)"),
]


@pytest.fixture(scope="module")
def assistant() -> FakeAssistant:
    return FakeAssistant(pause_seconds=0.05)


@pytest.fixture(scope="module")
def answers(assistant: FakeAssistant) -> Mapping[str, Any]:
    """What endpoints.mjs was answered."""
    assert (HERE / "node_modules").is_dir(), (
        "@gradio/client is not installed. Run `npm ci --prefix tests/js`."
    )
    with serving(build(assistant, messages_per_minute=1_000)) as address:
        run = subprocess.run(
            [str(NODE), "endpoints.mjs", address],
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_chat_streams_to_javascript(answers: Mapping[str, Any]) -> None:
    events = answers["events"]
    assert len(events) > 3
    assert (events[0]["done"], events[-1]["done"]) == (False, True)
    assert events[0]["answer"] != events[-1]["answer"]
    assert all(later["answer"].startswith(earlier["answer"]) for earlier, later in itertools.pairwise(events))
    assert events[-1]["sources"][0]["url"] == "/articles/en/returns-opened"


def test_a_conversation_goes_on_and_is_listed_in_javascript(answers: Mapping[str, Any]) -> None:
    first, second = answers["events"][-1], answers["followUp"]
    assert second["conversation_id"] == first["conversation_id"]
    assert second["language"] == "zh"
    assert [turn["turn_id"] for turn in answers["history"]] == [first["turn_id"], second["turn_id"]]
    assert [turn["message"] for turn in answers["history"]] == ["can i return opened earphones", "那退款呢？"]


def test_javascript_can_rate_an_answer(answers: Mapping[str, Any], assistant: FakeAssistant) -> None:
    assert answers["feedback"] == {"recorded": True}
    (rated,) = assistant.ratings
    assert (rated.turn_id, rated.value, rated.reason) == (answers["events"][-1]["turn_id"], -1, "太慢")


def test_javascript_can_search(answers: Mapping[str, Any]) -> None:
    assert [hit["id"] for hit in answers["search"]] == ["parcel-stuck"]


def test_javascript_gets_recommendations_and_calls_a_person(answers: Mapping[str, Any]) -> None:
    (item,) = answers["recommended"]
    assert (item["id"], item["kind"], item["price"]) == ("airbuds-s2", "product", 299)
    assert answers["handoff"]["state"] == "waiting"
    assert "is not set" in answers["unsigned"]


def test_javascript_gets_html_beside_the_text(answers: Mapping[str, Any]) -> None:
    assert answers["events"][-1]["html"].startswith("<p>")
    assert answers["history"][0]["html"] == answers["events"][-1]["html"]


def test_the_documentations_javascript_runs(assistant: FakeAssistant) -> None:
    text = (HERE.parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```js\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    with serving(build(assistant, messages_per_minute=1_000)) as address:
        script = example.replace("http://localhost:7860", address)
        command = [str(NODE), "--input-type=module", "--eval", script]
        run = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert "AirBuds S2" in run.stdout
    assert "[ 'assistant' ]" in run.stdout


def test_javascript_is_told_what_is_wrong(answers: Mapping[str, Any]) -> None:
    assert "must be 1 or -1" in answers["refused"]
