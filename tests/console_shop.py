"""A whole Kefu over the small shop for tests of the console: its files, index and log, without a language model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI

from bot.factory import Kefu, assemble, rebuild
from bot.settings import Settings
from bot.settings_sections import ModelSettings, PolicySettings, ServerSettings
from tests.console_people import admit
from tests.fakes import WordEncoder
from tests.small_shop import write_knowledge_base
from tests.web_server import built


def console_of(kefu: Kefu) -> FastAPI:
    """Kefu's server, where an agent, an editor and an admin can sign in."""
    app = built(kefu.manager, kefu.settings, kefu)
    admit(app, kefu.desk)
    return app


@contextmanager
def open_kefu(folder: Path, *, allowed_sites: tuple[str, ...] = ()) -> Iterator[Kefu]:
    """Write the small shop into `folder`, build its index, and assemble Kefu over it."""
    write_knowledge_base(folder / "knowledge_base")
    settings = Settings(
        knowledge_base=folder / "knowledge_base",
        var=folder / "var",
        model=ModelSettings(model="none"),
        server=ServerSettings(messages_per_minute=10_000, allowed_sites=allowed_sites),
        policy=PolicySettings(template_score=0.6, grounded_score=0.4, clarify_score=0.35, in_scope=0.3),
    )
    encoder = WordEncoder()
    rebuild(settings, encoder, lambda *_: None)
    kefu = assemble(settings, encoder, None)
    try:
        yield kefu
    finally:
        kefu.close()
