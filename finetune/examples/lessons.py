"""Written lessons: what a good answer looks like, as articles of a trade and talks about them, in both languages.

A trade is a folder with two files. `articles.jsonl` holds one article a line: `id`, `language`, `title`, `text`
(Markdown); the same `id` in both languages is the same topic. A trade without this file talks about the articles of
`knowledge_base/`. `talks.jsonl` holds one talk a line: `id`, `language`,
`turns`; a turn has a `question`, the `article` that answers it and the `answer`, made of that article's own sentences.
Where no article of the trade answers, `article` is null and `answer` is empty.

`python -m finetune.examples.lessons FOLDER …` checks trades and prints what is wrong.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.answering.support import check
from bot.conversation import Language
from finetune.errors import LessonError
from retrieval.documents import Article
from retrieval.readers import read_articles
from retrieval.sentences import sentences

TALKS = Path(__file__).parents[1] / "talks"  # the lessons that come with Kefu


Articles = dict[tuple[Language, str], Article]  # by language and id


@dataclass(frozen=True)
class LessonTurn:
    """A question with its answer; `article` is None where no article of the trade answers it."""

    question: str
    article: str | None
    answer: str


@dataclass(frozen=True)
class LessonTalk:
    """A talk of one customer, oldest turn first."""

    id: str
    language: Language
    turns: tuple[LessonTurn, ...]


@dataclass(frozen=True)
class Trade:
    """All lessons of one trade."""

    name: str
    articles: Articles
    talks: tuple[LessonTalk, ...]


def load_trade(folder: Path, knowledge_base: Path = Path("knowledge_base")) -> Trade:
    """Read and check the lessons of one trade.

    Args:
        folder: the trade's.
        knowledge_base: where the articles are if the trade has none of its own.

    Raises:
        LessonError: something is wrong; lists every mistake with its file and line.
    """
    problems: list[str] = []
    own = folder / "articles.jsonl"
    articles = _own_articles(own, problems) if own.exists() else _shop_articles(knowledge_base)
    talks = [
        talk
        for place, row in _rows(folder / "talks.jsonl", problems)
        if (talk := _talk(place, row, articles, problems)) is not None
    ]
    twice = [name for name, count in Counter(talk.id for talk in talks).items() if count > 1]
    problems += [f"{folder}: talk {name!r} stands twice" for name in twice]
    if problems:
        raise LessonError(f"{len(problems)} mistakes in the lessons:\n  " + "\n  ".join(problems))
    return Trade(folder.name, articles, tuple(talks))


def trades(root: Path = TALKS) -> list[Path]:
    """The folders of all trades below `root`, by name."""
    return [path.parent for path in sorted(root.glob("*/talks.jsonl"))]


def _own_articles(path: Path, problems: list[str]) -> Articles:
    articles: Articles = {}
    for place, row in _rows(path, problems):
        article = _article(place, row, problems)
        if article is None:
            continue
        key = Language(article.language), article.id
        if key in articles:
            problems.append(f"{place}: a second {article.language} article {article.id!r}")
        articles[key] = article
    return articles


def _shop_articles(knowledge_base: Path) -> Articles:
    read, _ = read_articles(knowledge_base)
    return {(Language(article.language), article.id): article for article in read}


def _rows(path: Path, problems: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path} cannot be read: {error}")
        return
    for number, line in enumerate(lines, start=1):
        place = f"{path.parent.name}/{path.name}:{number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            problems.append(f"{place}: no JSON ({error})")
            continue
        if isinstance(row, dict):
            yield place, row
        else:
            problems.append(f"{place}: a JSON object is expected, not {type(row).__name__}")


def _article(place: str, row: dict[str, Any], problems: list[str]) -> Article | None:
    try:
        language = Language(row["language"]).value
        name, title, text = (_text(row, field) for field in ("id", "title", "text"))
    except (KeyError, ValueError) as error:
        problems.append(f"{place}: needs id, language (zh or en), title and text ({error!r})")
        return None
    return Article(name, language, title, text, path=place)


def _text(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} is {value!r}")
    return value


def _talk(
    place: str,
    row: dict[str, Any],
    articles: Articles,
    problems: list[str],
) -> LessonTalk | None:
    try:
        language = Language(row["language"])
        turns = tuple(LessonTurn(turn["question"], turn["article"], turn["answer"]) for turn in row["turns"])
        talk = LessonTalk(row["id"], language, turns)
    except (KeyError, ValueError, TypeError) as error:
        problems.append(f"{place}: needs id, language and turns of question, article, answer ({error!r})")
        return None
    if not talk.turns:
        problems.append(f"{place}: a talk without turns")
    for number, turn in enumerate(talk.turns, start=1):
        problems += [f"{place} turn {number}: {problem}" for problem in _problems(turn, language, articles)]
    return talk


def _problems(turn: LessonTurn, language: Language, articles: Articles) -> Iterator[str]:
    if not turn.question.strip():
        yield "the question is empty"
    if turn.article is None:
        if turn.answer:
            yield "no article answers, so the answer must be empty"
        return
    article = articles.get((language.content, turn.article))
    if article is None:
        yield f"there is no {language.content} article {turn.article!r}"
        return
    if not turn.answer.strip():
        yield "the answer is empty"
    for sentence in sentences(turn.answer):
        verdict = check(sentence, [f"{article.title}\n\n{article.body}"])
        if not verdict.supported:
            yield f"{sentence.strip()!r} does not stay with {turn.article!r}: {verdict.reason}"


def main(folders: list[str]) -> int:
    """Check the trades in `folders`; print mistakes and counts."""
    wrong = 0
    for folder in folders or map(str, trades()):
        try:
            trade = load_trade(Path(folder))
        except LessonError as error:
            wrong += 1
            sys.stdout.write(f"{folder}: {error}\n")
            continue
        turns = [(talk.language.value, turn.article is None) for talk in trade.talks for turn in talk.turns]
        counts = ", ".join(
            f"{'unanswerable' if none else 'answered'} {language} {count}"
            for (language, none), count in sorted(Counter(turns).items())
        )
        sys.stdout.write(
            f"{folder}: {len(trade.articles)} articles, {len(trade.talks)} talks; turns: {counts}\n"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
