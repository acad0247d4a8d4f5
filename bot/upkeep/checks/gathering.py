"""Gathers what the checks look at: reads the knowledge base, the index's vectors and the log, once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.content import Content, load_content
from bot.learning import intent_encoder, intent_examples, open_index
from bot.memory.store import Store
from bot.safety.wordlist import WordList
from bot.settings import Settings
from bot.understanding.corrections import read_corrections
from bot.understanding.language import to_simplified
from bot.upkeep.checks.log_window import log_window
from bot.upkeep.checks.materials import LogWindow, Materials
from retrieval.build import VECTOR_CACHE
from retrieval.cleaning import decode
from retrieval.documents import Article
from retrieval.encoder import Encoder
from retrieval.errors import DocumentError
from retrieval.publish import current
from retrieval.readers import read_articles
from retrieval.vector_cache import CachedEncoder

_WRITTEN_BY_HAND = (".md", ".txt", ".yaml")  # files whose lines a person sees


def gather(settings: Settings, encoder: Encoder, *, since: datetime, soon: int) -> Materials:
    """Everything that is checked, as it is now. Writes nothing.

    Args:
        settings: the bot's.
        encoder: the one that the index was built with; it encodes only what the index does not hold.
        since: log turns before it are not looked at (with time zone).
        soon: days ahead in which an end of validity is worth a warning.

    Raises:
        ContentError, DocumentError: an intent, the messages or an article cannot be read; lists every mistake.
        IndexMissing, IndexMismatch: there is no index, or it does not fit or is damaged.
        StoreError: the log cannot be read.
    """
    content = load_content(settings.knowledge_base)
    articles = _articles(settings.knowledge_base)
    index = open_index(settings, encoder)
    examples = intent_examples(content, index)
    known = _with_known_vectors(settings, encoder)
    return Materials(
        content=content,
        articles=articles,
        lines=_lines(settings.knowledge_base),
        encoder=known,
        reader=intent_encoder(settings, known, examples.texts),
        examples=examples,
        corrections=tuple(read_corrections(settings.intent_corrections_path)),
        log=_log(settings.log_path, since, content),
        today=datetime.now(ZoneInfo(settings.time_zone)).date(),
        soon=soon,
        passage_limit=settings.retrieval.passage_characters,
        index=str(index.manifest["generation"]),
        unwanted=WordList(settings.safety.unwanted_words, to_simplified),
    )


def _articles(knowledge_base: Path) -> tuple[Article, ...]:
    articles, problems = read_articles(knowledge_base)
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise DocumentError(f"{len(problems)} problem(s) in {knowledge_base}; mend them first:\n{listed}")
    return articles


def _lines(knowledge_base: Path) -> dict[str, tuple[str, ...]]:
    """The lines of each file that people write by hand, by its path in the knowledge base."""
    found = {}
    for path in sorted(knowledge_base.rglob("*")):
        if path.suffix.lower() in _WRITTEN_BY_HAND and path.is_file():
            text = decode(path.read_bytes())
            if text is not None:
                found[path.relative_to(knowledge_base).as_posix()] = tuple(text.splitlines())
    return found


def _with_known_vectors(settings: Settings, encoder: Encoder) -> Encoder:
    """The encoder with the vectors of all texts that the index was built from."""
    generation = current(settings.index_path)
    return CachedEncoder(encoder, None if generation is None else generation / VECTOR_CACHE)


def _log(path: Path, since: datetime, content: Content) -> LogWindow | None:
    """The log's figures; None where nobody has asked anything yet."""
    if not path.exists():
        return None
    with Store(path) as store:
        return log_window(store.logged(since=since), since, content)
