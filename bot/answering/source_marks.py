"""How the sentences of an answer and the numbers of their sources, [1], [2] …, are joined to one text."""

from __future__ import annotations

from retrieval.sentences import ends_in_chinese, is_list_item


def with_mark(text: str, mark: str) -> str:
    """Put the source number where it reads well: at the end, but on a line of its own under a table."""
    return (
        f"{text}\n\n{mark.strip()}" if text.rsplit("\n", 1)[-1].lstrip().startswith("|") else f"{text}{mark}"
    )


def joined(before: str, sentence: str) -> str:
    """`sentence` with what must stand between it and the text before it."""
    if not before:
        return sentence
    if is_list_item(sentence) or sentence.startswith("|"):
        return f"\n{sentence}"
    if is_list_item(before.rsplit("\n", 1)[-1]):
        return f"\n\n{sentence}"
    return sentence if ends_in_chinese(before) else f" {sentence}"
