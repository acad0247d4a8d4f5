"""What greedy decoding needs besides a model: guesses copied from the prompt, loops noticed, pieces joined to text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_LONGEST_MATCH = 8
_LOOP = 8  # tokens; that many repeated are no accident
_UNFINISHED = "\ufffd"  # what a decoder shows for the first bytes of a character


def copied_guess(tokens: Sequence[int], start: int, length: int) -> list[int]:
    """Guess the next tokens: those that followed the last ones when they stood in the text before.

    An answer repeats its passages, so the guess is often right, and a model checks several guessed tokens in hardly
    more time than it needs for one. The longest match wins, the later of equals (the answer itself comes last).

    Args:
        tokens: prompt and answer so far.
        start: where to begin to look: after the worked examples, which no answer should repeat.
        length: most tokens to guess.

    Returns:
        Up to `length` tokens; none if the last two stood nowhere before.
    """
    best, best_end = 1, -1
    last = len(tokens) - 1
    for end in range(last - 1, start, -1):
        if tokens[end] != tokens[last] or tokens[end - 1] != tokens[last - 1]:
            continue
        matched = 2
        while (
            matched < _LONGEST_MATCH
            and end - matched >= start
            and tokens[end - matched] == tokens[last - matched]
        ):
            matched += 1
        if matched > best:
            best, best_end = matched, end
    return list(tokens[best_end + 1 : best_end + 1 + length]) if best_end >= 0 else []


def is_looping(written: Sequence[int]) -> bool:
    """Whether the last eight tokens were written before: a base model that starts to repeat itself never stops."""
    if len(written) <= _LOOP:
        return False
    tail = list(written[-_LOOP:])
    return any(list(written[i : i + _LOOP]) == tail for i in range(len(written) - _LOOP))


def agreeing(guess: Sequence[int], chosen: Sequence[int]) -> int:
    """How many guessed tokens the model would have chosen itself, before the first that it would not."""
    for count, token in enumerate(guess):
        if token != chosen[count]:
            return count
    return len(guess)


class PieceJoiner:
    """Turns tokens into pieces of text as they come: whole characters only, nothing from a stop string on."""

    def __init__(self, decode: Callable[[Sequence[int]], str], stops: Sequence[str]) -> None:
        """Take the tokenizer's `decode` and the strings that end an answer."""
        self._decode = decode
        self._stops = [stop for stop in stops if stop]
        self._tokens: list[int] = []
        self._given = 0
        self.stopped = False

    def add(self, token: int) -> str:
        """The text that `token` completes; may be empty. After a stop string nothing comes any more."""
        self._tokens.append(token)
        return self._release(final=False)

    def rest(self) -> str:
        """What was held back because a stop string could have begun there; to be called when writing is over."""
        return self._release(final=True)

    def _release(self, *, final: bool) -> str:
        if self.stopped:
            return ""
        text = self._decode(self._tokens).lstrip()  # an answer begins with a word, wherever its label ended
        found = [position for stop in self._stops if (position := text.find(stop)) >= 0]
        if found:
            self.stopped = True
            end = min(found)
        else:
            end = len(text.rstrip(_UNFINISHED)) if final else self._safe_end(text)
        piece = text[self._given : end]
        self._given = max(self._given, end)
        return piece

    def _safe_end(self, text: str) -> int:
        """Up to where `text` can be given out: no half character, no half stop string."""
        end = len(text.rstrip(_UNFINISHED))
        for stop in self._stops:
            for length in range(min(len(stop) - 1, end), 0, -1):
                if text.startswith(stop[:length], end - length):
                    end -= length
                    break
        return end
