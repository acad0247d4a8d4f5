"""What is refused before any of our code or Gradio's sees it. Run against bare ASGI, with the clock where it matters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from bot.web.middleware import BodyLimit, LastResort, RateLimit
from bot.web.visitors import COOKIE, VisitorCookie, visitor_of

TOKEN = "a" * 43
OTHER_TOKEN = "b" * 43


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def _request(
    app: Any, method: str = "POST", *, client: tuple[str, int] = ("10.0.0.1", 1), **arguments: Any
) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=client, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://kefu") as http:
            return await http.request(method, arguments.pop("path", "/"), **arguments)

    return asyncio.run(run())


def _cookie(token: str) -> dict[str, str]:
    return {"cookie": f"other=1; {COOKIE}={token}"}


async def _chunks(sizes: Iterable[int]) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


@pytest.mark.parametrize(
    ("sizes", "status"),
    [((100,), 200), ((60, 40), 200), ((101,), 413), ((60, 41), 413), ((1,) * 200, 413), ((), 200)],
)
def test_a_streamed_body_is_counted_as_it_arrives(sizes: tuple[int, ...], status: int) -> None:
    response = _request(BodyLimit(_echo, max_bytes=100), content=_chunks(sizes))
    assert "content-length" not in response.request.headers
    assert response.status_code == status
    if status == 200:
        assert response.content == b"x" * sum(sizes)


@pytest.mark.parametrize(
    ("announced", "status"),
    [("100", 200), ("101", 413), ("9" * 5000, 413), ("-1", 413), ("abc", 413), ("²", 413)],
)
def test_an_announced_length_is_believed_only_downwards(announced: str, status: int) -> None:
    headers = {"content-length": announced.encode()}
    response = _request(BodyLimit(_echo, max_bytes=100), content=b"x", headers=headers)
    assert response.status_code == status


def _limited(**changes: Any) -> RateLimit:
    arguments: dict[str, Any] = {
        "per_minute": 5,
        "trusted_proxies": (),
        "is_counted": lambda scope: scope["method"] == "POST",
        "wording": lambda scope: "请稍等",
    }
    return RateLimit(_echo, **{**arguments, **changes})


def test_the_sixth_event_of_a_minute_waits() -> None:
    app = _limited()
    assert [_request(app).status_code for _ in range(6)] == [200] * 5 + [429]
    refused = _request(app)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert json.loads(refused.content) == {"detail": "请稍等"}


def test_what_is_no_event_is_not_counted() -> None:
    app = _limited()
    assert {_request(app, "GET").status_code for _ in range(20)} == {200}


def test_a_visitor_is_counted_wherever_they_come_from() -> None:
    app = _limited()
    statuses = [
        _request(app, client=(f"10.0.0.{n}", 1), headers=_cookie(TOKEN)).status_code for n in range(6)
    ]
    assert statuses == [200] * 5 + [429]


def test_an_address_is_counted_whatever_cookies_it_invents() -> None:
    app = _limited()
    statuses = [_request(app, headers=_cookie(f"{n:043d}")).status_code for n in range(6)]
    assert statuses == [200] * 5 + [429]


@pytest.mark.parametrize(
    ("forwarded", "trusted", "same_client"),
    [
        ("1.1.1.{n}", ("10.0.0.1",), False),  # the proxy tells clients apart
        ("1.1.1.{n}", (), True),  # nobody vouches for the header
        ("1.1.1.{n}, 2.2.2.2", ("10.0.0.1",), True),  # what the client wrote before the proxy's entry
        ("1.1.1.{n}, 2.2.2.2", ("10.0.0.1", "2.2.2.2"), False),
    ],
)
def test_a_forwarded_address_is_believed_from_a_trusted_proxy_only(
    forwarded: str, trusted: tuple[str, ...], same_client: bool
) -> None:
    app = _limited(trusted_proxies=trusted)
    statuses = [
        _request(app, headers={"x-forwarded-for": forwarded.format(n=n)}).status_code for n in range(6)
    ]
    assert statuses[-1] == (429 if same_client else 200)


def test_a_broken_app_is_answered_for_without_its_reasons() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        message = "/srv/kefu/secret.py: 我的手机是13812345678"
        raise RuntimeError(message)

    response = _request(LastResort(broken))
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "138" not in response.text
    assert "Reference" in response.text


def test_the_page_gives_a_browser_its_cookie_and_keeps_a_good_one() -> None:
    app = VisitorCookie(_echo, days=90)
    fresh = _request(app, "GET").headers["set-cookie"]
    assert "HttpOnly" in fresh
    assert "SameSite=Lax" in fresh
    assert "Max-Age=7776000" in fresh
    kept = _request(app, "GET", headers=_cookie(TOKEN)).headers["set-cookie"]
    assert kept.startswith(f"{COOKIE}={TOKEN};")
    for forged in ("short", "x" * 44, "a b", "../../etc/passwd"):
        assert (
            not _request(app, "GET", headers={"cookie": f"{COOKIE}={forged}"})
            .headers["set-cookie"]
            .startswith(f"{COOKIE}={forged};")
        )
    assert "set-cookie" not in _request(app, "POST").headers
    assert "set-cookie" not in _request(app, "GET", path="/articles/zh/x").headers


def test_two_cookies_are_two_visitors_and_the_log_cannot_be_turned_back_into_a_cookie() -> None:
    one, other = visitor_of({COOKIE: TOKEN}), visitor_of({COOKIE: OTHER_TOKEN})
    assert one is not None
    assert one != other
    assert TOKEN not in one
    assert visitor_of({COOKIE: one}) is None
    assert visitor_of({}) is None
