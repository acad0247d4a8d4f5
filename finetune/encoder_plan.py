"""What an encoder is tuned on, and what it is measured on: the team's examples, with a fifth held out, and golden questions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bot.content import load_content
from bot.golden import GOLDEN_FILE, load_golden
from bot.learning import intent_examples, open_index
from bot.settings import Settings
from bot.understanding.corrections import extended, read_corrections
from bot.understanding.intents import KNOWLEDGE, OUT_OF_SCOPE, TrainingSet, normalise
from bot.understanding.language import detect
from finetune.encoder_comparison import Questions, judged_by_search
from finetune.errors import TrainingError
from finetune.training.encoder_training import EncoderSettings
from retrieval.encoder import Encoder
from retrieval.errors import FilesDamaged
from retrieval.publish import read_manifest, sha256

KIND = "tuned encoder"  # in a manifest
LEAST = 20  # examples an intent, on average
_FEWEST_GOLDEN = 20
_HELD_OUT = 0.2


@dataclass(frozen=True)
class Origin:
    """The encoder that a tuning begins from, as `encoder.model` and `encoder.revision` name it."""

    model: str
    revision: str | None


@dataclass(frozen=True)
class TuningPlan:
    """All that decides what comes out. `base` is the name of the encoder that serves; `identity` stands for everything."""

    settings: Settings
    how: EncoderSettings
    origin: Origin
    base: str
    questions: Questions
    learned: TrainingSet  # what the encoder learns from
    identity: str


def plan_tuning(
    settings: Settings, encoder: Encoder, *, how: EncoderSettings | None = None, least: int = LEAST
) -> TuningPlan:
    """Gather what the intent head learns from (examples, titles, kept corrections), and hold out a fifth.

    Args:
        settings: the bot's; its index must exist.
        encoder: the bot's.
        how: of the training; the prompt is taken from the settings.
        least: examples an intent, on average, below which it is not worth trying.

    Raises:
        TrainingError: there are too few examples, or too few golden questions to see what becomes of the search.
        BotError, RetrievalError: the knowledge base or the index cannot be read.
    """
    content = load_content(settings.knowledge_base)
    index = open_index(settings, encoder)
    corrections = read_corrections(settings.intent_corrections_path)
    examples = extended(intent_examples(content, index), corrections)
    _check_enough(examples, least)
    golden = judged_by_search(load_golden(settings.knowledge_base))
    if len(golden) < _FEWEST_GOLDEN:
        raise TrainingError(
            f"{len(golden)} questions in {settings.knowledge_base / GOLDEN_FILE} name an article that answers them; "
            f"{_FEWEST_GOLDEN} are needed to see whether search stays as good with another encoder. Write more."
        )
    chosen = replace(EncoderSettings() if how is None else how, query_prompt=settings.encoder.query_prompt)
    seen, held_out = split_off(examples, chosen.seed)
    questions = Questions(content, seen, held_out, golden)
    learned = _of_intents(seen)
    decided = [
        encoder.name,
        asdict(chosen),
        [(each.texts, each.labels) for each in (seen, held_out)],
        [sha256(settings.knowledge_base / GOLDEN_FILE), index.manifest.get("inputs")],
    ]
    identity = hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()
    return TuningPlan(settings, chosen, _origin(settings), encoder.name, questions, learned, identity)


def split_off(examples: TrainingSet, seed: int) -> tuple[TrainingSet, TrainingSet]:
    """Hold out a fifth of each class in each language: what is left, and what is held out.

    Who is held out is decided by each text, not by its place: what was held out once hardly ever is learned from later. A
    text that looks like another of its class stays on that one's side. Of one or two texts none is held out.
    """
    groups: dict[tuple[str, str], dict[str, list[int]]] = {}
    for place, (text, label) in enumerate(zip(examples.texts, examples.labels, strict=True)):
        group = groups.setdefault((label, detect(text).language.content.value), {})
        group.setdefault(normalise(text), []).append(place)
    held: set[int] = set()
    for group in groups.values():
        drawn = sorted(group, key=lambda text: hashlib.sha256(f"{seed}\0{text}".encode()).digest())
        held.update(place for text in drawn[: round(_HELD_OUT * len(drawn))] for place in group[text])
    out = [place in held for place in range(len(examples.texts))]
    return _only(examples, [not each for each in out]), _only(examples, out)


def _only(examples: TrainingSet, wanted: list[bool]) -> TrainingSet:
    rows = zip(examples.texts, examples.labels, wanted, strict=True)
    pairs = [(text, label) for text, label, want in rows if want]
    return TrainingSet(tuple(text for text, _ in pairs), tuple(label for _, label in pairs))


def _of_intents(examples: TrainingSet) -> TrainingSet:
    """Without the two kinds that are no class: pulled together, they would lose what tells their questions apart."""
    return _only(examples, [label not in (KNOWLEDGE, OUT_OF_SCOPE) for label in examples.labels])


def _check_enough(examples: TrainingSet, least: int) -> None:
    of_intents = _of_intents(examples).labels
    intents = max(1, len(set(of_intents)))
    if len(of_intents) < least * intents:
        raise TrainingError(
            f"{len(of_intents)} examples of {intents} intents are {len(of_intents) / intents:.1f} an intent; {least} are needed. "
            "With fewer, the encoder as it is with the intent head on top, which is what serves, is the better choice: there "
            "is nothing to do. Add examples to the intents, or try all the same with `--least`."
        )


def _origin(settings: Settings) -> Origin:
    """What is set; of a tuned encoder what that was tuned from, so that tunings do not pile up."""
    chosen = settings.encoder
    try:
        manifest = read_manifest(Path(chosen.model))
    except FilesDamaged:
        manifest = {}
    begun = manifest.get("begun_from")
    if manifest.get("kind") == KIND and isinstance(begun, dict) and isinstance(begun.get("model"), str):
        return Origin(begun["model"], begun.get("revision"))
    return Origin(chosen.model, chosen.revision)
