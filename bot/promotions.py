"""Lets a running bot take up what was learned, without a restart and without dropping a turn: adapter, intents, search, thresholds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from bot.errors import BotError
from bot.factory import Kefu, load_knowledge
from bot.models import adapter_registry, follows_registry, make_generator, wanted_adapter
from bot.serving import watch_file
from retrieval.errors import RetrievalError
from retrieval.publish import POINTER

log = structlog.get_logger(__name__)


def follow_promotions(kefu: Kefu, stop: threading.Event) -> threading.Thread | None:
    """Take up each promotion and rollback within seconds, until `stop` is set; None if the settings leave no choice."""
    if not follows_registry(kefu.settings):
        return None

    def exchange() -> None:
        try:
            exchange_model(kefu)
        except (BotError, RetrievalError) as error:
            log.error("model_not_exchanged", reason=str(error))

    path = adapter_registry(kefu.settings).path
    thread = threading.Thread(
        target=watch_file, args=(path, exchange, stop), name="follow-promotions", daemon=True
    )
    thread.start()
    return thread


def follow_learning(kefu: Kefu, stop: threading.Event) -> list[threading.Thread]:
    """Take up what the commands that learn, and `kefu index`, wrote within seconds, until `stop` is set."""
    settings = kefu.settings
    learned = {
        "intents": settings.intent_corrections_path,
        "thresholds": settings.thresholds_path,
        "index": settings.index_path / POINTER,
    }
    threads = []
    for what, path in learned.items():
        thread = threading.Thread(
            target=watch_file,
            args=(path, _taker_up(kefu, what, path), stop),
            name=f"follow-{what}",
            daemon=True,
        )
        thread.start()
        threads.append(thread)
    return threads


def _taker_up(kefu: Kefu, what: str, path: Path) -> Callable[[], None]:
    """What loads the knowledge anew if a file differs from the one that was taken up last; one that is damaged changes nothing."""
    taken = _content(path)  # as `kefu` was built with

    def take_up() -> None:
        nonlocal taken
        now = _content(path)
        if now == taken:
            return
        try:
            with kefu.drafting.exchanging:
                in_use = kefu.manager.knowledge.provenance.index  # perhaps one that this process built
                if now.decode() != in_use:
                    kefu.manager.use(load_knowledge(kefu.settings, kefu.encoder, kefu.generator))
        except (BotError, RetrievalError, UnicodeDecodeError) as error:
            log.error("learning_not_taken_up", what=what, reason=str(error))
            return
        taken = now
        log.info("learning_taken_up", what=what)

    return take_up


def _content(path: Path) -> bytes:
    """Nothing where there is no file, or none that can be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def exchange_model(kefu: Kefu) -> None:
    """Load the model with the adapter that is to serve, warm it beside the old one, and draft with it from now on.

    While both are loaded they need the memory of both. Turns under way end with the model that they began with.

    Raises:
        GenerationError: it does not get warm; the old one goes on.
        ContentError, IndexMissing, IndexMismatch: what it answers from cannot be read just now. The new model then
            comes into use with the next reload that succeeds.
    """
    wanted = wanted_adapter(kefu.settings)
    if wanted == (None if kefu.generator is None else kefu.generator.adapter):
        return
    generator = make_generator(kefu.settings, _silent)
    if generator is not None:
        generator.warm_up()
    with kefu.drafting.exchanging:
        kefu.drafting.exchange(generator)
        kefu.manager.use(load_knowledge(kefu.settings, kefu.encoder, generator))
    log.info("model_exchanged", adapter=wanted, drafts=generator is not None)


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""
