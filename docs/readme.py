"""Writes the parts of README.md that the code already knows, the settings and the file tree: `make docs`.

Each part stands between `<!-- NAME: … -->` and `<!-- /NAME -->`. tests/test_docs.py fails when one is out of date.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.settings import Settings

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"

# What cannot say for itself what it is. A pattern stands for all the files that it matches.
NOTES = {
    "knowledge_base/": "content only, edited by the support team",
    "knowledge_base/articles/*/*.md": "the articles, one topic a file; zh/ and en/ pair by id",
    "knowledge_base/catalog.jsonl": "what can be recommended: products and articles, in both languages",
    "knowledge_base/golden.jsonl": "questions with the intent or article that must answer them, and ones to refuse",
    "knowledge_base/intents/*.yaml": "the intents, one a file: examples, answer template, slots",
    "knowledge_base/messages.yaml": "the wording around answers: greeting, no answer, hand-off",
    "bot/web/assets/*": "the page's own styles, templates, script and icon; nothing comes from elsewhere",
    "bot/web/locale/*.yaml": "what page, widget and console say beside the team's wording, a file a language",
    "bot/web/console/assets/*": "the console's styles and scripts, and htmx and idiomorph (0BSD), which fetch parts of its pages and morph them",
    "bot/web/console/templates/*": "the console's pages, escaped",
    "bot/web/widget/demo/*": "a made-up shop's page with the three ways to embed the chat",
    "bot/answering/default_adapter/GEMMA_TERMS.html": "the terms of the model that the adapter was trained on",
    "bot/answering/default_adapter/NOTICE": "whose model the adapter was trained on, and by whom",
    "bot/answering/default_adapter/adapter_config.json": "peft's settings of the adapter",
    "bot/answering/default_adapter/adapter_model.safetensors": "the weights of the adapter that comes with Kefu",
    "bot/answering/default_adapter/manifest.json": "its birth certificate: base, data, command, figures",
    "finetune/talks/*/articles.jsonl": "a trade's articles, in both languages, for the talks beside it",
    "finetune/talks/*/talks.jsonl": "written talks that the default adapter learns from: questions, and what to answer",
    "tests/": "mirrors the packages",
    "tests/*/**/test_*.py": "the tests of the file with the same name",
    "tests/js/package.json": "pins the JavaScript client that endpoints.mjs calls with",
    "tests/js/package-lock.json": "the same with checksums, for `npm ci`; names no host, so that any registry will do",
    "benchmarks/": "one file a claim, each runnable alone",
    "docs/": "what is written from the code",
    "docs/*.png": "pictures of the chat page, taken by screenshots.py",
    "docs/pictures/*": "pictures of widget, demo and console, taken by pictures.py",
    "var/": "made at run time, ignored by git: models, index, log, exports",
    "pyproject.toml": "dependencies with their reasons, and the tools' settings",
    "LICENSE": "Apache-2.0",
    "NOTICE": "the licences of the models and libraries that are installed",
}
PACKAGES = ("knowledge_base", "bot", "retrieval", "finetune", "tests", "benchmarks", "docs")
ROOT_FILES = (
    "Makefile",
    "pyproject.toml",
    "constraints.txt",
    ".pre-commit-config.yaml",
    ".ci/run",
    "LICENSE",
    "NOTICE",
)


def settings_table(settings: type[BaseModel] = Settings, prefix: str = "") -> str:
    """Every setting with its default and meaning, as a Markdown table.

    Args:
        settings: a pydantic model; fields that are models themselves become sections.
        prefix: what stands before a field's name, such as `server.`.
    """
    head = "" if prefix else "| setting | default | what it does |\n|---|---|---|\n"
    rows, sections = [], []
    for name, field in settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            sections.append(f"| **[{prefix}{name}]** | | {field.annotation.__doc__} |\n")
            sections.append(settings_table(field.annotation, f"{prefix}{name}."))
        else:
            rows.append(f"| `{prefix}{name}` | {_default(field)} | {_meaning(field)} |\n")
    return head + "".join(rows + sections)


def undescribed_settings(settings: type[BaseModel] = Settings, prefix: str = "") -> list[str]:
    """Names of the settings without a description."""
    found = []
    for name, field in settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += undescribed_settings(field.annotation, f"{prefix}{name}.")
        elif not field.description:
            found.append(prefix + name)
    return found


def file_tree(root: Path = ROOT, notes: Mapping[str, str] = NOTES) -> str:
    """The files under `root`, one a line, each with the first sentence that it says about itself (or its note).

    Raises:
        ValueError: a file says nothing about itself and has no note; names it.
    """
    lines = [("app.py", describe(root / "app.py", root, notes))] if (root / "app.py").exists() else []
    for package in PACKAGES:
        lines += _folder_lines(root / package, root, notes)
    lines += [(name, describe(root / name, root, notes)) for name in ROOT_FILES]
    lines.append(("var/", notes["var/"]))
    width = max(len(name) for name, _ in lines) + 2
    return "```\n" + "".join(f"{name:<{width}}{note}\n" for name, note in lines) + "```\n"


def describe(path: Path, root: Path, notes: Mapping[str, str]) -> str:
    """The first sentence of a file's docstring or opening comment; its note, if it can have neither."""
    relative = path.relative_to(root).as_posix()
    if relative in notes:
        return notes[relative]
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".py":
        opening = ast.get_docstring(ast.parse(text)) or ""
    else:
        found = re.match(r"(?:#!.*\n)?\s*(?:#+|//|/\*+|<!--|\{#-?)\s*(?P<opening>\S[^\n]*)", text)
        opening = found["opening"] if found else ""
    first_line = re.sub(r"\s*(?:\*/|-->|-?#\})\s*$", "", opening.partition("\n")[0])
    sentence = re.split(r"\.(?:\s+(?![a-z])|$)", first_line)[0]  # not after "e.g. this"
    if not sentence:
        raise ValueError(
            f"{relative} does not say in its first line what it is. Add that, or a note in docs/readme.py."
        )
    return sentence


def with_block(text: str, name: str, body: str) -> str:
    """`text` with the part between the markers of `name` replaced by `body`.

    Raises:
        ValueError: the markers are not there exactly once.
    """
    pattern = re.compile(rf"(?<=\n)(<!-- {name}: [^\n]* -->\n).*?(<!-- /{name} -->\n)", re.DOTALL)
    replaced, count = pattern.subn(lambda match: match[1] + body + match[2], text)
    if count != 1:
        raise ValueError(f"README.md has {count} parts `{name}`; it needs exactly one pair of its markers.")
    return replaced


def rewritten(text: str) -> str:
    """README's text with both parts written anew."""
    return with_block(with_block(text, "settings", settings_table()), "files", file_tree())


def main() -> None:
    """Rewrite README.md if it is out of date."""
    old = README.read_text(encoding="utf-8")
    new = rewritten(old)
    if new != old:
        README.write_text(new, encoding="utf-8")
    sys.stdout.write("README.md is written anew\n" if new != old else "README.md is up to date\n")


def _folder_lines(
    folder: Path, root: Path, notes: Mapping[str, str], depth: int = 0
) -> Iterator[tuple[str, str]]:
    init = folder / "__init__.py"
    note = notes.get(f"{folder.relative_to(root).as_posix()}/", "")
    indent = "  " * (depth + 1)
    yield f"{'  ' * depth}{folder.name}/", describe(init, root, notes) if init.exists() else note
    patterns = [pattern for pattern in notes if "*" in pattern]
    covered = {path for pattern in patterns for path in root.glob(pattern)}
    for pattern in patterns:
        if _anchor(pattern, root, covered) == folder:
            yield f"{indent}{Path(pattern).relative_to(folder.relative_to(root)).as_posix()}", notes[pattern]
    children = sorted(
        child for child in folder.iterdir() if not child.name.startswith((".", "__", "node_modules"))
    )
    for file in children:
        if file.is_file() and file not in covered:
            yield f"{indent}{file.name}", describe(file, root, notes)
    for inner in children:
        if inner.is_dir() and _listed(inner, covered):
            yield from _folder_lines(inner, root, notes, depth + 1)


def _anchor(pattern: str, root: Path, covered: Collection[Path]) -> Path:
    """The folder under which a pattern's line stands: the nearest one above its files that has a line of its own."""
    parts = Path(pattern).parts
    fixed = next(number for number, part in enumerate(parts) if "*" in part)
    folder = root.joinpath(*parts[:fixed])
    while folder.parent != root and not _listed(folder, covered):
        folder = folder.parent
    return folder


def _listed(folder: Path, covered: Collection[Path]) -> bool:
    """Whether a folder holds a file that no pattern stands for."""
    files = (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return any(file not in covered for file in files)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return f"`{list(value)}`"
    return f"`{value}`" if value != "" else "empty"


def _meaning(field: FieldInfo) -> str:
    words = [field.description] if field.description else []
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    if choices:
        words.append("one of " + ", ".join(f"`{choice}`" for choice in choices))
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [
        f"{sign} {getattr(limit, key)}"
        for limit in field.metadata
        for key, sign in signs.items()
        if hasattr(limit, key)
    ]
    if bounds:
        words.append(", ".join(bounds))
    return "; ".join(words).replace("|", "\\|")


if __name__ == "__main__":
    main()
