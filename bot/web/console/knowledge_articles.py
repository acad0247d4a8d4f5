"""An article, both faces side by side: edit, preview as the customer sees it, try, save."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from bot.errors import AccessRefused, ContentError
from bot.upkeep.editing.articles import ArticleFields, read_fields, write_fields
from bot.upkeep.editing.checking import FieldProblem, check_place
from bot.upkeep.editing.editor import ABSENT, Edit, version_of
from bot.upkeep.editing.shelf import LANGUAGES, Topic
from bot.upkeep.editing.uploads import Upload, slug
from bot.web.console.access import AsEditor, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.knowledge_editing import (
    NOTHING_REFUSED,
    FieldOf,
    Refused,
    save,
    saved_page,
    start_trial,
)
from bot.web.console.session import Signed
from bot.web.console.workshop import SentForm, texts_of
from retrieval.readers import ARTICLES

router = APIRouter(prefix="/knowledge/articles")
PATH = "/console/knowledge/articles"


@router.get("")
def blank(request: Request, console: ConsoleHere, signed: AsEditor) -> Response:
    """A new article."""
    return _page(console, request, signed, "", {}, {})


@router.post("")
def create(request: Request, console: ConsoleHere, signed: AsEditor, form: SentForm) -> Response:
    """Save a new article under the id that the form names, or that its English title makes."""
    typed = texts_of(form)
    name = typed.get("id", "").strip() or slug(typed.get("en.title", ""))
    if not name or slug(name) != name:
        refused = Refused(at={"id": str(console.text(request)["knowledge"]["id_rule"])})
        return _again(console, request, signed, "", form, refused)
    if console.workshop.shelf.topic(name) is not None:
        refused = Refused(at={"id": str(console.text(request)["knowledge"]["id_taken"])})
        return _again(console, request, signed, "", form, refused)
    return _save(console, request, signed, name, form, new=True)


@router.post("/preview")
def preview(request: Request, console: ConsoleHere, signed: AsEditor, form: SentForm) -> Response:
    """How a customer sees what is in the form."""
    faces = {language: ArticleFields.of(texts_of(form, f"{language}.")) for language in LANGUAGES}
    shown = {
        language: (fields.title, console.markdown.html(fields.body))
        for language, fields in faces.items()
        if not fields.empty
    }
    return console.part(request, signed, "knowledge_preview.html.jinja", articles=shown, answers={})


@router.post("/trial")
def trial_of_new(request: Request, console: ConsoleHere, signed: AsEditor, form: SentForm) -> Response:
    """What a new article would change."""
    typed = texts_of(form)
    name = slug(typed.get("id", "")) or slug(typed.get("en.title", "")) or "new-article"
    return start_trial(console, request, signed, _edits(console, name, None, form))


@router.get("/{name}")
def article(request: Request, console: ConsoleHere, signed: AsEditor, name: str) -> Response:
    """An article as it is."""
    topic = _topic(console, name)
    fields: dict[str, ArticleFields] = {}
    opened: dict[str, str] = {}
    for language in LANGUAGES:
        face = topic.face(language)
        if face is not None and face.editable and not face.problem:
            data = console.workshop.editor.read(face.file)
            opened[language] = version_of(data)
            fields[language] = read_fields(data or b"", face.file)
    return _page(console, request, signed, name, fields, opened)


@router.post("/{name}")
def change(request: Request, console: ConsoleHere, signed: AsEditor, name: str, form: SentForm) -> Response:
    """Save an article."""
    return _save(console, request, signed, name, form, new=False)


@router.post("/{name}/trial")
def trial(request: Request, console: ConsoleHere, signed: AsEditor, name: str, form: SentForm) -> Response:
    """What the edited article would change."""
    return start_trial(console, request, signed, _edits(console, name, _topic(console, name), form))


def new_article(console: Console, request: Request, signed: Signed, upload: Upload) -> Response:
    """A new article with what was uploaded in its form; nothing is saved yet."""
    return _page(console, request, signed, "", {upload.language: upload.fields}, {}, typed_id=upload.name)


def _topic(console: Console, name: str) -> Topic:
    topic = console.workshop.shelf.topic(name)
    if topic is None:
        raise AccessRefused("no_article", f"There is no article {name!r}.")
    return topic


def _edits(console: Console, name: str, topic: Topic | None, form: FormData) -> list[Edit]:
    """What the form makes of both files; a face that is not there and that nobody wrote is left out."""
    edits, editor, day = [], console.workshop.editor, console.workshop.today()
    for language in LANGUAGES:
        face = None if topic is None else topic.face(language)
        if face is not None and (not face.editable or face.problem):
            continue
        typed = texts_of(form, f"{language}.")
        fields = ArticleFields.of(typed)
        if face is None and fields.empty:
            continue
        file = check_place(f"{ARTICLES}/{language}/{name}.md" if face is None else face.file)
        version = typed.get("version", ABSENT)
        if "remove" in typed:
            edits.append(Edit(file, None, version))
            continue
        before = editor.read(file)
        data = write_fields(before, fields, article=name, language=language, day=day, name=file)
        edits.append(Edit(file, data, version))
    return edits


def _save(
    console: Console, request: Request, signed: Signed, name: str, form: FormData, *, new: bool
) -> Response:
    topic = None if new else _topic(console, name)
    try:
        edits = _edits(console, name, topic, form)
    except ContentError as error:
        return _again(console, request, signed, "" if new else name, form, Refused(message=str(error)))
    if not edits:
        refused = Refused(at={"en.title": str(console.text(request)["knowledge"]["nothing_written"])})
        return _again(console, request, signed, "" if new else name, form, refused)
    refused = save(console, signed, edits, texts_of(form).get("why", "").strip(), _field_of(edits))
    if refused.anything:
        return _again(console, request, signed, "" if new else name, form, refused)
    gone = all(edit.data is None for edit in edits)
    return saved_page("/console/knowledge" if gone else f"{PATH}/{name}")


def _field_of(edits: list[Edit]) -> FieldOf:
    languages = {
        edit.name: language for edit in edits for language in LANGUAGES if f"/{language}/" in edit.name
    }

    def field_of(problem: FieldProblem) -> str | None:
        if problem.field == "id":
            return "id"
        language = languages.get(problem.file)
        return None if language is None or not problem.field else f"{language}.{problem.field}"

    return field_of


def _again(
    console: Console, request: Request, signed: Signed, name: str, form: FormData, refused: Refused
) -> Response:
    """The page with what was typed; after a collision it holds the present versions, so that saving again is a choice."""
    fields, opened = {}, {}
    theirs: dict[str, ArticleFields] = {}
    for language in LANGUAGES:
        typed = texts_of(form, f"{language}.")
        fields[language] = ArticleFields.of(typed)
        opened[language] = typed.get("version", ABSENT)
        topic = console.workshop.shelf.topic(name) if name else None
        face = None if topic is None else topic.face(language)
        if face is not None and face.file in refused.collided:
            data = console.workshop.editor.read(face.file)
            opened[language] = version_of(data)
            theirs[language] = read_fields(data or b"", face.file)
    return _page(
        console,
        request,
        signed,
        name,
        fields,
        opened,
        refused=refused,
        theirs=theirs,
        typed_id=texts_of(form).get("id", ""),
        why=texts_of(form).get("why", ""),
    )


def _page(
    console: Console,
    request: Request,
    signed: Signed,
    name: str,
    fields: dict[str, ArticleFields],
    opened: dict[str, str],
    *,
    refused: Refused = NOTHING_REFUSED,
    **values: Any,
) -> Response:
    topic = console.workshop.shelf.topic(name) if name else None
    files = [] if topic is None else [face.file for face in topic.faces]
    return console.page(
        request,
        signed,
        "knowledge_article.html.jinja",
        status=409 if refused.anything else 200,
        **{"theirs": {}, "typed_id": "", "why": ""} | values,
        tab="articles",
        name=name,
        topic=topic,
        fields={language: fields.get(language, ArticleFields()) for language in LANGUAGES},
        opened={language: opened.get(language, ABSENT) for language in LANGUAGES},
        refused=refused,
        today=console.workshop.today(),
        past=console.workshop.editor.history.latest(most=5, of=files) if files else [],
    )
