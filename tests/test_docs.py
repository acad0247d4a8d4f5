"""The documents agree with the code: settings, files, commands, links, and the two READMEs with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel, Field
from typer.main import get_command

from app import cli
from docs import readme

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh.md")
DOCUMENTS = (*READMES, "CONTRIBUTING.md", "CHANGELOG.md")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def kefu_commands() -> set[str]:
    return set(getattr(get_command(cli), "commands", {}))


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):[^\n]*## ", read("Makefile"), re.MULTILINE))


def named(word: str, text: str) -> set[str]:
    """What stands after `word` where code is quoted: in backticks, in a block, or at a line's start."""
    return set(re.findall(rf"(?:^|[`/\s]){word} ([a-z][a-z-]*)", "\n".join(quoted(text)), re.MULTILINE))


def quoted(text: str) -> list[str]:
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return blocks + re.findall(
        r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    )


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_readme_lists_the_settings_and_files_that_there_are() -> None:
    text = read("README.md")
    assert text == readme.rewritten(text), "README.md is out of date: run `make docs`."


def test_every_setting_says_what_it_does() -> None:
    missing = readme.undescribed_settings()
    assert not missing, f"no description in bot/settings.py: {', '.join(missing)}. Add description= to each."


def test_every_pattern_of_the_file_tree_stands_for_a_file() -> None:
    patterns = [note for note in readme.NOTES if "*" in note]
    empty = [pattern for pattern in patterns if not any(ROOT.glob(pattern))]
    assert not empty, f"no file matches {empty}. Mend NOTES in docs/readme.py."


@pytest.mark.parametrize("name", READMES)
def test_readme_lists_every_kefu_command_and_no_other(name: str) -> None:
    assert named("kefu", read(name)) - {"cd"} == kefu_commands()


def test_readme_lists_every_make_target_and_no_other() -> None:
    assert named("make", read("README.md")) == make_targets()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_that_a_document_names_exist(name: str) -> None:
    assert named("make", read(name)) <= make_targets(), "Mend the document or the Makefile."
    assert named("kefu", read(name)) <= kefu_commands() | {"cd"}, "Mend the document or app.py."


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_inside_the_repository_lead_somewhere(name: str) -> None:
    broken = []
    for target in re.findall(r"\]\((?!https?://|mailto:)([^)\s]+)\)", read(name)):
        path, _, anchor = target.partition("#")
        if not (ROOT / path).exists() or (anchor and anchor not in anchors(read(path or name))):
            broken.append(target)
    assert not broken, f"{name} links to {', '.join(broken)}, which is not there."


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_a_document_names_exist(name: str) -> None:
    made_later = ("kefu.toml", ".venv/", "var/")
    folders = ("", "bot/", "knowledge_base/", "knowledge_base/articles/")
    paths = re.findall(r"`([\w./-]+\.(?:py|md|txt|toml|jsonl|yaml)|[\w./-]+/)`", read(name))
    missing = [
        path
        for path in paths
        if not path.startswith(made_later)
        and not path.endswith("NAME.py")
        and not any((ROOT / folder / path).exists() for folder in folders)
    ]
    assert not missing, f"{name} names {', '.join(missing)}, which is not there."


def test_both_readmes_have_the_same_sections_in_the_same_order() -> None:
    levels = [
        re.findall(r"^(#+) ", re.sub(r"^```.*?^```$", "", read(name), flags=re.M | re.S), re.M)
        for name in READMES
    ]
    assert levels[0] == levels[1]


def test_the_chinese_readme_gives_the_same_commands_to_type_as_the_english_one() -> None:
    steps = [re.findall(r"^(?:\w+=\S+ )*(make \w+)", "\n".join(quoted(read(name))), re.M) for name in READMES]
    assert steps[0][:2] == steps[1][:2] == ["make serve", "make test"]


class Inner(BaseModel):
    """How it listens."""

    port: int = Field(80, ge=1, lt=100, description="where it listens | or not")


class Outer(BaseModel):
    """All."""

    name: str | None = None
    inner: Inner = Inner()


def test_a_settings_table_has_defaults_bounds_and_sections() -> None:
    assert readme.settings_table(Outer).splitlines()[2:] == [
        "| `name` | none |  |",
        "| **[inner]** | | How it listens. |",
        r"| `inner.port` | `80` | where it listens \| or not; ≥ 1, < 100 |",
    ]
    assert readme.undescribed_settings(Outer) == ["name"]


def test_a_file_is_described_by_the_first_sentence_it_says_about_itself(tmp_path: Path) -> None:
    files = {
        "a.py": '"""Reads v1.2 files, e.g. old ones. And more."""\n',
        "b": "#!/usr/bin/env bash\n# Runs it.\n",
        "c.css": "/* Colours */\nbody {}\n",
        "d.html": "<!-- A page. -->\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    said = [readme.describe(tmp_path / name, tmp_path, {}) for name in files]
    assert said == ["Reads v1.2 files, e.g. old ones", "Runs it", "Colours", "A page"]


def test_a_file_that_says_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "mute.py").write_text("A = 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"mute\.py does not say"):
        readme.describe(tmp_path / "mute.py", tmp_path, {})


def test_a_readme_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="0 parts `files`"):
        readme.with_block("# Kefu\n", "files", "")
