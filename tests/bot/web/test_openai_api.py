"""Programs written for OpenAI's servers, through OpenAI's own package and through plain HTTP, against a live server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from bot.conversation import ConversationId
from bot.settings_sections import OpenAISettings
from bot.web.openai_api import Past
from tests.desk_staff import LI, employ
from tests.fake_assistant import FakeAssistant
from tests.fake_texts import EN_ANSWER, ZH_ANSWER
from tests.web_server import build, serving

KEY = "sk-a-key-of-the-team"
EN = "can i return opened earphones"
ZH = "快递三天没动了怎么办"


@pytest.fixture(scope="module")
def assistant() -> FakeAssistant:
    return FakeAssistant(script={"with a source": "Wait three days [1]."})


@pytest.fixture(scope="module")
def address(assistant: FakeAssistant) -> Iterator[str]:
    sections = {"openai": OpenAISettings(api_keys=(KEY, "sk-another"))}
    with serving(build(assistant, sections=sections)) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=KEY, base_url=f"{address}/v1", max_retries=0) as client:
        yield client


@pytest.fixture
def http(address: str) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=address, headers=headers, timeout=20) as http:
        yield http


def user(text: str) -> ChatCompletionMessageParam:
    return {"role": "user", "content": text}


def said(text: str) -> ChatCompletionMessageParam:
    return {"role": "assistant", "content": text}


def kefu(answer: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", answer.model_extra["kefu"])


@pytest.mark.parametrize(
    ("question", "answer"), [(EN, EN_ANSWER), (ZH, ZH_ANSWER), ("refund 什么时候到账", ZH_ANSWER)]
)
def test_the_openai_package_gets_a_whole_answer(client: openai.OpenAI, question: str, answer: str) -> None:
    completion = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "system", "content": "Be brief."}, user(question)], temperature=0.2
    )
    (choice,) = completion.choices
    assert (choice.message.role, choice.message.content, choice.finish_reason) == (
        "assistant",
        answer,
        "stop",
    )
    assert completion.usage is not None
    assert completion.usage.total_tokens > completion.usage.prompt_tokens > 0
    assert kefu(completion)["route"] == "grounded"
    assert kefu(completion)["sources"][0]["url"].startswith("/articles/")


@pytest.mark.parametrize(("question", "answer"), [(EN, EN_ANSWER), (ZH, ZH_ANSWER)])
def test_the_openai_package_gets_a_stream(client: openai.OpenAI, question: str, answer: str) -> None:
    stream = client.chat.completions.create(
        model="kefu", messages=[user(question)], stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == answer
    assert len([piece for piece in pieces if piece]) > 3
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert kefu(chunks[-2])["turn_id"]
    assert chunks[-1].usage is not None
    assert len({chunk.id for chunk in chunks}) == 1


def test_there_is_one_model(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["kefu"]


def test_a_client_that_sends_the_whole_past_goes_on_with_its_conversation(client: openai.OpenAI) -> None:
    messages = [user(ZH)]
    seen = set()
    for question in ("那退款呢？", "and when does the money arrive?", "thanks"):
        completion = client.chat.completions.create(model="kefu", messages=messages)
        seen.add(kefu(completion)["conversation_id"])
        messages += [said(completion.choices[0].message.content or ""), user(question)]
    assert len(seen) == 1


def test_two_customers_with_the_same_past_do_not_share_a_conversation(client: openai.OpenAI) -> None:
    first = client.chat.completions.create(model="kefu", messages=[user(EN)])
    second = client.chat.completions.create(model="kefu", messages=[user(EN)])
    assert kefu(first)["conversation_id"] != kefu(second)["conversation_id"]
    past = [user(EN), said(first.choices[0].message.content or "")]
    third, fourth = (
        client.chat.completions.create(model="kefu", messages=[*past, user(mine)])
        for mine in ("my order is 1", "my order is 2")
    )
    again = client.chat.completions.create(model="kefu", messages=[*past, user("my order is 3")])
    conversations = [kefu(answer)["conversation_id"] for answer in (third, fourth, again)]
    assert len(set(conversations)) == 3


def test_the_same_past_of_another_user_or_another_key_is_another_conversation(
    address: str, client: openai.OpenAI
) -> None:
    first = client.chat.completions.create(model="kefu", messages=[user("hello you")], user="u1")
    past = [user("hello you"), said(first.choices[0].message.content or ""), user("go on")]
    other = openai.OpenAI(api_key="sk-another", base_url=f"{address}/v1", max_retries=0)
    answers = [
        client.chat.completions.create(model="kefu", messages=past, user="u2"),
        client.chat.completions.create(model="kefu", messages=past),
        other.chat.completions.create(model="kefu", messages=past, user="u1"),
        client.chat.completions.create(model="kefu", messages=past, user="u1"),
    ]
    other.close()
    mine = [kefu(answer)["conversation_id"] == kefu(first)["conversation_id"] for answer in answers]
    assert mine == [False, False, False, True]


def test_a_conversation_can_be_named(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="kefu", messages=[user(EN)])
    named = {"X-Conversation": raw.headers["x-conversation"]}
    again = client.chat.completions.create(model="kefu", messages=[user(ZH)], extra_headers=named)
    assert kefu(again)["conversation_id"] == named["X-Conversation"]
    with pytest.raises(openai.NotFoundError, match="names no conversation"):
        client.chat.completions.create(
            model="kefu", messages=[user(ZH)], extra_headers={"X-Conversation": "guess"}
        )


def test_links_to_the_sources_come_if_they_are_asked_for(client: openai.OpenAI, address: str) -> None:
    for asked in (False, True):
        completion = client.chat.completions.create(
            model="kefu", messages=[user("with a source")], extra_body={"kefu": {"links": asked}}
        )
        content = completion.choices[0].message.content or ""
        assert content.startswith("Wait three days [1].")
        assert (f"[1]: {address}/articles/en/returns-opened" in content) is asked


def test_while_a_person_has_the_talk_the_client_is_told_so(
    client: openai.OpenAI, assistant: FakeAssistant
) -> None:
    first = client.chat.completions.create(model="kefu", messages=[user(ZH)])
    employ(assistant.desk, LI)
    assistant.desk.take(ConversationId(kefu(first)["conversation_id"]), LI)
    past = [user(ZH), said(first.choices[0].message.content or ""), user("有人吗")]
    silent = client.chat.completions.create(model="kefu", messages=past)
    assert kefu(silent)["route"] == "person"
    assert "小李" in (silent.choices[0].message.content or "")


@pytest.mark.parametrize(
    "header", [None, "Bearer nothing", "Bearer", f"Basic {KEY}", KEY, "Bearer 密钥".encode()]
)
def test_nobody_is_answered_without_a_key(address: str, header: str | bytes | None) -> None:
    headers = [] if header is None else [("authorization", header)]
    for method, path in (("POST", "/v1/chat/completions"), ("GET", "/v1/models")):
        response = httpx.request(method, address + path, headers=cast("Any", headers))
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "invalid_api_key"


def test_without_keys_the_endpoint_is_shut_and_says_why() -> None:
    with serving(build(FakeAssistant())) as address:
        response = httpx.post(f"{address}/v1/chat/completions", headers={"authorization": "Bearer x"})
    assert response.status_code == 404
    assert "openai.api_keys" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "The body"),
        (b"[]", "The body"),
        (b'{"a":' * 3000, "The body"),
        ({}, "model"),
        ({"model": "kefu", "messages": []}, "messages"),
        ({"model": "kefu", "messages": [{"role": "boss", "content": "x"}]}, "messages.0.role"),
        ({"model": "kefu", "messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"model": "kefu", "messages": [{"role": "assistant", "content": "x"}]}, "must be the user's"),
        ({"model": "kefu", "messages": [{"role": "user", "content": "x"}], "n": 2}, "n is 2"),
        (
            {
                "model": "kefu",
                "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}],
            },
            "Only texts",
        ),
        ({"model": "kefu", "messages": [{"role": "user", "content": " "}]}, "请先输入"),
        ({"model": "kefu", "messages": [{"role": "user", "content": "x" * 2001}]}, "2000"),
        ({"model": "kefu", "messages": [{"role": "user", "content": "长" * 2001}]}, "2000"),
    ],
)
def test_what_is_wrong_is_said_as_openai_says_it(http: httpx.Client, body: Any, words: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = http.post("/v1/chat/completions", content=content)
    assert response.status_code == 400
    told = response.json()["error"]
    assert set(told) == {"message", "type", "param", "code"}
    assert told["type"] == "invalid_request_error"
    assert words in told["message"]


def test_a_message_may_come_in_parts(http: httpx.Client, assistant: FakeAssistant) -> None:
    parts = [{"type": "text", "text": "你好，"}, {"type": "text", "text": "in parts"}]
    body = {"model": "kefu", "messages": [{"role": "user", "content": parts}]}
    assert http.post("/v1/chat/completions", json=body).status_code == 200
    assert assistant.asked[-1] == "你好，\nin parts"


@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_tells_a_reference_and_nothing_else(
    http: httpx.Client, assistant: FakeAssistant, stream: bool
) -> None:
    assistant.script["explode"] = RuntimeError("/srv/kefu/secret.py: 13812345678")
    body = {"model": "kefu", "messages": [{"role": "user", "content": "explode"}], "stream": stream}
    response = http.post("/v1/chat/completions", json=body)
    assert response.status_code == (200 if stream else 500)
    assert "Reference" in response.text
    assert "secret" not in response.text
    assert "13812345678" not in response.text


def test_only_so_many_pasts_are_remembered() -> None:
    past = Past(most=2)
    for number in range(3):
        past.keep(f"said {number}", ConversationId(f"c{number}"))
    assert [past.take(f"said {number}") for number in range(3)] == [None, "c1", "c2"]
