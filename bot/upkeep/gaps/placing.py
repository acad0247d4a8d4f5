"""Puts new content into the knowledge base: checked as a whole before it is there, whole when it is, and taken back on failure."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.answering.templates import TemplateBook
from bot.content import MESSAGES_FILE, load_content
from bot.errors import ContentError
from bot.upkeep.gaps.drafts import Draft
from retrieval.front_matter import split_front_matter
from retrieval.publish import write_atomically
from retrieval.readers import guess_language, read_file

INTENTS = "intents"
_ID = "[a-z0-9]+(?:-[a-z0-9]+)*"
_PLACE = re.compile(rf"{INTENTS}/{_ID}\.yaml|articles/(?:zh|en)/{_ID}\.md")


@dataclass(frozen=True)
class Change:
    """A file of the knowledge base as it shall be; `before` is what is there now, None for a new file."""

    name: str  # its place in the knowledge base
    text: str
    before: bytes | None = None


def new_file(knowledge_base: Path, draft: Draft) -> Change:
    """The change that makes a draft a file.

    Raises:
        ContentError: its name cannot be used, or is taken.
    """
    if not _PLACE.fullmatch(draft.name):
        raise ContentError(
            f"{draft.name!r} cannot be the place of new content. An id has small letters, digits and single hyphens: "
            "--id NAME, or `id:` in the draft."
        )
    if (knowledge_base / draft.name).exists():
        raise ContentError(
            f"{draft.name} is there already. Choose another id: --id NAME, or `id:` in the draft."
        )
    return Change(draft.name, draft.text)


def read_draft(path: Path) -> Draft:
    """A draft that a person has worked on; its own `id` (and an article's `language`) say where it belongs.

    Raises:
        ContentError: it cannot be read, or is neither an intent (.yaml) nor an article (.md).
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError(
            f"{path} cannot be read: {error}. Save it as UTF-8, and name it with its folder."
        ) from error
    if path.suffix == ".md":
        values = split_front_matter(text, path.name).values
        return Draft(
            f"articles/{values.get('language', guess_language(text))}/{values.get('id', path.stem)}.md", text
        )
    if path.suffix not in (".yaml", ".yml"):
        raise ContentError(f"{path} is no draft: an intent's ends in .yaml, an article's in .md.")
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ContentError(
            f"{path} is no YAML: {error}. Quote values that hold a colon or a brace."
        ) from error
    name = values.get("id", path.stem) if isinstance(values, dict) else path.stem
    return Draft(f"{INTENTS}/{name}.yaml", text)


def check(knowledge_base: Path, changes: Sequence[Change], articles: Collection[tuple[str, str]]) -> None:
    """Check the whole content as it would be with the changes, in a scratch copy.

    Args:
        knowledge_base: the team's content.
        changes: what shall be different.
        articles: id and language of every article that there is.

    Raises:
        ContentError: something would be wrong; says what. Nothing has been changed.
    """
    with tempfile.TemporaryDirectory(prefix="kefu-draft-") as scratch:
        copy = Path(scratch)
        shutil.copytree(knowledge_base / INTENTS, copy / INTENTS)
        shutil.copy(knowledge_base / MESSAGES_FILE, copy)
        for change in changes:
            target = copy / change.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(change.text.encode())
        try:
            content = load_content(copy)
            TemplateBook(content)
        except ContentError as error:
            raise ContentError(str(error).replace(f"{copy}/", "")) from error
        new = _check_articles(copy, changes, articles)
    known = {name for name, _ in articles} | new
    lost = [
        f"{INTENTS}/{intent.id}.yaml: articles names {name!r}, which does not exist"
        for intent in content.intents.values()
        for name in intent.articles
        if name not in known
    ]
    if lost:
        raise ContentError("An intent would name articles that are not there:\n  " + "\n  ".join(lost))


def _check_articles(copy: Path, changes: Sequence[Change], articles: Collection[tuple[str, str]]) -> set[str]:
    """Ids of the new articles."""
    ids = set()
    for change in changes:
        if change.name.endswith(".md"):
            found, problems = read_file(copy / change.name, copy)
            if problems:
                raise ContentError("The article has mistakes:\n  " + "\n  ".join(map(str, problems)))
            for article in found:
                if (article.id, article.language) in articles:
                    raise ContentError(
                        f"There is an article {article.id!r} in {article.language!r} already. Choose another id."
                    )
                ids.add(article.id)
    return ids


@contextmanager
def placed(knowledge_base: Path, changes: Sequence[Change]) -> Iterator[None]:
    """Move the changes into place; if that or what follows inside fails, everything is as it was before.

    Raises:
        ContentError: a file cannot be written, or somebody has just changed it.
    """
    done: list[Change] = []
    try:
        for change in changes:
            _put(knowledge_base, change)
            done.append(change)
        yield
    except BaseException:
        for change in done:
            _take_back(knowledge_base, change)
        raise


def _put(knowledge_base: Path, change: Change) -> None:
    path = knowledge_base / change.name
    try:
        if (path.read_bytes() if path.exists() else None) != change.before:
            raise ContentError(
                f"{change.name} has just been changed by somebody else. Look at it, then try again."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, change.text.encode())
    except OSError as error:
        raise ContentError(
            f"{path} cannot be written: {error.strerror or error}. Nothing was changed; make room or make it writable."
        ) from error


def _take_back(knowledge_base: Path, change: Change) -> None:
    path = knowledge_base / change.name
    if change.before is None:
        path.unlink(missing_ok=True)
    else:
        write_atomically(path, change.before)
