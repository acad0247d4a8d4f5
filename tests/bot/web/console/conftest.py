"""A running server with people who can sign in, and browsers by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from fastapi import FastAPI

from tests.console_people import PASSWORD, admit
from tests.fake_assistant import FakeAssistant
from tests.web_server import build, serving

_CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


class Person(httpx.Client):
    """Somebody's browser at the console. Forms are posted with the proof that the last page carried."""

    def sign_in(self, login: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        self.get("/console/login")
        return self.send_form("/console/login", login=login, password=password, **more)

    def send_form(self, path: str, **fields: str) -> httpx.Response:
        page = self.get("/console/account", follow_redirects=True)
        found = _CSRF.search(page.text)
        assert found is not None, page.text
        return self.post(path, data={"csrf": found[1], **fields})


@pytest.fixture(scope="module")
def assistant() -> FakeAssistant:
    return FakeAssistant()


@pytest.fixture(scope="module")
def app(assistant: FakeAssistant) -> FastAPI:
    app = build(assistant, messages_per_minute=10_000)
    admit(app, assistant.desk)
    return app


@pytest.fixture(scope="module")
def address(app: FastAPI) -> Iterator[str]:
    with serving(app) as address:
        yield address


@pytest.fixture
def someone(address: str) -> Iterator[Callable[..., Person]]:
    """Opens a browser; signed in if a login is named."""
    with ExitStack() as opened:

        def someone(login: str = "", *, language: str = "en") -> Person:
            headers = {"accept-language": language, "accept": "text/html"}
            person = opened.enter_context(Person(base_url=address, headers=headers, timeout=20))
            if login:
                assert person.sign_in(login).status_code == 303
            return person

        yield someone
