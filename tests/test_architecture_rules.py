"""Each rule of the house on a small house with one planted fault. A rule that finds nothing would be worth nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import architecture
from tests.architecture import House, read_house
from tests.test_architecture import (
    DIRECTIONS,
    ENVIRONMENT_SETTERS,
    FLOORS,
    HEAVY,
    HEAVY_LIBRARIES,
    LONGEST_FILE,
    PARTS,
    SETTINGS_READERS,
    report,
)

Rule = Callable[[House], list[str]]


def directions(house: House) -> list[str]:
    return architecture.wrong_directions(house, DIRECTIONS)


def floors(house: House) -> list[str]:
    return architecture.upward_imports(house, FLOORS)


def plan(house: House) -> list[str]:
    return architecture.rooms_off_the_plan(house, "bot", FLOORS)


def heavy(house: House) -> list[str]:
    return architecture.heavy_imports(house, HEAVY_LIBRARIES, HEAVY)


def environment(house: House) -> list[str]:
    return architecture.environment_use(house, SETTINGS_READERS, ENVIRONMENT_SETTERS)


def length(house: House) -> list[str]:
    return architecture.long_files(house, LONGEST_FILE)


SOUND = {
    "app.py": '"""A."""\nimport os\n\nfrom bot import manager\n\nos.environ["QUIET"] = "1"\n',
    "bot/__init__.py": '"""B."""\n',
    "bot/manager.py": '"""M."""\nfrom bot.errors import BotError\nfrom retrieval import search\n',
    "bot/errors.py": '"""E."""\n',
    "retrieval/__init__.py": '"""R."""\n',
    "retrieval/search.py": '"""S."""\nimport numpy\n',
    "finetune/__init__.py": '"""F."""\n',
}
FAULTS: list[tuple[Rule, str, str, str]] = [
    (
        directions,
        "retrieval/search.py",
        '"""S."""\nfrom bot.errors import BotError\n',
        "retrieval/search.py:2",
    ),
    (directions, "bot/errors.py", '"""E."""\nif TYPE_CHECKING:\n    import finetune\n', "bot/errors.py:3"),
    (directions, "bot/errors.py", '"""E."""\n\nimport app\n', "bot/errors.py:3"),
    (directions, "app.py", '"""A."""\nfrom tests.fakes import Fake\n', "app.py:2"),
    (floors, "bot/errors.py", '"""E."""\nfrom bot import manager\n', "bot/errors.py:2"),
    (floors, "bot/safety/guard.py", '"""G."""\nimport bot.policy\n', "bot/safety/guard.py:2"),
    (floors, "bot/safety/guard.py", '"""G."""\nfrom ..manager import turn\n', "bot/safety/guard.py:2"),
    (plan, "bot/helpers.py", '"""H."""\n', "bot/helpers.py:1"),
    (
        architecture.circles,
        "bot/errors.py",
        '"""E."""\nfrom bot.manager import turn\n',
        "bot.manager → bot.errors",
    ),
    (
        architecture.hidden_imports,
        "app.py",
        '"""A."""\ndef run():\n    if 1:\n        import bot\n',
        "app.py:4",
    ),
    (architecture.hidden_imports, "app.py", '"""A."""\nimportlib.import_module("bot")\n', "app.py:2"),
    (
        architecture.inits_with_code,
        "bot/__init__.py",
        '"""B."""\nfrom bot.errors import BotError\n',
        "bot/__init__.py:2",
    ),
    (architecture.inits_with_code, "bot/__init__.py", "", "bot/__init__.py:1"),
    (heavy, "bot/errors.py", '"""E."""\nimport torch.nn.functional as F\n', "bot/errors.py:2"),
    (heavy, "bot/web/page.py", '"""P."""\nfrom transformers import pipeline\n', "bot/web/page.py:2"),
    (environment, "bot/errors.py", '"""E."""\nimport os\n\nHOME = os.environ["HOME"]\n', "bot/errors.py:4"),
    (environment, "bot/errors.py", '"""E."""\nfrom os import getenv\n', "bot/errors.py:2"),
    (environment, "bot/errors.py", '"""E."""\nimport os\nos.environ["A"] = "1"\n', "bot/errors.py:3"),
    (environment, "app.py", '"""A."""\nimport os\nHOME = os.environ.setdefault("HOME", "")\n', "app.py:3"),
    (environment, "app.py", '"""A."""\nimport tomllib\n', "app.py:2"),
    (length, "bot/errors.py", '"""E."""\n' + "A = 1\n" * LONGEST_FILE, "has 301 lines"),
    (architecture.undescribed_files, "bot/errors.py", "A = 1\n", "bot/errors.py:1"),
]
RULES = tuple(dict.fromkeys(rule for rule, *_ in FAULTS))


def build(root: Path, files: dict[str, str]) -> House:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return read_house(root, PARTS)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_nothing_in_a_sound_house(rule: Rule, tmp_path: Path) -> None:
    assert rule(build(tmp_path, SOUND)) == []


@pytest.mark.parametrize(("rule", "path", "text", "expected"), FAULTS)
def test_a_rule_finds_a_planted_fault_and_says_where(
    rule: Rule, path: str, text: str, expected: str, tmp_path: Path
) -> None:
    problems = rule(build(tmp_path, SOUND | {path: text}))
    assert len(problems) == 1, report(problems)
    assert expected in problems[0]


def test_a_permission_that_nobody_needs_is_found(tmp_path: Path) -> None:
    assert architecture.stale_permissions(build(tmp_path, SOUND), {"app.py": {"torch"}}) == [
        "HEAVY lets app.py import torch, and nothing there does. Remove the entry."
    ]
