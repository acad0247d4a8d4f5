"""Rasa's DIET with its default pipeline for benchmarks/intents.py (Bunk et al. 2020).

    python3.10 -m venv rasa-env                        # Rasa 3.6 knows no later Python
    rasa-env/bin/pip install "rasa==3.6.21"
    python benchmarks/intents.py --diet rasa-env/bin/python

The pipeline is that of `rasa init` in English, but for what no intent is learned from (synonyms, responses) and for the
fallback, which would put an intent of its own for what is unsure. `benchmarks/intent_peer_call.py` says what the two files hold.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from rasa.core.agent import Agent
from rasa.model_training import train_nlu
from rasa.utils.log_utils import configure_structlog

EPOCHS = 100


def configuration(seed: int) -> dict[str, Any]:
    """Rasa's default pipeline, as a `config.yml` says it; JSON is YAML, too."""
    words = {"name": "CountVectorsFeaturizer"}
    letters = {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4}
    diet = {"name": "DIETClassifier", "epochs": EPOCHS, "constrain_similarities": True, "random_seed": seed}
    first = [
        {"name": name} for name in ("WhitespaceTokenizer", "RegexFeaturizer", "LexicalSyntacticFeaturizer")
    ]
    return {
        "recipe": "default.v1",
        "assistant_id": "intents",
        "language": "en",
        "pipeline": [*first, words, letters, diet],
    }


async def tell(agent: Agent, asked: list[str]) -> list[list[tuple[str, float]]]:
    """The two best intents of each question, one question after the other, as a bot is asked."""
    found = [await agent.parse_message(text) for text in asked]
    return [[(one["name"], one["confidence"]) for one in each["intent_ranking"][:2]] for each in found]


def main() -> None:
    """Fit, tell, and write what was told."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("asked", type=Path)
    parser.add_argument("told", type=Path)
    chosen = parser.parse_args()
    configure_structlog(logging.ERROR)  # else it prints two lines about every question
    given = json.loads(chosen.asked.read_text("utf-8"))
    folder = chosen.told.parent
    examples = [
        {"text": text, "intent": label, "entities": []}
        for text, label in zip(given["texts"], given["labels"], strict=True)
    ]
    (folder / "nlu.json").write_text(json.dumps({"rasa_nlu_data": {"common_examples": examples}}), "utf-8")
    (folder / "config.yml").write_text(json.dumps(configuration(given["seed"])), "utf-8")
    started = time.monotonic()
    model = train_nlu(str(folder / "config.yml"), str(folder / "nlu.json"), str(folder / "models"))
    agent = Agent.load(model)
    ready = time.monotonic()
    ranked = asyncio.run(tell(agent, given["asked"]))
    answer = {"ranked": ranked, "fit_seconds": ready - started, "seconds": time.monotonic() - ready}
    chosen.told.write_text(json.dumps(answer), "utf-8")


if __name__ == "__main__":
    main()
