"""The console over a whole Kefu: the small shop, its files, index and log, without a language model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from bot.factory import Kefu, assemble, rebuild
from bot.memory.staff import Role
from bot.settings import Settings
from bot.settings_sections import ModelSettings, PolicySettings, ServerSettings
from bot.web.server import build_app
from tests.console_people import QUICK, employ
from tests.fakes import WordEncoder
from tests.small_shop import write_knowledge_base


@pytest.fixture(scope="module")
def kefu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kefu]:
    folder = tmp_path_factory.mktemp("shop")
    write_knowledge_base(folder / "knowledge_base")
    settings = Settings(
        knowledge_base=folder / "knowledge_base",
        var=folder / "var",
        model=ModelSettings(model="none"),
        server=ServerSettings(messages_per_minute=10_000),
        policy=PolicySettings(template_score=0.6, grounded_score=0.4, clarify_score=0.35, in_scope=0.3),
    )
    encoder = WordEncoder()
    rebuild(settings, encoder, lambda *_: None)
    kefu = assemble(settings, encoder, None)
    yield kefu
    kefu.close()


@pytest.fixture(scope="module")
def app(kefu: Kefu) -> FastAPI:
    async def inside() -> FastAPI:
        return build_app(kefu.manager, kefu.settings, kefu)

    app = asyncio.run(inside())
    app.state.console.accounts._passwords = QUICK
    for login, name, role in (("li", "小李", Role.AGENT), ("mary", "Mary", Role.EDITOR), ("admin", "王敏", Role.ADMIN)):  # fmt: skip
        employ(kefu.desk, login, name, role)
    return app
