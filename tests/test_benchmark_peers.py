"""A peer with an environment of its own is called by its interpreter, and what it says comes back as it was said."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.understanding.intents import OUT_OF_SCOPE

# Tells the first label that it was given of every question, and ranks the second behind it.
ECHO = """
import json, sys
given = json.load(open(sys.argv[1], encoding="utf-8"))
first, second = given["labels"]
ranked = [[(first, 0.7), (second, 0.2)] for _ in given["asked"]]
json.dump({"ranked": ranked, "fit_seconds": 2.0, "seconds": 0.5}, open(sys.argv[2], "w", encoding="utf-8"))
"""
TEXTS = ("我的快递到哪里了？", "Where is my parcel?")


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmark's own module: `benchmarks` is no package of ours, and one of that name may be installed."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return import_module("intent_peer_call")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "peer.py"


def call(
    peers: Any,
    script: Path,
    source: str,
    *,
    labels: tuple[str, str] = ("物流", "refund"),
    python: str = sys.executable,
) -> Any:
    script.write_text(source, "utf-8")
    return peers.elsewhere(Path(python), script, seed=3)(TEXTS, labels, ("快递 where?", "退款", "hello"))


def test_labels_and_times_of_a_peer_come_back_in_both_languages(peers: Any, script: Path) -> None:
    run = call(peers, script, ECHO)

    assert run.told.labels == ["物流"] * 3
    assert run.told.confidence.tolist() == [0.7] * 3
    assert (run.fit_seconds, run.seconds) == (2.0, 0.5)


def test_confidence_is_that_of_the_best_category_where_a_question_is_out_of_scope(
    peers: Any, script: Path
) -> None:
    told = call(peers, script, ECHO, labels=(OUT_OF_SCOPE, "refund")).told

    assert told.labels == [OUT_OF_SCOPE] * 3
    assert told.confidence.tolist() == [0.2] * 3


def test_a_peer_gets_texts_questions_seed_and_its_own_options(peers: Any, script: Path) -> None:
    script.write_text(
        ECHO
        + "assert given['texts'] == ['我的快递到哪里了？', 'Where is my parcel?'] and given['asked'] == ['退款']\n"
        + "assert given['seed'] == 3 and sys.argv[3:] == ['--body', 'x y']\n",
        "utf-8",
    )

    peers.elsewhere(Path(sys.executable), script, "--body", "x y", seed=3)(TEXTS, ("a", "b"), ("退款",))


def test_a_peer_that_fails_says_why(peers: Any, script: Path) -> None:
    with pytest.raises(SystemExit, match=r"code 1: (.|\n)*no module setfit, 没有(.|\n)*first lines"):
        call(peers, script, "raise ImportError('no module setfit, 没有')")


def test_a_missing_interpreter_is_named(peers: Any, script: Path) -> None:
    with pytest.raises(SystemExit, match=r"nowhere/python cannot be run: .*environment's python"):
        call(peers, script, ECHO, python="nowhere/python")


def test_an_interpreter_may_be_named_from_where_one_stands(peers: Any, script: Path) -> None:
    assert call(peers, script, ECHO, python=os.path.relpath(sys.executable)).seconds == 0.5


def test_a_peer_that_leaves_out_questions_is_refused(peers: Any, script: Path) -> None:
    with pytest.raises(SystemExit, match="told 2 labels for 3 questions"):
        call(peers, script, ECHO.replace('given["asked"]]', 'given["asked"][1:]]'))


def test_a_contender_of_this_process_is_timed_and_cut_like_a_peer(peers: Any) -> None:
    run = peers.here(
        lambda _texts, labels: lambda asked: peers.Told([labels[0]] * len(asked), np.full(len(asked), 0.5))
    )(TEXTS, ("a", "b"), ("x", "y", "z"))
    first, others = run.told.cut(1)

    assert (first.labels, others.labels, others.confidence.tolist()) == (["a"], ["a", "a"], [0.5, 0.5])
    assert min(run.fit_seconds, run.seconds) >= 0
