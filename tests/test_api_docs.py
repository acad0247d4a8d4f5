"""Every example of docs/api.md, run against a live server; the JavaScript is run by tests/js."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.desk.webhooks import signature
from bot.settings_sections import OpenAISettings
from bot.web.api import ENDPOINTS
from tests.fake_assistant import FakeAssistant
from tests.fake_texts import EN_ANSWER, ZH_ANSWER
from tests.web_server import build, serving

TEXT = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
KEY = "sk-a-key-of-the-team"
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning"
)  # gradio_client leaves its sockets open


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    sections = {"openai": OpenAISettings(api_keys=(KEY,))}
    with serving(build(FakeAssistant(), sections=sections)) as address:
        yield address


def example(language: str, about: str) -> str:
    """The one block in that language that holds these words."""
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (found,) = (block for block in blocks if about in block)
    return found


def run_python(about: str, address: str = "") -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(example("python", about).replace("http://localhost:7860", address), names)  # noqa: S102
    return names


def run_shell(about: str, address: str) -> str:
    shell = shutil.which("bash")
    script = example("sh", about).replace("http://localhost:7860", address)
    done = subprocess.run(
        [str(shell), "-euc", script], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_the_python_client(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = run_python("gradio_client", address)
    printed = capsys.readouterr().out
    assert EN_ANSWER in printed
    assert "grounded" in printed
    assert "AirBuds S2 无线耳机 — " in printed
    assert "['assistant', 'assistant']" in printed
    assert names["answer"]["conversation_id"] == names["conversation"]


def test_the_openai_package(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_python("OpenAI(", address)
    printed = capsys.readouterr().out
    assert printed.startswith(ZH_ANSWER)
    assert printed.endswith(EN_ANSWER)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl (Debian: apt-get install curl)")
def test_curl(address: str) -> None:
    streamed = run_shell("/chat/$event", address)
    assert "event: complete" in streamed
    last = json.loads(streamed.split("event: complete\ndata: ")[1].splitlines()[0])
    assert last[0]["answer"] == ZH_ANSWER
    whole = json.loads(run_shell("chat/completions", address))
    assert whole["choices"][0]["message"]["content"] == EN_ANSWER


def test_a_receiver_of_webhooks_believes_kefu_and_nobody_else() -> None:
    is_kefus = run_python("is_kefus")["is_kefus"]
    now = str(int(time.time()))
    headers = {"webhook-id": "msg_1", "webhook-timestamp": now}
    headers["webhook-signature"] = signature(b"key", "msg_1", now, "{“中”}".encode())
    assert is_kefus(b"key", headers, "{“中”}".encode())
    assert not is_kefus(b"key", headers, b"{}")
    assert not is_kefus(b"another", headers, "{“中”}".encode())


def test_a_site_signs_its_users_as_kefu_checks_it() -> None:
    made = run_python("def signature")["signature"]("secret", "用户-7")
    assert re.fullmatch(r"[0-9a-f]{64}", made)


def test_the_table_lists_every_endpoint_with_its_parameters() -> None:
    rows = dict(re.findall(r"^\| `/(\w+)` \| (.*?) \|", TEXT, re.MULTILINE))
    assert set(rows) == set(ENDPOINTS)
    for name, endpoint in ENDPOINTS.items():
        listed = re.findall(r"`(\w+)(?:=[^`]*)?`", rows[name])
        assert tuple(listed) == endpoint.parameters
