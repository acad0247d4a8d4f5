"""Puts values into the places of a text. A whole number chooses between the word for one and the word for any other number."""

from __future__ import annotations


class Count(int):
    """A number in a text: `{n:turn/turns}` is the word for one of it, or for any other number."""

    def __format__(self, wanted: str) -> str:
        """One of the two words, or the number as Python writes it."""
        one, slash, others = wanted.partition("/")
        if not slash:
            return super().__format__(wanted)
        return one if self == 1 else others


def filled(text: str, **values: object) -> str:
    """`text` with values in the places that name them: "{n} {n:turn/turns}" with n=1 is "1 turn"."""
    return text.format(
        **{name: Count(value) if isinstance(value, int) else value for name, value in values.items()}
    )
