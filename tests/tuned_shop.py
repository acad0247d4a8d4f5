"""The small shop with golden questions, its index, a tiny model and scripted talks: what an adapter's life needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.answering.adapters import read_adapter
from bot.answering.generator import Prompt
from bot.factory import load_knowledge, rebuild
from bot.settings import Settings
from finetune.examples.passage_finder import Library, library_of
from finetune.records import Conversation
from finetune.training.dataset_training import Plan
from finetune.training.train_settings import TrainReport
from tests.example_talks import talk, unlike
from tests.fakes import ScriptedGenerator, WordEncoder
from tests.small_shop import write_knowledge_base
from tests.tiny_adapters import tiny_settings, write_hollow_adapter
from tests.tiny_model import write_model

GOLDEN: list[dict[str, Any]] = [
    {"id": "g1", "question": "大家电保修几年", "expect": {"kind": "answer", "articles": ["warranty"]}},
    {"id": "g2", "question": "do your appliances need 220 volts", "expect": {"kind": "answer", "articles": ["voltage"]}},
    {"id": "g3", "question": "运费多少", "expect": {"kind": "answer", "intents": ["postage"]}},
    {"id": "g4", "question": "电池呢", "context": ["大家电保修几年"], "expect": {"kind": "answer", "articles": ["warranty"]}},
    {"id": "g5", "question": "写一首诗", "expect": {"kind": "refuse"}},
    {"id": "g6", "question": "转人工", "expect": {"kind": "handoff"}},
    {"id": "g7", "question": "整机保修多久", "expect": {"kind": "refuse"}},
]  # fmt: skip


def write_tuned_shop(folder: Path, *, learned: bool = False) -> Settings:
    """Write the shop into `folder`, build its index, and say how it is set."""
    write_knowledge_base(folder / "knowledge_base")
    write_golden(folder / "knowledge_base", GOLDEN)
    settings = tiny_settings(folder, write_model(folder / "tiny", learned=learned), max_new_tokens=8)
    rebuild(settings, WordEncoder(), lambda *_: None)
    return settings


def write_golden(knowledge_base: Path, rows: list[dict[str, Any]]) -> None:
    """Write golden questions."""
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (knowledge_base / "golden.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def open_library(settings: Settings) -> Library:
    """The shop's index as it is searched."""
    return library_of(load_knowledge(settings, WordEncoder(), None).index, settings)


class KnowingGenerator(ScriptedGenerator):
    """Writes what it knows for words of the question, and declines every other question."""

    def __init__(self, known: Mapping[str, str]) -> None:
        super().__init__()
        self._known = dict(known)

    def stream(self, prompt: Prompt, *, max_new_tokens: int, deadline: float) -> Iterator[str]:
        asked = prompt.variable.split("<end_of_turn>")[-2].rsplit("\n", 1)[
            -1
        ]  # the last line of the last turn
        answer = next((text for question, text in self._known.items() if question in asked), "[0]")
        self.scripts.append(answer)
        return super().stream(prompt, max_new_tokens=max_new_tokens, deadline=deadline)


def answered_talks(count: int = 60) -> list[Conversation]:
    """Conversations of different customers whose answers the shop's articles support."""
    answers = ("Batteries are not covered.", "大家电保修 3 年。")
    return [
        talk(
            f"talk{number:02}",
            (unlike(number), answers[number % 2]),
            day=number,
            customer=f"customer{number}",
        )
        for number in range(count)
    ]


def write_import(folder: Path, count: int = 60) -> Path:
    """The same conversations as a table, to be imported with `kefu import`."""
    rows = [f"{talk.exchanges[0].question},{talk.exchanges[0].answer}" for talk in answered_talks(count)]
    path = folder / "talks.csv"
    path.write_text("question,answer\n" + "\n".join(rows), "utf-8")
    return path


def hollow_training(plan: Plan, _report: object = None) -> TrainReport:
    """Instead of a training: an adapter without weights."""
    if not plan.done:
        write_hollow_adapter(plan.folder)
    return TrainReport(plan.folder, read_adapter(plan.folder), {"steps": 1, "loss": 1.0})
