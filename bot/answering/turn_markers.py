"""Turn markers: how a model sees where a turn ends and whose is next.

Prompts are rendered in Gemma's markers (the bundled model's). Another model gets them in its own, taken from its
tokenizer's chat template.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_USER, _MODEL = "\ue000user\ue000", "\ue001model\ue001"  # private characters: in no template and no text


@dataclass(frozen=True)
class TurnMarkers:
    """What stands before the first turn, between turns, and after the model's last words."""

    begin: str  # before the first user's turn
    to_model: str  # after a user's turn, before the model's
    to_user: str  # after a model's turn, before the user's
    end: str  # after the last model's turn; a model that writes this has finished


CANONICAL = TurnMarkers(
    begin="<start_of_turn>user\n",
    to_model="<end_of_turn>\n<start_of_turn>model\n",
    to_user="<end_of_turn>\n<start_of_turn>user\n",
    end="<end_of_turn>",
)
PLAIN = TurnMarkers(begin="### User\n", to_model="\n### Assistant\n", to_user="\n### User\n", end="\n###")

_ANY = re.compile("|".join(map(re.escape, (CANONICAL.to_model, CANONICAL.to_user, CANONICAL.begin))))


def markers_for(tokenizer: Any) -> TurnMarkers:
    """The markers that suit a tokenizer: Gemma's if it has them, else its chat template's, else plain headings."""
    vocabulary = tokenizer.get_vocab()
    if "<start_of_turn>" in vocabulary and "<end_of_turn>" in vocabulary:
        return CANONICAL
    if getattr(tokenizer, "chat_template", None) is None:
        return PLAIN
    return _from_template(tokenizer)


def _from_template(tokenizer: Any) -> TurnMarkers:
    """Read the markers off a short conversation that the tokenizer's own template renders."""
    asked, answered = {"role": "user", "content": _USER}, {"role": "assistant", "content": _MODEL}
    rendered = tokenizer.apply_chat_template(
        [asked, answered, asked], tokenize=False, add_generation_prompt=True
    )
    parts = re.split(f"{_USER}|{_MODEL}", rendered)
    if len(parts) != 4:
        return PLAIN
    begin, first_to_model, to_user, to_model = parts
    del first_to_model  # some templates differ here; what precedes the model's writing is what counts
    bos = getattr(tokenizer, "bos_token", None)
    if bos and begin.startswith(bos):
        begin = begin.removeprefix(bos)  # the tokenizer puts it there itself
    whole = tokenizer.apply_chat_template([asked, answered], tokenize=False)
    return TurnMarkers(begin, to_model, to_user, end=whole.rpartition(_MODEL)[2].strip() or to_user)


def in_markers(text: str, markers: TurnMarkers) -> str:
    """A canonical text in another model's markers."""
    if markers == CANONICAL:
        return text
    new = {
        CANONICAL.begin: markers.begin,
        CANONICAL.to_model: markers.to_model,
        CANONICAL.to_user: markers.to_user,
    }
    return _ANY.sub(lambda match: new[match[0]], text)


def turns(text: str) -> list[str]:
    """The turns of a canonical text, without markers: the user's, then the model's, and so on."""
    return _ANY.split(text.removeprefix(CANONICAL.begin))
