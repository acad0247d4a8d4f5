"""The plan of the house, held: which part may import which, and what each file must be. architecture.py does the looking."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import architecture
from tests.architecture import House, read_house

Floors = tuple[set[str], ...]

ROOT = Path(__file__).parents[1]
PARTS = ("app", "bot", "retrieval", "finetune")

# Part → parts that it may import.
DIRECTIONS = {
    "app": {"bot", "retrieval", "finetune"},
    "finetune": {"bot", "retrieval"},
    "bot": {"retrieval"},
    "retrieval": set[str](),
}

# The rooms of `bot`, from the top floor down; a room may import its own floor and every floor below.
FLOORS = (
    {"bot.web"},
    {"bot.upkeep"},
    {"bot.factory", "bot.doctor", "bot.promotions"},
    {
        "bot.conversations",
        "bot.knowledge",
        "bot.learning",
        "bot.manager",
        "bot.models",
        "bot.serving",
        "bot.turns",
        "bot.thresholds",
    },
    {"bot.golden", "bot.judged"},
    {"bot.desk", "bot.channels"},
    {"bot.insight"},
    {"bot.policy"},
    {"bot.understanding"},
    {"bot.answering"},
    {"bot.memory"},
    {"bot.safety"},
    {
        "bot.content",
        "bot.conversation",
        "bot.settings",
        "bot.config_file",
        "bot.settings_sections",
        "bot.errors",
        "bot.filled",
        "bot.logs",
        "bot.progress_bars",
        "bot.reports",
        "bot.stopwatch",
    },
)

# And of `finetune`.
WORKSHOP = (
    {"finetune.commands", "finetune.adapter_commands"},
    {"finetune.cycle", "finetune.cycle_folder"},
    {
        "finetune.training_set",
        "finetune.encoder_comparison",
        "finetune.encoder_plan",
        "finetune.encoder_tuning",
        "finetune.search_comparison",
        "finetune.search_training",
    },
    {"finetune.evaluation"},
    {"finetune.default_adapter"},
    {"finetune.training", "finetune.compression"},
    {"finetune.examples"},
    {"finetune.curation"},
    {"finetune.importers"},
    {"finetune.masking", "finetune.pseudonyms"},
    {"finetune.records", "finetune.lines", "finetune.errors", "finetune.tongues"},
)

# Libraries that take seconds or hundreds of megabytes to import, and the files that may.
HEAVY_LIBRARIES = {
    *("torch", "transformers", "peft", "trl", "accelerate", "datasets"),
    *("sentence_transformers", "sklearn", "faiss", "gradio", "openvino", "nncf"),
}
HEAVY = {
    "bot/answering/bundled_model.py": {"torch", "transformers"},
    "bot/answering/engine.py": {"transformers"},
    "bot/answering/int8_linear.py": {"torch"},
    "bot/answering/model_loading.py": {"peft", "torch", "transformers"},
    "bot/answering/openvino_model.py": {"transformers"},
    "bot/answering/openvino_quietly.py": {"openvino"},
    "bot/answering/torch_engine.py": {"torch", "transformers"},
    "bot/answering/torch_threads.py": {"torch"},
    "bot/understanding/intents.py": {"sklearn"},
    "bot/understanding/wording.py": {"sklearn"},
    "bot/web/api.py": {"gradio"},
    "bot/web/chat.py": {"gradio"},
    "bot/web/endpoint_checks.py": {"gradio"},
    "bot/web/endpoints.py": {"gradio"},
    "bot/web/people_endpoints.py": {"gradio"},
    "bot/web/server.py": {"gradio"},
    "finetune/training/adalora.py": {"peft", "torch", "transformers"},
    "finetune/training/adapting.py": {"peft", "torch"},
    "finetune/training/arguments.py": {"torch", "transformers"},
    "finetune/training/callbacks.py": {"transformers"},
    "finetune/evaluation/canaries.py": {"torch", "transformers"},
    "finetune/default_adapter.py": {"torch"},
    "finetune/training/defaults.py": {"torch", "transformers"},
    "finetune/training/encoder_training.py": {"peft", "sentence_transformers", "torch"},
    "finetune/training/federated.py": {"torch"},
    "finetune/compression/gguf_export.py": {"transformers"},
    "finetune/compression/gguf_vocabulary.py": {"transformers"},
    "finetune/training/launch.py": {"accelerate"},
    "finetune/compression/merge.py": {"torch", "transformers"},
    "finetune/training/methods.py": {"peft"},
    "finetune/compression/openvino_export.py": {"nncf", "torch", "transformers"},
    "finetune/training/preference_training.py": {"datasets", "transformers", "trl"},
    "finetune/training/private.py": {"torch", "transformers"},
    "finetune/training/rows.py": {"transformers"},
    "finetune/training/running.py": {"transformers"},
    "finetune/training/sheets.py": {"torch", "transformers"},
    "finetune/training/train_settings.py": {"transformers"},
    "finetune/training/trainer.py": {"torch", "transformers", "trl"},
    "finetune/training/supervised.py": {"datasets", "peft", "torch", "transformers", "trl"},
    "finetune/training/work_folder.py": {"transformers"},
    "retrieval/calibration.py": {"sklearn"},
    "retrieval/processor.py": {"torch"},
    "retrieval/sentence_encoder.py": {"sentence_transformers", "torch", "transformers"},
    "retrieval/vectors.py": {"faiss"},
}

SETTINGS_READERS = {"bot/settings.py"}
ENVIRONMENT_SETTERS = {"app.py"}  # switches the libraries' telemetry off before they are imported
LONGEST_FILE = 300


@pytest.fixture(scope="module")
def house() -> House:
    return read_house(ROOT, PARTS)


def report(problems: list[str]) -> str:
    return "\n" + "\n".join(problems)


def test_the_house_is_read_at_all(house: House) -> None:
    assert {"bot.conversation", "retrieval.documents", "finetune"} <= set(house)
    assert any(found.module == "retrieval.errors" for module in house.values() for found in module.imports)


def test_parts_import_only_downwards(house: House) -> None:
    problems = architecture.wrong_directions(house, DIRECTIONS)
    assert not problems, report(problems)


@pytest.mark.parametrize(("part", "floors"), [("bot", FLOORS), ("finetune", WORKSHOP)])
def test_every_room_stands_on_a_floor(part: str, floors: Floors, house: House) -> None:
    problems = architecture.rooms_off_the_plan(house, part, floors)
    assert not problems, report(problems)


@pytest.mark.parametrize("floors", [FLOORS, WORKSHOP], ids=["bot", "finetune"])
def test_rooms_import_only_downwards(floors: Floors, house: House) -> None:
    problems = architecture.upward_imports(house, floors)
    assert not problems, report(problems)


def test_no_modules_import_each_other_in_a_circle(house: House) -> None:
    problems = architecture.circles(house)
    assert not problems, report(problems)


def test_no_import_hides_in_a_function(house: House) -> None:
    problems = architecture.hidden_imports(house)
    assert not problems, report(problems)


def test_init_files_hold_a_docstring_only(house: House) -> None:
    problems = architecture.inits_with_code(house)
    assert not problems, report(problems)


def test_heavy_libraries_are_imported_only_where_the_plan_says(house: House) -> None:
    problems = architecture.heavy_imports(house, HEAVY_LIBRARIES, HEAVY)
    assert not problems, report(problems)


def test_the_plan_permits_no_heavy_import_that_nobody_needs(house: House) -> None:
    problems = architecture.stale_permissions(house, HEAVY)
    assert not problems, report(problems)


def test_only_the_settings_read_the_environment_and_the_settings_file(house: House) -> None:
    problems = architecture.environment_use(house, SETTINGS_READERS, ENVIRONMENT_SETTERS)
    assert not problems, report(problems)


def test_no_file_is_longer_than_a_sitting(house: House) -> None:
    problems = architecture.long_files(house, LONGEST_FILE)
    assert not problems, report(problems)


def test_every_file_says_what_it_is(house: House) -> None:
    problems = architecture.undescribed_files(house)
    assert not problems, report(problems)


def test_every_test_and_benchmark_says_what_it_is() -> None:
    problems = architecture.undescribed_files(read_house(ROOT, ("tests", "benchmarks", "docs")))
    assert not problems, report(problems)
