"""An approved answer, both faces side by side: wording, examples, slots, hand-off; and the wording around answers."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from bot.content import MESSAGES_FILE, OUT_OF_SCOPE_FILE
from bot.errors import AccessRefused, ContentError
from bot.upkeep.editing.checking import INTENTS, FieldProblem, check_place
from bot.upkeep.editing.editor import ABSENT, Edit, version_of
from bot.upkeep.editing.intents import (
    HANDOFFS,
    LANGUAGES,
    SLOTS,
    IntentFields,
    read_intent,
    read_messages,
    write_intent,
    write_messages,
)
from bot.upkeep.editing.uploads import slug
from bot.web.console.access import AsEditor, ConsoleHere
from bot.web.console.console import Console
from bot.web.console.knowledge_editing import NOTHING_REFUSED, Refused, save, saved_page, start_trial
from bot.web.console.session import Signed
from bot.web.console.workshop import SentForm, texts_of

router = APIRouter(prefix="/knowledge")
PATH = "/console/knowledge/intents"
_FACED = ("title", "answer", "examples")


@router.get("/intents/new")
def blank(request: Request, console: ConsoleHere, signed: AsEditor) -> Response:
    """A new answer."""
    return _page(console, request, signed, "", IntentFields(slots={}), ABSENT)


@router.post("/intents/new")
def create(request: Request, console: ConsoleHere, signed: AsEditor, form: SentForm) -> Response:
    """Save a new answer under the id that the form names, or that its English title makes."""
    typed = texts_of(form)
    name = typed.get("id", "").strip() or slug(typed.get("title_en", ""))
    text = console.text(request)["knowledge"]
    if not name or slug(name) != name:
        return _again(console, request, signed, "", form, Refused(at={"id": str(text["id_rule"])}))
    if console.workshop.editor.read(_file(name)) is not None:
        return _again(console, request, signed, "", form, Refused(at={"id": str(text["id_taken"])}))
    return _save(console, request, signed, name, form, new=True)


@router.post("/intents/preview")
def preview(request: Request, console: ConsoleHere, signed: AsEditor, form: SentForm) -> Response:
    """How a customer sees the answer that is in the form."""
    fields = IntentFields.of(texts_of(form))
    answers = {
        language: console.markdown.html(text)
        for language, text in (("zh", fields.answer_zh), ("en", fields.answer_en))
        if text
    }
    return console.part(request, signed, "knowledge_preview.html.jinja", articles={}, answers=answers)


@router.post("/intents/trial")
def trial_of_new(request: Request, console: ConsoleHere, signed: AsEditor, form: SentForm) -> Response:
    """What a new answer would change."""
    typed = texts_of(form)
    name = slug(typed.get("id", "")) or slug(typed.get("title_en", "")) or "new-intent"
    return start_trial(console, request, signed, [_edit(console, name, form)])


@router.get("/intents/{name}")
def intent(request: Request, console: ConsoleHere, signed: AsEditor, name: str) -> Response:
    """An answer as it is."""
    data = _read(console, name)
    return _page(console, request, signed, name, read_intent(data, _file(name)), version_of(data))


@router.post("/intents/{name}")
def change(request: Request, console: ConsoleHere, signed: AsEditor, name: str, form: SentForm) -> Response:
    """Save an answer, or take it away."""
    return _save(console, request, signed, name, form, new=False)


@router.post("/intents/{name}/trial")
def trial(request: Request, console: ConsoleHere, signed: AsEditor, name: str, form: SentForm) -> Response:
    """What the edited answer would change."""
    return start_trial(console, request, signed, [_edit(console, name, form)])


@router.get("/messages")
def messages(request: Request, console: ConsoleHere, signed: AsEditor) -> Response:
    """The wording around answers."""
    data = console.workshop.editor.read(MESSAGES_FILE)
    texts = read_messages(data or b"", MESSAGES_FILE)
    return _messages_page(console, request, signed, texts, version_of(data))


@router.post("/messages")
def change_messages(request: Request, console: ConsoleHere, signed: AsEditor, form: SentForm) -> Response:
    """Save the wording around answers."""
    typed = texts_of(form)
    edit = _messages_edit(console, form)

    def field_of(problem: FieldProblem) -> str | None:
        parts = problem.field.split(".")
        return ".".join(parts[:2]) if problem.file == MESSAGES_FILE and len(parts) > 1 else None

    refused = save(console, signed, [edit], typed.get("why", "").strip(), field_of)
    if not refused.anything:
        return saved_page("/console/knowledge/messages")
    version = typed.get("version", ABSENT)
    if refused.collided:
        version = version_of(console.workshop.editor.read(MESSAGES_FILE))
    texts = {language: texts_of(form, f"{language}.") for language in LANGUAGES}
    return _messages_page(console, request, signed, texts, version, refused=refused, why=typed.get("why", ""))


@router.post("/messages/trial")
def trial_of_messages(request: Request, console: ConsoleHere, signed: AsEditor, form: SentForm) -> Response:
    """What the edited wording would change."""
    return start_trial(console, request, signed, [_messages_edit(console, form)])


def _file(name: str) -> str:
    return f"{INTENTS}/{name}.yaml"


def _read(console: Console, name: str) -> bytes:
    data = None if f"{name}.yaml" == OUT_OF_SCOPE_FILE else console.workshop.editor.read(_file(name))
    if data is None:
        raise AccessRefused("no_intent", f"There is no intent {name!r}.")
    return data


def _edit(console: Console, name: str, form: FormData) -> Edit:
    typed = texts_of(form)
    file, version = check_place(_file(name)), typed.get("version", ABSENT)
    if "remove" in typed:
        return Edit(file, None, version)
    before = console.workshop.editor.read(file)
    data = write_intent(before, IntentFields.of(typed), intent=name, name=file)
    return Edit(file, data, version)


def _messages_edit(console: Console, form: FormData) -> Edit:
    before = console.workshop.editor.read(MESSAGES_FILE) or b""
    edited = {language: texts_of(form, f"{language}.") for language in LANGUAGES}
    data = write_messages(before, edited, MESSAGES_FILE)
    return Edit(MESSAGES_FILE, data, texts_of(form).get("version", ABSENT))


def _save(
    console: Console, request: Request, signed: Signed, name: str, form: FormData, *, new: bool
) -> Response:
    shown = "" if new else name
    try:
        edit = _edit(console, name, form)
    except ContentError as error:
        return _again(console, request, signed, shown, form, Refused(message=str(error)))

    def field_of(problem: FieldProblem) -> str | None:
        if problem.file != edit.name or not problem.field:
            return None
        key, _, rest = problem.field.partition(".")
        language = rest.partition(".")[0]
        if key == "slots":
            return f"slot.{language}"
        if key in _FACED:
            return f"{key}_{language if language in LANGUAGES else 'zh'}"  # what both faces disagree on stands at the first
        return key

    refused = save(console, signed, [edit], texts_of(form).get("why", "").strip(), field_of)
    if refused.anything:
        return _again(console, request, signed, shown, form, refused)
    return saved_page(PATH if edit.data is None else f"{PATH}/{name}")


def _again(
    console: Console, request: Request, signed: Signed, name: str, form: FormData, refused: Refused
) -> Response:
    typed = texts_of(form)
    version = typed.get("version", ABSENT)
    theirs = None
    if refused.collided:
        data = console.workshop.editor.read(_file(name))
        version, theirs = version_of(data), None if data is None else read_intent(data, _file(name))
    fields = IntentFields.of(typed)
    return _page(console, request, signed, name, fields, version, refused=refused, theirs=theirs, typed=typed)


def _page(
    console: Console,
    request: Request,
    signed: Signed,
    name: str,
    fields: IntentFields,
    version: str,
    *,
    refused: Refused = NOTHING_REFUSED,
    theirs: IntentFields | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    told = {} if typed is None else typed
    history = console.workshop.editor.history
    return console.page(
        request,
        signed,
        "knowledge_intent.html.jinja",
        status=409 if refused.anything else 200,
        tab="intents",
        name=name,
        fields=fields,
        version=version,
        refused=refused,
        theirs=theirs,
        typed_id=told.get("id", ""),
        why=told.get("why", ""),
        slot_names=list(dict.fromkeys((*SLOTS, *(fields.slots or {})))),
        handoffs=HANDOFFS,
        articles=[topic.id for topic in console.workshop.shelf.topics()],
        past=history.latest(most=5, of=[_file(name)]) if name else [],
    )


def _messages_page(
    console: Console,
    request: Request,
    signed: Signed,
    texts: dict[str, dict[str, str]],
    version: str,
    *,
    refused: Refused = NOTHING_REFUSED,
    why: str = "",
) -> Response:
    return console.page(
        request,
        signed,
        "knowledge_messages.html.jinja",
        status=409 if refused.anything else 200,
        tab="messages",
        keys=[key for key in texts["zh"] if key != "version"],
        texts=texts,
        version=version,
        refused=refused,
        why=why,
        past=console.workshop.editor.history.latest(most=5, of=[MESSAGES_FILE]),
    )
