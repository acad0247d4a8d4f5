"""The articles that answers rest on, each as a plain page of its own."""

from __future__ import annotations

from starlette.responses import HTMLResponse

from bot.conversation import Language
from bot.understanding.language import to_traditional
from bot.web.assistant import Assistant
from bot.web.page_text import page_text
from bot.web.view import View


def article_response(assistant: Assistant, view: View, language: str, article_id: str) -> HTMLResponse:
    """An article's page, or a friendly 404. `zh-Hant` shows the Chinese article in traditional characters."""
    try:
        shown_in = Language(language)
    except ValueError:
        return _missing(view, Language.EN)
    article = assistant.article(shown_in.content.value, article_id)
    if article is None:
        return _missing(view, shown_in)
    title, body = article.title, article.body
    if shown_in is Language.ZH_HANT:
        title, body = to_traditional(title), to_traditional(body)
    updated = "" if article.updated is None else article.updated.isoformat()
    return HTMLResponse(view.article_page(shown_in, title, _without_title(body, title), updated=updated))


def _missing(view: View, language: Language) -> HTMLResponse:
    text = page_text(language)
    return HTMLResponse(
        view.article_page(language, text["article_missing"], text["article_missing_hint"]), status_code=404
    )


def _without_title(body: str, title: str) -> str:
    """The body without a first heading that repeats the title, which the page shows already."""
    first, _, rest = body.lstrip().partition("\n")
    return rest if first.startswith("# ") and first.removeprefix("# ").strip() == title.strip() else body
