"""Makes a training set of all that there is, the log and all imports, with canaries among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from bot.safety.redact import redact
from bot.settings import Settings
from finetune.curation.augment import load_wordings
from finetune.curation.choose import knowledge_agreement
from finetune.curation.curate import Curated, CurationSettings, curate
from finetune.curation.dataset import write_dataset
from finetune.curation.sources import DATASETS, IMPORTS, KEY, Input, gather
from finetune.evaluation.canaries import make_canaries, planted
from finetune.pseudonyms import load_pseudonyms
from retrieval.readers import read_articles


@dataclass(frozen=True)
class NewSet:
    """A training set that was just made, and what of."""

    folder: Path
    curated: Curated
    inputs: Sequence[Input]


def make_training_set(settings: Settings, how: CurationSettings | None = None) -> NewSet:
    """Curate the log and all imports.

    Args:
        settings: the bot's.
        how: to curate.

    Raises:
        CurationError: too little is left, or personal data.
        ImportFailed, StoreError: the imports or the log cannot be read.
        PublishError: the set cannot be written.
    """
    chosen = CurationSettings() if how is None else how
    allow = settings.safety.shown_contacts
    pseudonyms = load_pseudonyms(settings.var / KEY)
    conversations, inputs = gather(settings.log_path, settings.var / IMPORTS, pseudonyms, allow=allow)
    carriers = [conversation for conversation in conversations if conversation.selected]
    canaries = make_canaries(chosen.seed) if carriers else []
    articles, _ = read_articles(settings.knowledge_base)
    curated = curate(
        [*conversations, *(planted(canaries, carriers) if carriers else ())],
        chosen,
        redactor=partial(redact, allow=allow),
        agreement=knowledge_agreement(articles),
        wordings=load_wordings(),
    )
    folder = write_dataset(
        settings.var / DATASETS, curated, chosen, inputs, canaries=[asdict(canary) for canary in canaries]
    )
    return NewSet(folder, curated, inputs)
