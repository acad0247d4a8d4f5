"""Zendesk: tickets with their comments, from its JSON export (a ticket a line) or from the answers of its API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bs4 import BeautifulSoup

from finetune.importers.reading import Message, Reading, Role, Row, Talk, json_rows
from finetune.importers.talks import in_order_of_time
from finetune.importers.values import clean, first_of, read_rating, read_time
from retrieval.cleaning import strip_html

# From here on a mail repeats the one that it answers.
_QUOTED = re.compile(
    r"^(?:>|-{2,} ?(?:Original Message|原始邮件|Forwarded)|_{10,}$|On .{10,120} wrote:$|(?:发件人|發件人|From)[:：] ?\S|在 ?\d{4}.{5,60}写道[:：]$"
    r"|##- Please type your reply above this line -##)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class _People:
    """Users by id; filled from every object of the file before the tickets are read."""

    roles: dict[str, Role] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    mails: dict[str, str] = field(default_factory=dict)


def read_zendesk(reading: Reading) -> Iterator[Talk]:
    """A talk a ticket; private comments are left out, the satisfaction rating is kept."""
    rows = list(json_rows(reading))
    people = _people([row for _, row in rows])
    for place, row in rows:
        tickets = _tickets(row)
        if not tickets and "users" not in row:
            reading.problem(place, "it holds no ticket")
        for ticket in tickets:
            yield from _talk(reading, place, ticket, people)


def is_zendesk(row: Row) -> bool:
    """Whether a JSON object looks like Zendesk's."""
    return any(
        "requester_id" in ticket or "requester" in ticket or "comments" in ticket for ticket in _tickets(row)
    )


def _tickets(row: Row) -> list[Row]:
    for name in ("tickets", "results"):
        if isinstance(row.get(name), list):
            return [ticket for ticket in row[name] if isinstance(ticket, dict)]
    if isinstance(row.get("ticket"), dict):
        return [{**row, **row["ticket"]}]
    return [row] if "comments" in row or "requester_id" in row else []


def _people(rows: list[Row]) -> _People:
    people = _People()
    for row in rows:
        users = row.get("users")
        for user in users if isinstance(users, list) else []:
            if isinstance(user, dict):
                _note(people, user)
        for ticket in _tickets(row):
            for name, role in (("requester", "customer"), ("submitter", None), ("assignee", "agent")):
                if isinstance(ticket.get(name), dict):
                    _note(people, {"role": role, **ticket[name]})
    return people


def _note(people: _People, user: Mapping[str, Any]) -> None:
    key = clean(user.get("id"))
    role = _role_named(user.get("role"))
    if role is not None:
        people.roles[key] = role
    people.names[key] = clean(user.get("name"))
    people.mails[key] = clean(user.get("email"))


def _role_named(word: Any) -> Role | None:
    if word in ("end-user", "end_user", "customer"):
        return "customer"
    return "agent" if word in ("agent", "admin", "owner", "team member") else None


def _talk(reading: Reading, place: str, ticket: Row, people: _People) -> Iterator[Talk]:
    name = clean(ticket.get("id"))
    here = f"{place} ticket {name}" if name else place
    comments = ticket.get("comments")
    if not isinstance(comments, list) or not comments:
        reading.problem(here, "it has no comments; export tickets together with them")
        return
    requester = _person_id(ticket, "requester")
    messages = []
    for comment in comments:
        if not isinstance(comment, dict):
            reading.problem(here, f"a comment is {type(comment).__name__}, no object")
            continue
        message = _message(reading, here, comment, requester, people)
        if message is not None:
            messages.append(message)
    mail = people.mails.get(requester, "")
    yield Talk(
        key=name if name else reading.key(place),
        place=here,
        messages=in_order_of_time(messages),
        customer=mail if mail else requester,
        channel=_channel(ticket),
        rating=_vote(reading, here, ticket.get("satisfaction_rating")),
        people=frozenset(_names(comments, requester, people)),
    )


def _message(reading: Reading, place: str, comment: Row, requester: str, people: _People) -> Message | None:
    if comment.get("public") is False:
        reading.skip("private notes")
        return None
    role = _author(comment, requester, people)
    return Message(role, _text(comment), _time(reading, place, comment))


def _author(comment: Row, requester: str, people: _People) -> Role:
    """Who is not the one who asked, and no known customer, answers; a system's own comments have author -1."""
    author = comment.get("author")
    key = _person_id(comment, "author")
    own = author.get("role") if isinstance(author, dict) else None
    named = _role_named(comment.get("author_role", own))
    if key == "-1":
        return "system"
    if key and key == requester:
        return "customer"
    if named is not None:
        return named
    return people.roles.get(key, "agent")


def _text(comment: Row) -> str:
    plain = first_of(comment, "plain_body", "body")
    if not plain and comment.get("html_body"):
        plain = clean(BeautifulSoup(strip_html(str(comment["html_body"])), "html.parser").get_text("\n"))
    quoted = _QUOTED.search(plain)
    return plain if quoted is None else plain[: quoted.start()].strip()


def _time(reading: Reading, place: str, comment: Row) -> datetime | None:
    try:
        return read_time(comment.get("created_at"), reading.zone)
    except ValueError as error:
        reading.problem(place, f"comment {comment.get('id')}: {error}; it is read without its time")
        return None


def _vote(reading: Reading, place: str, rating: Any) -> int | None:
    score = rating.get("score") if isinstance(rating, dict) else rating
    try:
        # "bad_with_comment" and the like say more than we keep
        return read_rating(clean(score).partition("_")[0])
    except ValueError as error:
        reading.problem(place, f"rating not understood ({error}); the ticket is read without it")
        return None


def _channel(ticket: Row) -> str:
    via = ticket.get("via")
    return clean(via.get("channel") if isinstance(via, dict) else via)


def _person_id(row: Row, name: str) -> str:
    """The id of the person `name` in `row`, which is given as `name_id` or inside the person."""
    person = row.get(name)
    inside = first_of(person, "id") if isinstance(person, dict) else ""
    return first_of(row, f"{name}_id") or inside


def _names(comments: list[Any], requester: str, people: _People) -> Iterator[str]:
    yield people.names.get(requester, "")
    for comment in comments:
        if isinstance(comment, dict):
            author = comment.get("author")
            yield people.names.get(clean(comment.get("author_id")), "")
            yield clean(author.get("name")) if isinstance(author, dict) else ""
