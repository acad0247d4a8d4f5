"""Knowledge as it would be, in a scratch folder: what was published is read, and nothing of `var/` is written.

The scratch folder stands for `var/`. Whatever is published there in generations (index, intent head) gets a folder of
its own that begins with the present generation, as a link; everything else is a link as a whole. Then the ordinary
code reads what is there, takes unchanged vectors over, and publishes beside the original instead of over it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.answering.generator import Generator
from bot.factory import load_knowledge, rebuild
from bot.knowledge import Knowledge
from bot.models import Reporter, make_encoder, make_generator
from bot.settings import Settings
from retrieval.build import VECTOR_CACHE
from retrieval.encoder import Encoder
from retrieval.publish import POINTER, current
from retrieval.vector_cache import CachedEncoder, RecentTexts


@dataclass(frozen=True)
class Models:
    """The encoder and the language model that are set."""

    encoder: Encoder
    generator: Generator | None

    @classmethod
    def load(cls, settings: Settings, progress: Reporter) -> Models:
        """Load both.

        Raises:
            EncoderError: the encoder is missing or does not load.
        """
        return cls(RecentTexts(make_encoder(settings, progress)), make_generator(settings, progress))

    def close(self) -> None:
        """Free the language model."""
        if self.generator is not None:
            self.generator.close()


@contextmanager
def present_knowledge(settings: Settings, models: Models) -> Iterator[Knowledge]:
    """What customers are answered from now: the index that was published last, and the content as it lies there.

    Raises:
        ContentError: an intent, template or message is wrong.
        IndexMissing, IndexMismatch: there is no index, or it does not fit.
    """
    with scratch_settings(settings) as own:
        yield load_knowledge(own, models.encoder, models.generator)


@contextmanager
def edited_knowledge(
    settings: Settings, knowledge_base: Path, models: Models, progress: Reporter
) -> Iterator[Knowledge]:
    """What customers would be answered from if `knowledge_base` were published: only texts that are new are encoded.

    Raises:
        ContentError, DocumentError: something in it is wrong.
    """
    with scratch_settings(settings) as own:
        there = own.model_copy(update={"knowledge_base": knowledge_base})
        published = current(there.index_path)
        known = None if published is None else published / VECTOR_CACHE
        # The index keeps its vectors to itself; the intent head has most of its examples in common with it.
        rebuild(there, CachedEncoder(models.encoder, known), progress)
        yield load_knowledge(there, models.encoder, models.generator)


@contextmanager
def scratch_settings(settings: Settings) -> Iterator[Settings]:
    """The same settings with a `var/` of their own for as long as the context lasts.

    Drafts get all the time that they need: what is compared must not depend on how busy the machine is.
    """
    with tempfile.TemporaryDirectory(prefix="kefu-backtest-") as folder:
        var = Path(folder) / "var"
        var.mkdir()
        for entry in settings.var.iterdir() if settings.var.is_dir() else ():
            _stand_for(entry.resolve(), var / entry.name)
        yield settings.patient().model_copy(update={"var": var})


def _stand_for(entry: Path, place: Path) -> None:
    generation = current(entry) if entry.is_dir() else None
    if generation is None:
        place.symlink_to(entry)
        return
    place.mkdir()
    (place / generation.name).symlink_to(generation)
    (place / POINTER).write_text(generation.name, encoding="utf-8")
