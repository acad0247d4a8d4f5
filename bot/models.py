"""Which models are used: the encoder and the language model that the settings name, ready to be wired."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog

from bot.answering.adapters import check_fits, read_adapter
from bot.answering.bundled_model import NAME as BUNDLED_MODEL
from bot.answering.bundled_model import unpack_model
from bot.answering.drafting import DraftingModel
from bot.answering.exports import MERGED, find_export, openvino_forms
from bot.answering.generator import Generator
from bot.answering.grounded import DraftLimits
from bot.answering.local_model import LocalModel
from bot.answering.model_loading import base_sha256, has_gpu, label_of
from bot.answering.registry import NONE as NO_ADAPTER
from bot.answering.registry import AdapterRegistry, BaseModel
from bot.answering.remote_model import RemoteModel
from bot.answering.torch_threads import drafting_threads
from bot.errors import BotError, SettingsError
from bot.safety.wordlist import WordList
from bot.settings import Settings
from bot.understanding.language import to_simplified
from retrieval.bundled_encoder import NAME as BUNDLED_ENCODER
from retrieval.bundled_encoder import unpack_encoder
from retrieval.encoder import Encoder
from retrieval.publish import current
from retrieval.sentence_encoder import load_encoder

try:
    from bot.answering.openvino_model import OpenVinoModel
    from bot.answering.openvino_trial import trouble_with
except ImportError:  # the extra `openvino` is not installed
    OpenVinoModel = None  # type: ignore[assignment,misc]

BUNDLED = "bundled"
NO_MODEL = "none"
AUTO = "auto"

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

    A model or adapter that cannot be had costs style, not answers, so it is logged and no more. The bundled model is a
    base model: without an adapter that has taught it to answer, `model.drafts = "auto"` leaves it unused.
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


def adapter_registry(settings: Settings) -> AdapterRegistry:
    """What says which adapter serves on top of the model that is set.

    Raises:
        SettingsError: no model is set that could carry an adapter.
    """
    chosen = settings.model
    if not runs_here(settings):
        seen = f"model.model is {chosen.model!r}" if chosen.url is None else f"model.url is {chosen.url!r}"
        raise SettingsError(
            f"An adapter needs a model that runs in Kefu itself, but {seen}. Set model.model to 'bundled', a "
            "Hugging Face folder, or a hub name, and no model.url."
        )
    if chosen.model == BUNDLED:
        unpacked = current(settings.models_path / BUNDLED_MODEL)
        base = BaseModel(BUNDLED_MODEL, None if unpacked is None else base_sha256(unpacked))
    else:
        base = BaseModel(label_of(chosen.model), base_sha256(chosen.model))
    return AdapterRegistry(settings.adapters_path, base)


def adapter_folder(settings: Settings) -> Path | None:
    """The adapter that the settings and the registry choose, not yet loaded; None for none.

    Raises:
        AdapterRefused: what serves is missing, damaged or does not fit.
        RegistryError: what serves cannot be read.
        SettingsError: no model is set that could carry an adapter.
    """
    chosen = settings.model.adapter
    if chosen == NO_ADAPTER:
        return None
    if chosen != AUTO:
        return Path(chosen)
    registry = adapter_registry(settings)
    return registry.find(registry.current())


def wanted_adapter(settings: Settings) -> str | None:
    """Id of the adapter that would be loaded now; None for none, and where the one that is to serve is refused."""
    try:
        folder = adapter_folder(settings)
        return None if folder is None else read_adapter(folder).id
    except BotError as error:
        log.error("adapter_refused", adapter=settings.model.adapter, reason=str(error))
        return None


def shows_drafts(settings: Settings, generator: Generator | None) -> bool:
    """Whether customers see what the model writes, or what stands in the article that it names."""
    return generator is None or generator.writes or settings.model.drafts == "always"


def draft_limits(settings: Settings, generator: Generator | None) -> DraftLimits:
    """What the settings say of drafts: how long they may take, when they are shown, and what they must not say."""
    chosen = settings.model
    return DraftLimits(
        chosen.first_sentence_seconds,
        chosen.deadline_seconds,
        chosen.max_new_tokens,
        compose_score=settings.policy.grounded_score,
        drafts=shows_drafts(settings, generator),
        unwanted=WordList(settings.safety.unwanted_words, to_simplified),
    )


def runs_here(settings: Settings) -> bool:
    """Whether the language model that is set runs in this process."""
    return settings.model.model != NO_MODEL and settings.model.url is None


def follows_registry(settings: Settings) -> bool:
    """Whether the registry decides which adapter serves."""
    return runs_here(settings) and settings.model.adapter == AUTO and settings.model.drafts != "never"


def local_source(settings: Settings, progress: Reporter) -> tuple[str | Path, str | None]:
    """The local model's folder or hub name, and its label if it is the bundled one, which is unpacked if need be.

    Raises:
        GenerationError: the bundled model cannot be unpacked.
    """
    if settings.model.model == BUNDLED:
        return unpack_model(settings.models_path, progress), BUNDLED_MODEL
    return settings.model.model, None


def _local_model(settings: Settings, progress: Reporter) -> Generator | None:
    chosen = settings.model
    source, label = local_source(settings, progress)
    if chosen.drafts == "never":
        log.info("language_model_unused", model=chosen.model, drafts=chosen.drafts)
        return None
    model: DraftingModel | None = _adapted(settings, source, label)
    if model is None and chosen.model == BUNDLED and chosen.drafts == "auto":
        log.info("language_model_unused", model=chosen.model, drafts=chosen.drafts)
        return None
    if model is None:
        model = load_local(settings, source, label, None)
    if chosen.drafts == "auto" and not model.tuned:
        log.info("language_model_not_tuned", model=model.name)
        model.close()
        return None
    return model


def _adapted(settings: Settings, source: str | Path, label: str | None) -> DraftingModel | None:
    """The model with its adapter; None if there is none or it is refused."""
    try:
        adapter = adapter_folder(settings)
        if adapter is None:
            return None
        faster = _exported(settings, source, label, adapter)
        return faster if faster is not None else load_local(settings, source, label, adapter)
    except BotError as error:
        log.error("adapter_refused", adapter=settings.model.adapter, reason=str(error))
        return None


def _exported(
    settings: Settings, source: str | Path, label: str | None, adapter: Path
) -> DraftingModel | None:
    """The model with its adapter as promotion wrote it, for OpenVINO or merged; None if there is nothing that fits."""
    certificate = read_adapter(adapter)
    name, weights = label if label is not None else label_of(source), base_sha256(source)
    check_fits(certificate, name, weights)
    if _wants_openvino(settings):
        for form in openvino_forms(settings.model.threads):
            found = find_export(settings.exports_path, form, certificate, name, weights)
            model = None if found is None else _on_openvino(settings, found.folder)
            if model is not None:
                return model
        if settings.model.engine == "openvino":
            log.warning("engine_missing", engine="openvino", adapter=certificate.id)
    merged = find_export(settings.exports_path, MERGED, certificate, name, weights)
    return None if merged is None else load_local(settings, merged.folder, label, None)


def _on_openvino(settings: Settings, folder: Path) -> DraftingModel | None:
    """The model on OpenVINO; None, and a line in the log, if it cannot be had: torch writes the same answers."""
    if OpenVinoModel is None:
        log.warning("engine_not_installed", engine="openvino", remedy="pip install 'kefu[openvino]'")
        return None
    trouble = trouble_with(folder, drafting_threads(settings.model.threads), settings.exports_path)
    if trouble is not None:
        log.error("engine_failed", engine="openvino", reason=trouble)
        return None
    try:
        return OpenVinoModel(folder, threads=settings.model.threads)
    except BotError as error:
        log.error("engine_failed", engine="openvino", reason=str(error))
        return None


def _wants_openvino(settings: Settings) -> bool:
    chosen = settings.model
    if chosen.engine != "auto":
        return chosen.engine == "openvino"
    return chosen.device == "cpu" or (chosen.device == AUTO and not has_gpu())


def load_local(settings: Settings, source: str | Path, label: str | None, adapter: Path | None) -> LocalModel:
    """The model in `source` on torch, with an adapter or without; see `local_source`.

    Raises:
        GenerationError: it cannot be loaded, or the adapter does not fit.
    """
    chosen = settings.model
    return LocalModel(
        source,
        label=label,
        revision=chosen.revision,
        adapter=adapter,
        device=chosen.device,
        threads=chosen.threads,
    )
