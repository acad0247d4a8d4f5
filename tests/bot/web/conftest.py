"""One running server, of which the tests of the doors ask different things: every talk and visitor in it is a test's own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from gradio_client import Client

from bot.settings_sections import WidgetSettings
from tests.desk_staff import LI, employ
from tests.fake_assistant import FakeAssistant
from tests.page_by_hand import Tab
from tests.web_server import build, serving

SHOP = "https://shop.example"  # may call the server and show the widget
SECRET = "a-secret-of-the-shop"  # it vouches for its customers with
MOST_UPLOAD_BYTES = 4096
EN = "can i return opened earphones"


@pytest.fixture(scope="session")
def assistant() -> FakeAssistant:
    """What the server asks; 小李 has an account at its desk."""
    assistant = FakeAssistant()
    employ(assistant.desk, LI)
    return assistant


@pytest.fixture(scope="session")
def address(assistant: FakeAssistant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server; it takes so many events a minute that tests need not count theirs."""
    sections = {
        "var": tmp_path_factory.mktemp("var"),
        "widget": WidgetSettings(identity_secret=SECRET, max_upload_bytes=MOST_UPLOAD_BYTES),
    }
    app = build(assistant, sections=sections, messages_per_minute=10_000, allowed_sites=(SHOP,))
    with serving(app) as address:
        yield address


@pytest.fixture
def http(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=20) as client:
        yield client


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    """Gradio's own; it leaves sockets open, so whoever asks for it ignores that warning."""
    return Client(address, verbose=False)


@pytest.fixture
def tab(address: str, request: pytest.FixtureRequest) -> Iterator[Tab]:
    tab = Tab(address, f"session-{request.node.name}")
    yield tab
    tab.http.close()
