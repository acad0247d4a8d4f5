"""Questions of which it is known what answers them: the articles' own, the team's, and customers' that people judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.calibration import LabelledQuestion
from retrieval.chunking import headings
from retrieval.evidence import Contents

_MOST_EXAMPLES = 4_000  # known questions that ranking and scores are learned from
_HIDDEN = 4  # one of so many questions is to have no answer


@dataclass(frozen=True)
class KnownQuestions:
    """Text → the articles (by number) that answer it: none for what nothing answers.

    Of those that are answered some are `hidden`: they are learned from as if the articles that answer them were not there.
    What is left looks like what a customer asks about a thing that no article covers, though its neighbours do.
    """

    right: Mapping[str, frozenset[int]]
    hidden: frozenset[str]
    judged: frozenset[str]

    def examples(self) -> list[int]:
        """The numbers of the questions that ranking and scores are learned from: what customers asked last, and others evenly."""
        judged = [row for row, text in enumerate(self.right) if text in self.judged][-_MOST_EXAMPLES:]
        others = [row for row, text in enumerate(self.right) if text not in self.judged]
        room = min(len(others), _MOST_EXAMPLES - len(judged))
        places = np.linspace(0, len(others) - 1, room).round().astype(int)
        return sorted({*judged, *(others[place] for place in places)})


def known_questions(
    contents: Contents, labelled: Sequence[LabelledQuestion], judged: Sequence[LabelledQuestion] = ()
) -> KnownQuestions:
    """What is known: listed questions, labelled ones, and customers' own in the order in which they were asked.

    What is a title is none. Each passage begins with it: it finds its article too well to judge a customer's words by.
    """
    number = {id_: row for row, id_ in enumerate(contents.ids)}

    def numbers(question: LabelledQuestion) -> frozenset[int]:
        return frozenset(number[id_] for id_ in question.articles if id_ in number)

    right: dict[str, frozenset[int]] = {}
    for face in contents.faces:
        for text in face.questions:
            if text != face.title:
                right[text] = right.get(text, frozenset()) | {number[face.id]}
    listed = list(right)
    for question in labelled:
        right[question.text] = right.get(question.text, frozenset()) | numbers(question)
    named = {question.text for question in labelled}
    # Where the article that answered is gone, nothing is known; what the team says itself counts for more than a vote.
    asked = {
        one.text: numbers(one)
        for one in judged
        if one.text not in right and bool(numbers(one)) == bool(one.articles)
    }
    own = [text for row, text in enumerate(listed) if row % _HIDDEN == _HIDDEN - 1 and text not in named]
    hidden = [
        text for text in (*own, *_hidden(asked)) if len(right.get(text, asked.get(text, ()))) < len(number)
    ]
    return KnownQuestions({**right, **asked}, frozenset(hidden), frozenset(asked))


def with_headings(contents: Contents, known: Mapping[str, frozenset[int]]) -> dict[str, frozenset[int]]:
    """`known`, and after it the articles' titles and headings: worth learning from, but no customer's words to be judged by."""
    number = {id_: row for row, id_ in enumerate(contents.ids)}
    learned = dict(known)
    for face in contents.faces:
        for heading in (face.title, *headings(face)):
            learned[heading] = learned.get(heading, frozenset()) | {number[face.id]}
    return learned


def _hidden(asked: Mapping[str, frozenset[int]]) -> list[str]:
    """So many answered questions that with those that nothing answers they are one of `_HIDDEN`, evenly spread.

    People judge answers; what the bot rightly said nothing to, hardly anybody votes on. Learned from alone, what was judged
    would say that nearly every question has an answer.
    """
    answered = [text for text, right in asked.items() if right]
    wanted = len(asked) // _HIDDEN - (len(asked) - len(answered))
    places = np.linspace(0, len(answered) - 1, max(0, wanted)).round().astype(int)
    return [answered[place] for place in places]
