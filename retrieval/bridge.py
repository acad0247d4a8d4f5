"""Words that say the same in Chinese and in English, learned from texts that exist in both: keywords cross the language.

A question in English shares no word with an article in Chinese. But articles in both languages show that "invoice"
stands where 发票 stands, and with that the question finds an article about 发票 that nobody has translated yet.

The words' probabilities are those of IBM's first model of translation (Brown et al., 1993): every word of a text may
have come from any word of its counterpart, and of all explanations the likeliest is found by repeated counting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.documents import Article, Passage
from retrieval.errors import IndexMismatch
from retrieval.keywords import is_chinese, tokenize
from retrieval.publish import write_atomically
from retrieval.sentences import sentences

Pair = tuple[str, str]  # a text in Chinese and one in English that say the same

_ROUNDS = 6
_CHANCE = 1e-4  # that a word came from none of its counterpart's
_DOUBT = 1.0  # as if each word had been seen once more, in a text that explains nothing
_LEAST = 0.15  # probability below which a word is no translation
_MOST = 4  # translations of a word

_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class WordBridge:
    """Token → tokens of the other language that say the same, with the probability (0 to 1) that they do."""

    translations: Mapping[str, Mapping[str, float]]

    def ways_to_say(self, token: str) -> dict[str, float]:
        """The token itself (1.0) and its translations."""
        return {token: 1.0, **self.translations.get(token, {})}

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        write_atomically(path, json.dumps(self.translations, ensure_ascii=False).encode())

    @classmethod
    def load(cls, path: Path) -> WordBridge:
        """Read it.

        Raises:
            IndexMismatch: it is damaged.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            return cls({token: {t: float(p) for t, p in others.items()} for token, others in stored.items()})
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise IndexMismatch(f"{path} cannot be read ({error}). Run `kefu index`.") from error


def learn_bridge(pairs: Sequence[Pair]) -> WordBridge:
    """Learn which words say the same.

    Args:
        pairs: a Chinese and an English text each; the shorter they are, the more they tell. Numbers and names are
            left out, since both languages write them alike.
    """
    words = [(_words(zh, chinese=True), _words(en, chinese=False)) for zh, en in pairs]
    words = [(zh, en) for zh, en in words if zh and en]
    reverse = [(en, zh) for zh, en in words]
    return WordBridge({**_translations(words), **_translations(reverse)})


def parallel_texts(faces: Sequence[Article], passages: Sequence[Passage]) -> list[Pair]:
    """What the two faces of an article say alike: titles, listed questions, and, where both are built alike, sentences."""
    found = {(face.id, face.language): face for face in faces}
    parts: dict[tuple[str, str], list[Passage]] = {}
    for passage in passages:
        parts.setdefault((passage.article_id, passage.language), []).append(passage)
    pairs = []
    for article, language in found:
        if language == "zh" and (article, "en") in found:
            zh, en = found[article, "zh"], found[article, "en"]
            pairs.append((zh.title, en.title))
            pairs.append(("\n".join(zh.questions), "\n".join(en.questions)))
            pairs += _aligned(parts.get((article, "zh"), ()), parts.get((article, "en"), ()))
    return pairs


def _aligned(chinese: Sequence[Passage], english: Sequence[Passage]) -> Iterator[Pair]:
    if len(chinese) != len(english):
        yield "\n".join(one.text for one in chinese), "\n".join(one.text for one in english)
        return
    for zh, en in zip(chinese, english, strict=True):
        yield "".join(zh.headings[-1:]), "".join(en.headings[-1:])
        said = sentences(zh.text), sentences(en.text)
        if len(said[0]) == len(said[1]):
            yield from zip(*said, strict=True)
        else:
            yield zh.text, en.text


def _words(text: str, *, chinese: bool) -> list[str]:
    """The words of one of the languages in a text, each once."""
    unique = dict.fromkeys(tokenize(text))
    return [token for token in unique if not _DIGIT.search(token) and is_chinese(token) is chinese]


def _translations(pairs: Sequence[tuple[list[str], list[str]]]) -> dict[str, dict[str, float]]:
    """For each word on the left, the likeliest words on the right that it was turned into."""
    if not pairs:
        return {}
    sources, targets = _numbered(pairs, 0), _numbered(pairs, 1)
    # Every word of a text with every word of its counterpart, a row each.
    crossed = [
        _crossed(n, [sources[w] for w in a], [targets[w] for w in b]) for n, (a, b) in enumerate(pairs)
    ]
    pair, source, target = np.concatenate(crossed, axis=1)
    links, link = np.unique(source * len(targets) + target, return_inverse=True)
    _, place = np.unique(pair * len(targets) + target, return_inverse=True)
    source_of = links // len(targets)
    probability = 1.0 / np.bincount(source_of)[source_of]
    for _ in range(_ROUNDS):
        share = probability[link] / (np.bincount(place, probability[link]) + _CHANCE)[place]
        counted = np.bincount(link, share, minlength=len(links))
        probability = counted / (np.bincount(source_of, counted) + _DOUBT)[source_of]
    return _likeliest(probability, links, list(sources), list(targets))


def _numbered(pairs: Sequence[tuple[list[str], list[str]]], side: int) -> dict[str, int]:
    """Every word of a side with a number."""
    return {
        word: number for number, word in enumerate(dict.fromkeys(w for pair in pairs for w in pair[side]))
    }


def _crossed(number: int, source: Sequence[int], target: Sequence[int]) -> NDArray[np.int64]:
    """Shape (3, len(source) * len(target)): the pair's number, a source, a target."""
    grid = np.meshgrid([number], source, target, indexing="ij")
    return np.stack([part.ravel() for part in grid]).astype(np.int64)


def _likeliest(
    probability: NDArray[np.float64], links: NDArray[np.int64], sources: Sequence[str], targets: Sequence[str]
) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for number in np.argsort(-probability, kind="stable"):
        if probability[number] < _LEAST:
            break
        source, target = divmod(int(links[number]), len(targets))
        translations = found.setdefault(sources[source], {})
        if len(translations) < _MOST:
            translations[targets[target]] = round(float(probability[number]), 4)
    return found
