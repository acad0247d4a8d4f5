"""Adds examples to an intent's YAML file as a person would: new lines below the last ones, and nothing else touched.

YAML libraries that write lose comments and wrap lines anew. So the file is only read as YAML, to learn where each list of
examples ends; the new ones are put there as text, and the result must read as the old content with the examples added.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from bot.errors import ContentError


def with_examples(text: str, added: Mapping[str, Sequence[str]], name: str) -> str:
    """The file's text with examples appended.

    Args:
        text: of an intent's file.
        added: language → examples that are not there yet.
        name: of the file, for messages.

    Raises:
        ContentError: the file is no intent, or is written in a way that cannot be added to by machine.
    """
    insertions = []
    for language, examples in added.items():
        if examples:
            insertions.append(_insertion(text, _list_of(text, language, name), examples))
    longer = text
    for place, inserted in sorted(insertions, reverse=True):
        longer = longer[:place] + inserted + longer[place:]
    _check(text, longer, added, name)
    return longer


def scalar(text: str) -> str:
    """`text` as a YAML value on one line, quoted only if it must be. Blanks and line ends become single blanks."""
    line = " ".join(text.split())
    return yaml.safe_dump([line], allow_unicode=True, width=10**9, default_flow_style=False)[2:].rstrip("\n")


def _list_of(text: str, language: str, name: str) -> yaml.SequenceNode:
    try:
        node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ContentError(f"{name} is no YAML: {error}. Mend it first.") from error
    for key in ("examples", language):
        values = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for found, value in values if found.value == key), None)
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise ContentError(
            f"{name} has no list examples.{language} to add to. Write it as the other intents do, then try again."
        )
    return node


def _insertion(text: str, node: yaml.SequenceNode, examples: Sequence[str]) -> tuple[int, str]:
    """Where to insert, and what."""
    if node.flow_style:
        last = node.value[-1].end_mark.index
        return last, "".join(f", {json.dumps(example, ensure_ascii=False)}" for example in examples)
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = "".join(f"{' ' * node.start_mark.column}- {scalar(example)}{newline}" for example in examples)
    last = node.value[-1].end_mark
    if last.column == 0 and last.index <= len(text):  # a block scalar ends where the next line begins
        return last.index, lines
    end = text.find("\n", last.index)
    return (end + 1, lines) if end >= 0 else (len(text), newline + lines)


def _check(before: str, after: str, added: Mapping[str, Sequence[str]], name: str) -> None:
    old = yaml.safe_load(before)
    longer = {language: [*old["examples"][language], *examples] for language, examples in added.items()}
    expected = {**old, "examples": {**old["examples"], **longer}}
    try:
        fits = yaml.safe_load(after) == expected
    except yaml.YAMLError:
        fits = False
    if not fits:
        raise ContentError(
            f"{name} is written in a way that examples cannot be added to by machine. Add them by hand: {dict(added)}"
        )
