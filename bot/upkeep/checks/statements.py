"""What articles and templates state, sentence by sentence, with what each clause of a sentence is about.

A number is about the words of its own clause: in 「金卡 15 天，铂金卡 30 天」 the 30 days are the platinum card's. A clause that
says next to nothing besides its number (「否则 10 元」) is read with the one before it, and a cell of a table with its column's
name and with what its row is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bot.content import Intent
from bot.upkeep.checks.materials import Materials
from bot.upkeep.checks.values import CODE, Value, values
from retrieval.chunking import plain_text, split
from retrieval.documents import Article
from retrieval.keywords import tokenize
from retrieval.sentences import sentences

_CLAUSE_END = re.compile(
    r"[，；：。！;!]|[,:](?!\d)|(?<![A-Za-z])(?:and|but|otherwise)(?![A-Za-z])|否则|但"
    r"|(?<![A-Za-z])(?=(?:if|unless|when|once|until)(?![A-Za-z]))",
    re.IGNORECASE,
)
_FEW_WORDS = 2
# What a sentence says of its subject, in the tokenizer's form: units, yes and no, the price. They are compared apart.
_SAID_OF_IT = frozenset(
    re.findall(
        r"\S+",
        "天 日 小时 分钟 秒 秒钟 星期 周 个月 月 年 工作日 元 块 块钱 次 积分 台 件 张 家 个 人 "
        "day hour minute second week month year work yuan rmb percent time point "
        "不能 不会 不用 不予 无需 无须 无法 禁止 拒绝 需要 免费 包邮 收费 付费 自费 自理 另付 支付 费用 承担 "
        "cannot never unable impossible need free charg pay paid cost expens",
    )
)
_SLOT = re.compile(r"\{[a-z_]+\}")


@dataclass(frozen=True)
class Source:
    """An article's or a template's face. `articles` are those that a template names; an article names itself."""

    owner: Article | Intent
    language: Literal["zh", "en"]
    title: str
    articles: frozenset[str]

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, id and language."""
        return type(self.owner).__name__, self.owner.id, self.language


@dataclass(frozen=True)
class Clause:
    """A part of a sentence.

    Args:
        text: as it is written.
        own: what it is about by its own words.
        words: the same with those that it is read with: of the clause before it, or of its table's row and column.
        values: what it states.
    """

    text: str
    own: frozenset[str]
    words: frozenset[str]
    values: frozenset[Value]


@dataclass(frozen=True)
class Statement:
    """A sentence, list item or table row of a source, under the headings `under`."""

    source: Source
    text: str
    under: tuple[str, ...]
    clauses: tuple[Clause, ...]
    is_row: bool = False

    @cached_property
    def words(self) -> frozenset[str]:
        """Its content words without digits."""
        return frozenset[str]().union(*(clause.words for clause in self.clauses))

    @cached_property
    def values(self) -> frozenset[Value]:
        """What it states."""
        return frozenset[Value]().union(*(clause.values for clause in self.clauses))

    @property
    def subject(self) -> str:
        """Title and headings: what it is about."""
        return " ".join((self.source.title, *self.under))

    @property
    def in_context(self) -> str:
        """The sentence under its title and headings, as passages are encoded."""
        return "\n".join((self.source.title, *self.under, self.text))

    @cached_property
    def named(self) -> frozenset[str]:
        """Words that it takes from its title and headings: how it says what it is about."""
        return content_words(self.subject) & self.words

    @cached_property
    def known(self) -> frozenset[str]:
        """Its words, and those of its title and headings."""
        return content_words(self.subject) | self.words

    @cached_property
    def codes(self) -> frozenset[str]:
        """Model names and other codes in it, its title and headings."""
        return frozenset(
            value.amount for value in values(f"{self.subject}\n{self.text}") if value.kind == CODE
        )


def statements(materials: Materials) -> Iterator[Statement]:
    """Every statement of every article that is valid today or later, and of every template."""
    for article in materials.articles:
        if article.valid_until is None or article.valid_until >= materials.today:
            yield from of_article(article, materials.passage_limit)
    for intent in materials.content.intents.values():
        yield from of_template(intent)


def of_article(article: Article, passage_limit: int) -> Iterator[Statement]:
    """An article's statements, in order."""
    language: Literal["zh", "en"] = "zh" if article.language == "zh" else "en"
    source = Source(article, language, article.title, frozenset({article.id}))
    for passage in split(article, passage_limit):
        under = tuple(heading for heading in passage.headings if heading != article.title)
        yield from _statements(source, passage.text, under)


def of_template(intent: Intent) -> Iterator[Statement]:
    """What a template says in both languages, in order."""
    for language, title, answer in (
        ("zh", intent.title.zh, intent.answer.zh),
        ("en", intent.title.en, intent.answer.en),
    ):
        source = Source(intent, "zh" if language == "zh" else "en", title, frozenset(intent.articles))
        yield from _statements(source, _SLOT.sub("", answer), ())


def content_words(text: str) -> frozenset[str]:
    """What a text in any language is about: its content words, without numbers and what is said of it (see above)."""
    return frozenset(
        word for word in tokenize(text) if word not in _SAID_OF_IT and not any(map(str.isdigit, word))
    )


def _statements(source: Source, markdown: str, under: tuple[str, ...]) -> Iterator[Statement]:
    header: list[str] | None = None
    for part in sentences(markdown):
        if not part.startswith("|"):
            header = None
            if not part.startswith("#"):
                text = plain_text(part)
                yield Statement(source, text, under, tuple(_clauses(text)))
            continue
        cells = [cell.strip() for cell in part.strip("| ").split("|")]
        if header is None:
            header = cells
        else:
            text = " | ".join(map(plain_text, cells))
            yield Statement(source, text, under, tuple(_cells(header, cells)), is_row=True)


def _clauses(sentence: str) -> Iterator[Clause]:
    before = frozenset[str]()
    for text in _CLAUSE_END.split(sentence):
        if not text.strip():
            continue
        own = content_words(text)
        words = own if len(own) >= _FEW_WORDS else own | before
        yield Clause(text.strip(), own, words, values(text))
        before = own


def _cells(header: Sequence[str], cells: Sequence[str]) -> Iterator[Clause]:
    """A row's first cell says what the row is about; each other one is a clause about that."""
    named = [f"{name} {cell}" for name, cell in zip(header, cells, strict=False)]
    about = content_words(named[0]) if named else frozenset[str]()
    for text in named:
        own = content_words(text)
        yield Clause(text, own, own | about, values(text))
