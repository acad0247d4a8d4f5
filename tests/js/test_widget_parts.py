"""The widget's pure functions, run by node: languages, colours that can be read, the stream's format, a past in order."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.web.widget_files import FOLDER

HERE = Path(__file__).parent
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(NODE is None, reason="needs node 18 or newer (Debian: apt-get install nodejs npm)"),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What widget_parts.mjs printed."""
    folder = tmp_path_factory.mktemp("widget")
    (folder / "package.json").write_text('{"type": "module"}')  # older versions of node need to be told
    for script in FOLDER.glob("*.js"):
        shutil.copy(script, folder)
    command = [str(NODE), "widget_parts.mjs", str(folder)]
    run = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    printed: Mapping[str, Any] = json.loads(run.stdout)
    return printed


def test_the_tag_the_page_and_the_browser_choose_the_language_in_this_order(
    answers: Mapping[str, Any],
) -> None:
    assert answers["languages"] == ["zh", "zh-Hant", "en", "zh-Hant", "en", "zh-Hant"]


def test_every_colour_of_a_site_becomes_one_that_can_be_read(answers: Mapping[str, Any]) -> None:
    assert len(answers["contrasts"]) == 7
    for colour, contrast in answers["contrasts"].items():
        assert contrast >= 4.5, colour
    assert answers["unreadable"] is None


def test_a_text_is_filled_in_and_a_missing_name_stays(answers: Mapping[str, Any]) -> None:
    assert answers["text"] == "小李: 0 of {most}"


def test_a_stream_is_read_whatever_its_pieces(answers: Mapping[str, Any]) -> None:
    assert answers["parsed"] == {"event": "x", "data": "y"}
    assert answers["events"] == [
        {"event": "", "data": ""},
        {"event": "said", "data": '{"a":"退款"}'},
        {"event": "", "data": "1\n2"},
    ]


def test_a_past_is_put_in_order_with_its_files_and_without_empty_answers(answers: Mapping[str, Any]) -> None:
    assert [(each["kind"], each["key"]) for each in answers["past"]] == [
        ("customer", "t1?"),
        ("assistant", "t1"),
        ("file", "f"),
        ("customer", "t2?"),
        ("person", "e1"),
    ]
    assert answers["past"][1]["rating"] == 1
    assert answers["past"][2]["url"] == "https://k/widget/files/f"
