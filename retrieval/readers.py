"""Files to articles: Markdown, text, HTML, PDF, Word, PowerPoint, and tables of question–answer pairs.

Every file that cannot be used is a `Problem` that names the file, the line where known, and the fix; reading goes
on with the next one, so that an editor sees all of them at once.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import structlog
from markitdown import DocumentConverter, StreamInfo
from markitdown.converters import DocxConverter, HtmlConverter, PdfConverter, PptxConverter

from retrieval.cleaning import decode, strip_html, strip_invisible, strip_markdown
from retrieval.documents import Article
from retrieval.front_matter import LANGUAGES, Problem, split_front_matter
from retrieval.spreadsheets import SUFFIXES as TABLES
from retrieval.spreadsheets import read_pairs

ARTICLES = "articles"
MAX_BYTES = 20 * 1024 * 1024
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")
_TEMPORARY = re.compile(r"^[.~#]|~$|\.(?:tmp|swp|swx|bak)$", re.IGNORECASE)
_HEADING = re.compile(r"\A\s*#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN = re.compile(r"[A-Za-z]")

log = structlog.get_logger(__name__)


def read_articles(knowledge_base: Path) -> tuple[tuple[Article, ...], tuple[Problem, ...]]:
    """Read every file under `knowledge_base/articles`, in order of path.

    Returns:
        The articles that can be used, and what is wrong with the others. An id may appear once in each language.
    """
    folder = knowledge_base / ARTICLES
    articles: list[Article] = []
    problems: list[Problem] = []
    for path in _files(folder):
        found, wrong = read_file(path, knowledge_base)
        articles += found
        problems += wrong
    if not articles and not problems:
        problems.append(Problem(str(folder), None, "there is no article", "Put .md files there"))
    problems += _duplicates(articles)
    return tuple(articles), tuple(problems)


def read_file(path: Path, knowledge_base: Path) -> tuple[list[Article], list[Problem]]:
    """Read one file: one article, or one a row for a table."""
    name = path.relative_to(knowledge_base).as_posix()
    suffix = path.suffix.lower()
    if suffix in _PICTURES:
        log.info("picture_skipped", path=name)
        return [], []
    if suffix not in READABLE:
        return [], [
            Problem(
                name, None, f"{suffix or 'no suffix'} cannot be read", f"Use one of: {', '.join(READABLE)}"
            )
        ]
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            return [], [Problem(name, None, f"it has {size} bytes, more than {MAX_BYTES}", "Split it")]
        if suffix in TABLES:
            return _pairs(path, knowledge_base)
        return _one_article(path, knowledge_base)
    except OSError as error:
        return [], [Problem(name, None, f"it cannot be read ({error.strerror or error})", "Make it readable")]


def guess_language(text: str) -> str:
    """`zh` if a good part of the letters is Chinese (product names in Latin letters do not count much), else `en`."""
    return "zh" if 3 * len(_HAN.findall(text)) > len(_LATIN.findall(text)) else "en"


def is_content(path: Path, folder: Path) -> bool:
    """Whether a file in `folder` is meant: not hidden, not an editor's temporary copy."""
    try:
        parts = path.relative_to(folder).parts
    except ValueError:
        parts = path.resolve().relative_to(folder.resolve()).parts
    return not any(_TEMPORARY.search(part) for part in parts)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and is_content(path, folder):
            yield path


def _duplicates(articles: list[Article]) -> Iterator[Problem]:
    first: dict[tuple[str, str], str] = {}
    for article in articles:
        key = (article.id, article.language)
        if key in first:
            what = f"article {article.id!r} in {article.language!r} is also in {first[key]}"
            yield Problem(article.path, None, what, "Give one of them another id, or remove it")
        first.setdefault(key, article.path)


def _pairs(path: Path, knowledge_base: Path) -> tuple[list[Article], list[Problem]]:
    name = path.relative_to(knowledge_base).as_posix()
    rows, problems = read_pairs(path, name)
    articles = []
    for line, values in rows:
        language = _language(values, path, knowledge_base, values["title"] + values["body"])
        article, wrong = _article({**values, "language": language}, f"{name}:{line}")
        articles += article
        problems += wrong
    return articles, problems


def _one_article(path: Path, knowledge_base: Path) -> tuple[list[Article], list[Problem]]:
    name = path.relative_to(knowledge_base).as_posix()
    data = path.read_bytes()
    values: Mapping[str, Any] = {}
    problems: list[Problem] = []
    if path.suffix.lower() == ".md":
        text = decode(data)
        if text is None:
            return [], [_undecodable(name)]
        front = split_front_matter(strip_invisible(text), name)
        values, problems, text = front.values, list(front.problems), strip_markdown(front.body)
    else:
        text, problem = _READERS[path.suffix.lower()](data, name)
        problems += [problem] if problem else []
    if problems:
        return [], problems
    title, body = _title_and_body(text, path.stem, values.get("title"))
    values = {
        "id": _id_of(path.stem),
        **values,
        "title": title,
        "body": body,
        "language": _language(values, path, knowledge_base, title + body),
    }
    return _article(values, name)


def _article(values: Mapping[str, Any], name: str) -> tuple[list[Article], list[Problem]]:
    if not values["body"].strip():
        return [], [Problem(name, None, "the article has no text", "Write its text, or remove the file")]
    start, end = values.get("valid_from"), values.get("valid_until")
    if start is not None and end is not None and start > end:
        what = f"valid_from {start} is after valid_until {end}"
        return [], [Problem(name, None, what, "Swap or mend the dates")]
    return [Article(path=name, **values)], []


def _language(values: Mapping[str, Any], path: Path, knowledge_base: Path, text: str) -> str:
    if "language" in values:
        return str(values["language"])
    for part in reversed(path.parent.relative_to(knowledge_base).parts):
        if part in LANGUAGES:
            return part
    return guess_language(text)


def _title_and_body(text: str, stem: str, title: str | None) -> tuple[str, str]:
    """The title (given, else the first heading, else the file's name) and the text without that heading."""
    text = text.strip()
    heading = _HEADING.match(text)
    if heading and (title is None or heading[1].strip() == title):
        return heading[1].strip(), text[heading.end() :].strip()
    return (" ".join(re.split(r"[-_\s]+", stem)) if title is None else title), text


def _id_of(stem: str) -> str:
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:100] or "article"


def _undecodable(name: str) -> Problem:
    return Problem(name, None, "it is no text in UTF-8 or GB18030", "Save it as UTF-8")


def _read_text(data: bytes, name: str) -> tuple[str, Problem | None]:
    text = decode(data)
    return ("", _undecodable(name)) if text is None else (strip_invisible(text), None)


def _read_html(data: bytes, name: str) -> tuple[str, Problem | None]:
    text = decode(data)
    if text is None:
        return "", _undecodable(name)
    return _convert(strip_html(text).encode(), name, ".html", charset="utf-8")


def _read_office(data: bytes, name: str) -> tuple[str, Problem | None]:
    return _convert(data, name, Path(name).suffix.lower())


def _convert(data: bytes, name: str, suffix: str, charset: str | None = None) -> tuple[str, Problem | None]:
    """Markdown of a file by the converter for its suffix alone: a broken .docx must not be read as plain text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # parsers warn about odd fonts and styles; only text matters here
            info = StreamInfo(extension=suffix, charset=charset)
            markdown = _CONVERTERS[suffix].convert(io.BytesIO(data), info).markdown
    except Exception as error:  # five parsers of other people's files: what they raise has no common root
        reason = " ".join(str(error).split())[:120]
        log.warning("conversion_failed", path=name, error=type(error).__name__)
        what = f"it cannot be converted ({reason if reason else type(error).__name__})"
        return "", Problem(name, None, what, "Open it, save it again, or write the article as .md")
    return strip_markdown(markdown), None


_CONVERTERS: Mapping[str, DocumentConverter] = {
    ".html": HtmlConverter(),
    ".pdf": PdfConverter(),
    ".docx": DocxConverter(),  # type: ignore[no-untyped-call]
    ".pptx": PptxConverter(),  # type: ignore[no-untyped-call]
}
_Reader = Callable[[bytes, str], tuple[str, Problem | None]]
_READERS: Mapping[str, _Reader] = {
    ".txt": _read_text,
    ".html": _read_html,
    ".htm": _read_html,
    ".pdf": _read_office,
    ".docx": _read_office,
    ".pptx": _read_office,
}
READABLE = (".md", *_READERS, *TABLES)
