"""The console over a whole Kefu: the small shop, its files, index and log, without a language model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from bot.factory import Kefu
from tests.console_shop import console_of, open_kefu


@pytest.fixture(scope="module")
def kefu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kefu]:
    with open_kefu(tmp_path_factory.mktemp("shop")) as kefu:
        yield kefu


@pytest.fixture(scope="module")
def app(kefu: Kefu) -> FastAPI:
    return console_of(kefu)
