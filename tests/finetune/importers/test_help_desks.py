"""Chatwoot and Zendesk: who said what, what was private, and what the customer thought of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune.importers.chatwoot import is_chatwoot, read_chatwoot
from finetune.importers.reading import Reading, Talk
from finetune.importers.zendesk import is_zendesk, read_zendesk
from tests.talk_files import CHATWOOT, ZENDESK, write_json, write_lines


def _texts(talk: Talk) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in talk.messages]


def test_chatwoot_conversations_without_private_notes(tmp_path: Path) -> None:
    reading = Reading(write_json(tmp_path / "cw.json", CHATWOOT))
    english, chinese = read_chatwoot(reading)
    assert [role for role, _ in _texts(english)] == [
        "system",
        "customer",
        "customer",
        "bot",
        "agent",
        "system",
    ]
    assert not any("VIP" in text for _, text in _texts(english))
    assert (english.rating, english.customer, english.channel) == (1, "Anna@mail.example", "WebWidget")
    assert {"Anna Schmidt", "Li Lei"} <= english.people
    assert _texts(chinese) == [("customer", "发票怎么开"), ("agent", "在订单详情里点“申请发票”。")]
    assert reading.skipped == {"private notes": 1, "attachments without text": 1}
    assert [problem.place for problem in reading.problems] == [
        "cw.json conversation 1025",
        "cw.json conversation 1026",
    ]


def test_chatwoot_answers_of_its_api(tmp_path: Path) -> None:
    listed = {"data": {"meta": {}, "payload": CHATWOOT["conversations"][2:]}}
    one = {
        "meta": {},
        "payload": [
            {**message, "conversation_id": 77} for message in CHATWOOT["conversations"][0]["messages"]
        ],
    }
    (from_list,) = read_chatwoot(Reading(write_json(tmp_path / "a.json", listed)))
    (from_messages,) = read_chatwoot(Reading(write_json(tmp_path / "b.json", one)))
    assert from_list.key == "1026"
    assert (from_messages.key, from_messages.customer, len(from_messages.messages)) == ("77", "7", 6)
    assert is_chatwoot(listed)
    assert is_chatwoot(one)


def test_zendesk_tickets_without_private_comments_and_quoted_mail(tmp_path: Path) -> None:
    reading = Reading(write_lines(tmp_path / "z.jsonl", ZENDESK))
    english, chinese = read_zendesk(reading)
    assert _texts(english) == [
        ("customer", "Where is my parcel?"),
        ("agent", "It is delayed by two days."),
        ("system", "Merged."),
    ]
    assert (english.rating, english.customer, english.channel) == (-1, "bob@mail.example", "email")
    assert _texts(chinese) == [("customer", "怎么退货"), ("agent", "赵六您好，请在订单里点“退货”。")]
    assert (chinese.rating, chinese.customer) == (1, "13")
    assert reading.skipped == {"private notes": 1}
    assert [problem.place for problem in reading.problems] == ["z.jsonl:2 ticket 502", "z.jsonl:3 ticket 503"]


def test_zendesk_tickets_inside_one_object(tmp_path: Path) -> None:
    whole = {
        "tickets": [{k: v for k, v in ticket.items() if k != "users"} for ticket in ZENDESK],
        "users": ZENDESK[0]["users"],
    }
    talks = list(read_zendesk(Reading(write_json(tmp_path / "z.json", whole))))
    assert [talk.key for talk in talks] == ["501", "503"]
    assert is_zendesk(whole)
    assert not is_zendesk({"messages": []})


@pytest.mark.parametrize("rating", ["offered", "unoffered", None, {"score": "good_with_comment"}])
def test_zendesk_satisfaction_that_is_no_vote_is_none(tmp_path: Path, rating: Any) -> None:
    ticket = {**ZENDESK[2], "satisfaction_rating": rating}
    (talk,) = read_zendesk(Reading(write_json(tmp_path / "z.json", ticket)))
    assert talk.rating == (1 if isinstance(rating, dict) else None)


_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["id", "messages", "payload", "data", "meta", "sender", "message_type", "content", "private", "created_at", "tickets", "ticket", "users",
             "comments", "author", "author_id", "requester", "requester_id", "body", "public", "via", "satisfaction_rating", "content_attributes"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    row=st.dictionaries(
        st.sampled_from(["conversations", "data", "payload", "tickets", "ticket", "comments", "users", "id"]),
        _values,
    )
)
def test_any_object_is_read_or_named_but_never_fails(tmp_path: Path, row: dict[str, Any]) -> None:
    path = write_json(tmp_path / "a.json", row)
    for importer in (read_chatwoot, read_zendesk):
        list(importer(Reading(path)))
