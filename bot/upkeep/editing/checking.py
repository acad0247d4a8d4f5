"""Checks the knowledge base as it would be with an edit, in a scratch copy, and says at which field something is wrong."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.answering.templates import TemplateBook
from bot.content import MESSAGES_FILE, Content, load_content
from bot.errors import ContentError
from bot.golden import GOLDEN_FILE, load_golden
from retrieval.documents import Article
from retrieval.front_matter import Problem, split_front_matter
from retrieval.readers import ARTICLES, read_file

INTENTS = "intents"
_PLACE = re.compile(
    rf"{INTENTS}/_?[a-z0-9_-]+\.yaml|{ARTICLES}/(?:[^/\\.][^/\\]*/)*[^/\\.][^/\\]*|{MESSAGES_FILE}|{GOLDEN_FILE}"
)
_FIELD = re.compile(r"([a-z_]+(?:\.[\w-]+)*)(?:: | (?=names ))(.+)", re.DOTALL)

Files = Mapping[str, bytes | None]  # path within the knowledge base → content; None: taken away


@dataclass(frozen=True)
class FieldProblem:
    """Something that must be mended: in which file, at which field of it ("" for the file), and what."""

    file: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: {self.message}" if self.field else f"{self.file}: {self.message}"


class EditRefused(ContentError):
    """Raised when an edit would make the knowledge base wrong; `problems` says where. Nothing has been changed."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "This cannot be saved yet:\n  " + "\n  ".join(str(problem) for problem in self.problems)
        )


def check_place(name: str) -> str:
    """The name, if it is a place where content may lie.

    Raises:
        ContentError: it is not.
    """
    if ".." in name.split("/") or not _PLACE.fullmatch(name):
        raise ContentError(
            f"{name!r} cannot be the place of content. An id has small letters, digits and single hyphens."
        )
    return name


def check_files(knowledge_base: Path, files: Files, articles: Iterable[Article]) -> None:
    """Check the knowledge base as it would be.

    Args:
        knowledge_base: the team's content.
        files: what shall be different.
        articles: those that there are now.

    Raises:
        EditRefused: something would be wrong; says what, and at which field.
        ContentError: a name is no place of content.
    """
    with tempfile.TemporaryDirectory(prefix="kefu-check-") as scratch:
        copy = Path(scratch)
        shutil.copytree(knowledge_base / INTENTS, copy / INTENTS)
        for name in (MESSAGES_FILE, GOLDEN_FILE):
            if (knowledge_base / name).exists():
                shutil.copy(knowledge_base / name, copy)
        for name, data in files.items():
            _place(copy / check_place(name), data)
        known = {(each.id, each.language): each.path for each in articles}
        known = {key: path for key, path in known.items() if path.partition(":")[0] not in files}
        problems = [*_content_problems(copy), *_article_problems(copy, files, known)]
    if problems:
        raise EditRefused(problems)


def _place(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _content_problems(copy: Path) -> Iterator[FieldProblem]:
    try:
        TemplateBook(load_content(copy))
        load_golden(copy)
    except ContentError as error:
        for line in str(error).replace(f"{copy}/", "").split("\n  ")[0 if "\n  " not in str(error) else 1 :]:
            yield _problem(line)


def _problem(line: str) -> FieldProblem:
    """`intents/a.yaml: answer.zh: braces do not pair up` taken apart."""
    file, colon, rest = line.partition(": ")
    if not colon or not file.endswith((".yaml", ".jsonl")):
        return FieldProblem("", "", line)
    found = _FIELD.fullmatch(rest)
    return FieldProblem(file, "", rest) if found is None else FieldProblem(file, found[1], found[2])


def _article_problems(
    copy: Path, files: Files, known: Mapping[tuple[str, str], str]
) -> Iterator[FieldProblem]:
    there = dict(known)
    for name, data in files.items():
        if data is None or not name.startswith(f"{ARTICLES}/"):
            continue
        found, problems = read_file(copy / name, copy)
        for problem in problems:
            yield FieldProblem(name, _key_at(problem, data), f"{problem.what}. {problem.fix}")
        for article in found:
            key = (article.id, article.language)
            if key in there:
                yield FieldProblem(
                    name, "id", f"article {article.id!r} is also in {there[key]}. Choose another id"
                )
            there[key] = name
    yield from _lost(copy, {name for name, _ in there})


def _key_at(problem: Problem, data: bytes) -> str:
    """The field of the front matter that a problem is about."""
    if "has no text" in problem.what:
        return "body"
    lines = split_front_matter(data.decode("utf-8", "replace"), problem.path).lines
    return next((key for key, line in lines.items() if line == problem.line), "")


def _lost(copy: Path, articles: set[str]) -> Iterator[FieldProblem]:
    try:
        content: Content = load_content(copy)
    except ContentError:
        return  # said already
    for intent in content.intents.values():
        for name in intent.articles:
            if name not in articles:
                yield FieldProblem(
                    f"{INTENTS}/{intent.id}.yaml", "articles", f"there is no article {name!r} (any more)"
                )
