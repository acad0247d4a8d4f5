"""An edited knowledge base before it is saved: a whole folder, or single files in place of those they are drafts of."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import yaml

from bot.content import MESSAGES_FILE, OUT_OF_SCOPE_FILE, Content, load_content
from bot.errors import ContentError
from retrieval.documents import Article
from retrieval.errors import DocumentError
from retrieval.readers import ARTICLES, read_articles, read_file

INTENTS = "intents"
_INTENT_FILES = (".yaml", ".yml")


@dataclass(frozen=True)
class Touched:
    """What an edit changes. Articles and intents by id; new and deleted ones count."""

    articles: tuple[str, ...]
    intents: tuple[str, ...]
    out_of_scope: bool  # the examples of what is nobody's business here
    messages: bool  # the wording around answers

    @property
    def nothing(self) -> bool:
        """Whether no answer can be another one."""
        return not (self.articles or self.intents or self.out_of_scope or self.messages)


@dataclass(frozen=True)
class Placed:
    """A draft, and the file of the knowledge base that it would become."""

    draft: Path
    target: PurePosixPath  # within the knowledge base
    new: bool


@dataclass(frozen=True)
class Edit:
    """An edited knowledge base as a folder of its own."""

    folder: Path
    placed: tuple[Placed, ...] = ()  # empty if a whole folder was named

    def in_users_words(self, message: str) -> str:
        """An error's message with the files that the user knows in place of those of the copy."""
        for each in self.placed:
            message = message.replace(str(self.folder / each.target), str(each.draft))
        return message.replace(str(self.folder), "the edited knowledge base") if self.placed else message


def edit_of(present: Path, paths: Sequence[Path], targets: Sequence[str], scratch: Path) -> Edit:
    """The knowledge base as it would be.

    Args:
        present: the knowledge base as it is.
        paths: a folder that holds a whole knowledge base, or drafts of single files.
        targets: for each draft the file that it is to replace, within the knowledge base; empty: by their ids.
        scratch: an empty folder, where the copy with the drafts in place is made.

    Raises:
        ContentError: a path or target cannot be used.
    """
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise ContentError(f"There is no file {missing[0]}. Name an edited file or knowledge base.")
    if targets and len(targets) != len(paths):
        raise ContentError(
            f"{len(paths)} files and {len(targets)} places were named. Give --as once for each file, or never."
        )
    folders = [path for path in paths if path.is_dir()]
    if folders:
        if len(paths) > 1 or targets:
            raise ContentError(f"{folders[0]} is a folder. Name one edited knowledge base, or single files.")
        return Edit(_knowledge_base_in(folders[0], present))
    placed = tuple(
        _placed(path, present, target)
        for path, target in zip(paths, targets if targets else [None] * len(paths), strict=True)
    )
    copy = scratch / "knowledge_base"
    shutil.copytree(present, copy, ignore=shutil.ignore_patterns(".git"))
    for each in placed:
        (copy / each.target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(each.draft, copy / each.target)
    return Edit(copy, placed)


def touched(present: Path, edit: Edit) -> Touched:
    """What the edited knowledge base has that the present one has not, and the other way round.

    Raises:
        ContentError, DocumentError: one of them has mistakes; lists them.
    """
    before_content, before = load_content(present), _articles(present)
    try:
        after_content, after = load_content(edit.folder), _articles(edit.folder)
    except (ContentError, DocumentError) as error:
        raise type(error)(edit.in_users_words(str(error))) from error
    faces = before.keys() | after.keys()
    return Touched(
        articles=tuple(sorted({face[0] for face in faces if before.get(face) != after.get(face)})),
        intents=_other_intents(before_content, after_content),
        out_of_scope=before_content.out_of_scope != after_content.out_of_scope,
        messages=before_content.messages != after_content.messages,
    )


def _other_intents(before: Content, after: Content) -> tuple[str, ...]:
    names = before.intents.keys() | after.intents.keys()
    return tuple(sorted(name for name in names if before.intents.get(name) != after.intents.get(name)))


def _articles(knowledge_base: Path) -> dict[tuple[str, str], Article]:
    """Each face by id and language, without the file it lies in."""
    found, problems = read_articles(knowledge_base)
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise DocumentError(f"{len(problems)} problem(s) in {knowledge_base}; nothing was changed:\n{listed}")
    return {(article.id, article.language): replace(article, path="") for article in found}


def _knowledge_base_in(folder: Path, present: Path) -> Path:
    """`folder`, or the knowledge base in it, if it is a checkout of more than that."""
    for candidate in (folder, folder / present.name):
        if (candidate / INTENTS).is_dir() or (candidate / ARTICLES).is_dir():
            return candidate
    raise ContentError(
        f"{folder} holds no knowledge base: there is neither {ARTICLES}/ nor {INTENTS}/. Name the folder that has both."
    )


def _placed(draft: Path, present: Path, target: str | None) -> Placed:
    place = _target_by_id(draft, present) if target is None else PurePosixPath(Path(target).as_posix())
    if place.is_absolute() or ".." in place.parts:
        raise ContentError(
            f"{place} lies outside the knowledge base. Give --as as a path within it, like articles/zh/returns.md."
        )
    return Placed(draft, place, new=not (present / place).exists())


def _target_by_id(draft: Path, present: Path) -> PurePosixPath:
    """Where the file lies that has the draft's id; where a new one would lie if none has it."""
    if draft.suffix.lower() in _INTENT_FILES:
        return _yaml_target(draft)
    whole = draft.resolve()
    articles, problems = read_file(
        whole, whole.parent.parent
    )  # the folder's name may say which language it is
    if not articles:
        reasons = "; ".join(map(str, problems)) if problems else "it is no article"
        raise ContentError(f"{draft} cannot be used: {reasons}")
    mine = articles[0]
    for article in read_articles(present)[0]:
        if (article.id, article.language) == (mine.id, mine.language):
            return PurePosixPath(article.path.partition(":")[0])  # a table's rows carry their line
    return PurePosixPath(ARTICLES) / mine.language / draft.name


def _yaml_target(draft: Path) -> PurePosixPath:
    """A draft that cannot be read keeps its name: what is wrong with it is said where all content is checked."""
    if draft.name == MESSAGES_FILE:
        return PurePosixPath(MESSAGES_FILE)
    try:
        content = yaml.safe_load(draft.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        content = None
    name = content.get("id") if isinstance(content, dict) else None
    if name == "out-of-scope":
        return PurePosixPath(INTENTS) / OUT_OF_SCOPE_FILE
    usable = isinstance(name, str) and PurePosixPath(name).name == name
    return PurePosixPath(INTENTS) / (f"{name}.yaml" if usable else f"{draft.stem}.yaml")
