"""Who gets into the console, and that nobody else gets anywhere: logins, roles, forms, cookies, headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from bot.web.console.app import PAGES
from bot.web.console.session import set_cookie
from tests.bot.web.console.conftest import Person
from tests.fake_assistant import FakeAssistant
from tests.web_server import build, serving

Someone = Callable[..., Person]


def routes(method: str) -> list[str]:
    """The addresses behind the login, with something in place of each parameter."""
    return [
        re.sub(r"{\w+}", "x", f"/console{route.path}")
        for router in PAGES
        for route in router.routes
        if isinstance(route, APIRoute) and method in (route.methods or ())
    ]


def test_no_page_is_shown_to_who_is_not_signed_in(someone: Someone) -> None:
    paths = routes("GET")
    assert len(paths) > 8
    person = someone()
    for path in paths:
        answer = person.get(path)
        assert (path, answer.status_code) == (path, 303)
        assert answer.headers["location"].startswith("/console/login?next=")


def test_nothing_is_done_for_who_is_not_signed_in(someone: Someone) -> None:
    paths = routes("POST")
    assert len(paths) > 8
    person = someone()
    for path in paths:
        assert (path, person.post(path, data={}).status_code) == (path, 401)


def test_nothing_is_done_without_the_proof_of_a_form(someone: Someone) -> None:
    person = someone("admin")
    for path in [*routes("POST"), "/console/login", "/console/logout", "/console/language"]:
        for data in ({}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": "é"}):
            assert (path, person.post(path, data=data).status_code) == (path, 403)
    assert person.get("/console/staff").status_code == 200


def test_the_form_of_one_session_does_nothing_in_another(someone: Someone) -> None:
    first, second = someone("admin"), someone("admin")
    page = first.get("/console/staff").text
    proof = page.split('name="csrf" value="')[1].split('"')[0]
    assert second.post("/console/logout", data={"csrf": proof}).status_code == 403


def test_a_request_that_another_site_sent_is_refused(someone: Someone) -> None:
    person = someone("admin")
    person.headers["sec-fetch-site"] = "cross-site"
    assert person.send_form("/console/logout").status_code == 403


@pytest.mark.parametrize("path", ["/console/staff", "/console/audit"])
@pytest.mark.parametrize(("login", "status"), [("li", 403), ("mary", 403), ("admin", 200)])
def test_people_and_record_are_for_admins(someone: Someone, login: str, path: str, status: int) -> None:
    assert someone(login).get(path).status_code == status


def test_an_agent_cannot_make_an_admin(someone: Someone, assistant: FakeAssistant) -> None:
    person = someone("li")
    fields = {"login": "evil", "name": "Evil", "role": "admin", "password": "long enough for me"}
    answer = person.send_form("/console/staff", **fields)
    assert answer.status_code == 403
    assert "Your role does not allow this" in answer.text


def test_the_navigation_leads_nobody_where_they_may_not_go(someone: Someone) -> None:
    assert "/console/staff" not in someone("li").get("/console").text
    assert "/console/staff" in someone("admin").get("/console").text


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        ("/console/talks/abc?x=1", "/console/talks/abc?x=1"),
        ("https://evil.example/console", "/console"),
        ("//evil.example", "/console"),
        ("/console//evil\r\nset-cookie: a=b", "/console"),
        ("/consolex", "/console"),
    ],
)
def test_after_signing_in_one_goes_where_one_wanted_but_never_elsewhere(
    someone: Someone, wanted: str, goes_to: str
) -> None:
    answer = someone().sign_in("li", next=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, goes_to)


def test_a_wrong_password_and_a_lock_say_so_in_ones_language(address: str, someone: Someone) -> None:
    person = someone(language="zh-CN")
    answers = [person.sign_in("somebody-else", "wrong password") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [403] * 5 + [429]
    assert "登录名或密码不对" in answers[0].text
    assert "请 15 分钟后再试" in answers[5].text


def test_the_cookie_is_for_this_console_alone(someone: Someone) -> None:
    cookie = someone().sign_in("li").headers["set-cookie"]
    assert cookie.startswith("kefu_staff=")
    for part in ("HttpOnly", "Path=/console", "SameSite=strict"):
        assert part in cookie


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_over_https_the_cookie_stays_there(scheme: str, secure: bool) -> None:
    scope = {
        "type": "http",
        "scheme": scheme,
        "path": "/console",
        "headers": [],
        "server": ("kefu.example", 443),
    }
    response = Response()
    set_cookie(response, Request(scope), "kefu_staff", "token")
    assert ("Secure" in response.headers["set-cookie"]) is secure


def test_signing_out_ends_the_session_on_the_server(someone: Someone) -> None:
    person = someone("li")
    token = person.cookies["kefu_staff"]
    assert person.send_form("/console/logout").headers["location"] == "/console/login"
    person.cookies.set("kefu_staff", token, path="/console")
    assert person.get("/console").status_code == 303


def test_pages_may_run_nothing_inline_and_are_framed_by_nobody(someone: Someone) -> None:
    for path in ("/console", "/console/login", "/console/staff"):
        answer = someone("admin").get(path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"


def test_files_are_kept_by_browsers_for_good(someone: Someone) -> None:
    person = someone()
    page = person.get("/console/login").text
    url = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = person.get(url)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert person.get("/console/assets/nothing.js").status_code == 404
    assert person.get("/console/assets/..%2Fapp.py").status_code == 404


def test_the_language_is_the_browsers_until_one_is_chosen(someone: Someone) -> None:
    person = someone("li", language="zh-TW")
    assert "等待人工" in person.get("/console").text
    answer = person.send_form("/console/language", language="en", back="/console/account")
    assert answer.headers["location"] == "/console/account"
    assert "Waiting for a person" in person.get("/console").text


def test_ones_own_password_is_changed_and_the_old_one_is_over(
    someone: Someone, assistant: FakeAssistant
) -> None:
    admin = someone("admin")
    fields = {"login": "temp", "name": "Temp", "role": "agent", "password": "first password"}
    assert admin.send_form("/console/staff", **fields).headers["location"] == "/console/staff?done=added"
    person = someone()
    person.sign_in("temp", "first password")
    wrong = person.send_form("/console/account/password", old="not this one", new="second password")
    assert (wrong.status_code, "wrong" in wrong.text) == (403, True)
    right = person.send_form("/console/account/password", old="first password", new="second password")
    assert right.headers["location"] == "/console/account?done=password"
    assert "The password has been changed" in person.get(right.headers["location"]).text
    assert someone().sign_in("temp", "first password").status_code == 403


def test_an_admin_changes_closes_and_opens_accounts(someone: Someone) -> None:
    admin = someone("admin")
    fields = {"login": "ann", "name": "Ann", "role": "agent", "password": "a good long one"}
    admin.send_form("/console/staff", **fields)
    ann = someone()
    ann.sign_in("ann", "a good long one")
    page = admin.get("/console/staff").text
    person = page.split("ann · ")[0].rsplit("/console/staff/", 1)[0]
    identity = page[page.index("ann · ") :].split('action="/console/staff/')[1].split("/")[0]
    assert person
    admin.send_form(f"/console/staff/{identity}/change", name="Ann B", role="editor")
    assert "Ann B" in ann.get("/console").text
    admin.send_form(f"/console/staff/{identity}/disable")
    assert ann.get("/console").status_code == 303
    admin.send_form(f"/console/staff/{identity}/enable")
    assert someone().sign_in("ann", "a good long one").status_code == 303


def test_the_record_tells_who_did_what(someone: Someone) -> None:
    page = someone("admin").get("/console/audit").text
    assert "signed in" in page
    assert "127.0.0.1" in page


@pytest.fixture
def new_kefu() -> Iterator[str]:
    with serving(build(FakeAssistant(), messages_per_minute=3)) as address:
        yield address


def test_a_new_kefu_says_how_the_first_account_is_made(new_kefu: str) -> None:
    page = httpx.get(f"{new_kefu}/console", follow_redirects=True, headers={"accept": "text/html"}).text
    assert "kefu staff add LOGIN --role admin" in page
    assert 'name="password"' not in page


def test_passwords_cannot_be_guessed_faster_than_the_rate_limit(new_kefu: str) -> None:
    with httpx.Client(base_url=new_kefu) as client:
        statuses = [client.post("/console/login", data={"login": "a"}).status_code for _ in range(4)]
    assert statuses == [403, 403, 403, 429]
