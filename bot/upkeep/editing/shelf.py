"""What there is to edit: articles with their two language faces, and intents, as they lie in the folder now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from bot.content import OUT_OF_SCOPE_FILE
from bot.upkeep.editing.checking import INTENTS
from retrieval.documents import Article
from retrieval.readers import ARTICLES, is_content, read_file

LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Face:
    """One language of an article. `problem` says why its file cannot be used; then it has no more than a name."""

    file: str  # within the knowledge base
    title: str
    updated: date | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    owner: str = ""
    problem: str = ""

    @property
    def editable(self) -> bool:
        """Whether it is text that is edited here; a PDF is not."""
        return self.file.endswith(".md")

    def over(self, day: date) -> bool:
        """Whether it may not be quoted any more."""
        return self.valid_until is not None and self.valid_until < day


@dataclass(frozen=True)
class Topic:
    """An article: the faces that share an id."""

    id: str
    zh: Face | None = None
    en: Face | None = None

    def face(self, language: str) -> Face | None:
        """The face in a language."""
        return self.zh if language == "zh" else self.en

    @property
    def faces(self) -> tuple[Face, ...]:
        """Those that there are."""
        return tuple(face for face in (self.zh, self.en) if face is not None)


@dataclass(frozen=True)
class IntentLine:
    """An intent in the list. Its titles are empty if the file cannot be read."""

    id: str
    title_zh: str
    title_en: str
    handoff: str
    examples: int


class Shelf:
    """Reads the folder. What was read once is not read again before it changes."""

    def __init__(self, knowledge_base: Path) -> None:
        self._knowledge_base = knowledge_base
        self._articles: dict[Path, tuple[tuple[int, int], list[tuple[str, str, Face]]]] = {}
        self._intents: dict[Path, tuple[tuple[int, int], IntentLine]] = {}

    def topics(self) -> list[Topic]:
        """All articles by id."""
        folder = self._knowledge_base / ARTICLES
        faces: dict[str, dict[str, Face]] = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file() and is_content(path, folder):
                for name, language, face in self._read(path):
                    faces.setdefault(name, {}).setdefault(language, face)
        return [Topic(name, own.get("zh"), own.get("en")) for name, own in sorted(faces.items())]

    def topic(self, name: str) -> Topic | None:
        """One article."""
        return next((topic for topic in self.topics() if topic.id == name), None)

    def intents(self) -> list[IntentLine]:
        """All intents by id."""
        return [
            self._intent(path)
            for path in sorted((self._knowledge_base / INTENTS).glob("*.yaml"))
            if path.name != OUT_OF_SCOPE_FILE
        ]

    def articles(self) -> Iterable[Article]:
        """What can be read of the articles, for checks."""
        for topic in self.topics():
            for language, face in (("zh", topic.zh), ("en", topic.en)):
                if face is not None and not face.problem:
                    yield Article(topic.id, language, face.title, "", face.file)

    def _read(self, path: Path) -> list[tuple[str, str, Face]]:
        version = _version(path)
        known = self._articles.get(path)
        if known is None or known[0] != version:
            known = (version, list(self._faces(path)))
            self._articles[path] = known
        return known[1]

    def _faces(self, path: Path) -> Iterable[tuple[str, str, Face]]:
        articles, problems = read_file(path, self._knowledge_base)
        name = path.relative_to(self._knowledge_base).as_posix()
        if problems and not articles:
            language = path.parent.name if path.parent.name in LANGUAGES else "en"
            yield path.stem, language, Face(name, path.stem, problem=str(problems[0]))
        for each in articles:
            face = Face(
                each.path.partition(":")[0],
                each.title,
                each.updated,
                each.valid_from,
                each.valid_until,
                each.owner,
            )
            yield each.id, each.language, face

    def _intent(self, path: Path) -> IntentLine:
        version = _version(path)
        known = self._intents.get(path)
        if known is None or known[0] != version:
            known = (version, _intent_line(path))
            self._intents[path] = known
        return known[1]


def _intent_line(path: Path) -> IntentLine:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        title, examples = content["title"], content["examples"]
        return IntentLine(
            path.stem,
            str(title["zh"]),
            str(title["en"]),
            str(content.get("handoff", "never")),
            len(examples["zh"]) + len(examples["en"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
        return IntentLine(path.stem, "", "", "never", 0)


def _version(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size
