"""The sections of the settings, each a table of `kefu.toml`: names, defaults, bounds, and what each does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(_Section):
    """Where the server listens and what it lets in."""

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 lets other machines in")
    port: int = Field(7860, ge=1, le=65535, description="port to listen on")
    name: str = Field("开帆电器 · Kaifan Home", description="shown at the top of the page")
    allowed_sites: tuple[str, ...] = Field((), description="origins that may embed the chat or call the API")
    trusted_proxies: tuple[str, ...] = Field((), description="proxies whose X-Forwarded-For is believed")
    max_body_bytes: int = Field(64 * 1024, ge=1024, description="largest request that is read")
    messages_per_minute: int = Field(30, ge=1, description="per visitor and per address")
    workers: int = Field(16, ge=1, description="turns answered at the same time")
    queue: int = Field(64, ge=1, description="turns that may wait; more are refused politely")
    mcp: bool = Field(
        False, description="whether the endpoints are tools of an MCP server too; needs the extra `mcp`"
    )
    visitor_days: int = Field(90, ge=1, description="how long a visitor's history can be reopened")


class EncoderSettings(_Section):
    """What turns text into vectors."""

    model: str = Field("bundled", description="'bundled', a hub name, or a path")
    revision: str | None = Field(None, description="commit or tag of a model on a hub")
    query_prompt: str = Field("query: ", description="what the model wants before a question")
    passage_prompt: str = Field("passage: ", description="what the model wants before a passage")
    device: str = Field("auto", description="'auto', 'cpu', 'cuda', 'mps'")
    english: Literal["auto", "none"] = Field(
        "auto",
        description="'auto': a second encoder reads English beside the bundled one, for the search and, where no intent has "
        "Chinese examples, for the intents; 'none' does without it",
    )


class ModelSettings(_Section):
    """The language model that drafts grounded answers."""

    model: str = Field("bundled", description="'bundled', 'none', a hub name, or a path")
    drafts: Literal["auto", "always", "never"] = Field(
        "auto",
        description="what the model does: 'auto' lets a tuned one name the passage or decline, and draft if its certificate "
        "says that it writes well enough; 'always' shows every draft that passes the check; 'never' does without it",
    )
    adapter: str = Field(
        "auto",
        description="'auto' takes the one that was promoted (see `kefu adapters`), 'none', or a folder",
    )
    revision: str | None = Field(None, description="commit or tag of a model on a hub")
    url: str | None = Field(None, description="an OpenAI-compatible server; then `model` is its name there")
    api_key: str | None = Field(None, description="sent to the model server; set it in the environment")
    engine: Literal["auto", "torch", "openvino"] = Field(
        "auto",
        description="what computes: 'auto' takes OpenVINO on a CPU if it is installed and promotion wrote files for it",
    )
    device: str = Field("auto", description="'auto', 'cpu', 'cuda', 'mps'")
    threads: int | None = Field(None, ge=1, description="CPU threads of one generation; default: all but one")
    max_new_tokens: int = Field(160, ge=1, description="longest draft")
    first_sentence_seconds: float = Field(2.5, gt=0, description="then the composed answer is shown instead")
    deadline_seconds: float = Field(12.0, gt=0, description="longest time for a whole draft")


class RetrievalSettings(_Section):
    """How many passages an answer may use."""

    top_k: int = Field(5, ge=1, le=50, description="articles that a search returns")
    passage_characters: int = Field(
        600, ge=100, description="longest passage, in width units (a Chinese character is 2)"
    )


class PolicySettings(_Section):
    """Thresholds on calibrated probabilities, 0 to 1. What is set here is never overruled by `kefu calibrate`."""

    template_score: float = Field(
        0.9, ge=0, le=1, description="least probability of an intent for its template"
    )
    template_margin: float = Field(0.1, ge=0, le=1, description="least distance of that intent to the next")
    handoff_score: float = Field(
        0.5, ge=0, le=1, description="least probability of all intents together that always bring a person"
    )
    grounded_score: float = Field(0.65, ge=0, le=1, description="least probability that an article answers")
    drafted_score: float = Field(
        0.15, ge=0, le=1, description="the same where a tuned model reads the articles, which may decline"
    )
    clarify_score: float = Field(
        0.15, ge=0, le=1, description='least probability of an intent to be offered in "did you mean"'
    )
    in_scope: float = Field(
        0.35, ge=0, le=1, description="least probability that the question is ours at all"
    )
    failures_before_handoff: int = Field(
        2, ge=1, description="turns in a row without an answer, until a person is called"
    )
    burst_seconds: float = Field(
        8.0, ge=0, description="a fragment sent this soon after another is read with it"
    )


class SafetySettings(_Section):
    """What a customer's message may look like, and the team's word lists."""

    max_characters: int = Field(2000, ge=1, description="longest message")
    shown_contacts: tuple[str, ...] = Field(
        ("400-800-1234", "service@example.com", "complaint@example.com", "business@example.com"),
        description="the company's own numbers and addresses, which are never masked",
    )
    person_words: tuple[_Word, ...] = Field(
        (),
        description="a message with one of these always brings a person, e.g. 12315, 律师, small claims court; English as whole "
        "words, any script and width alike",
    )
    unwanted_words: tuple[_Word, ...] = Field(
        (),
        description="what a model drafts is not shown with one of these: the answer is composed from the articles. Approved "
        "wording is said all the same, and `kefu check` names it",
    )


class RetentionSettings(_Section):
    """How long the log is kept. The server deletes once a day what is older, for ever; an open call is left alone."""

    turns_days: int | None = Field(
        None,
        ge=1,
        description="turns, with their ratings, corrections and calls for a person, and everything else of a conversation "
        "whose turns are gone; default: for ever",
    )
    uploads_days: int | None = Field(
        None, ge=1, description="pictures and files that customers sent; default: as long as turns"
    )
    visits_days: int | None = Field(
        None, ge=1, description="the pages of a site that customers were on; default: as long as turns"
    )


class WidgetSettings(_Section):
    """The bubble on other sites."""

    colour: str = Field(
        "#1a6dd6", pattern=r"^#[0-9a-fA-F]{6}$", description="of bubble and buttons, e.g. #1a6dd6"
    )
    logo: Path | None = Field(None, description="a picture file (SVG, PNG, JPEG) to show instead of the icon")
    identity_secret: str | None = Field(
        None, description="signs who a site's users are (HMAC-SHA256); set it in the environment"
    )
    uploads: bool = Field(True, description="whether customers may send pictures and files")
    max_upload_bytes: int = Field(5 * 1024 * 1024, ge=1024, description="largest picture or file")


class DeskSettings(_Section):
    """When people of the team take over, and how."""

    opening_hours: str = Field(
        "Mo-Su 09:00-22:00", description="when people are there, as OpenStreetMap writes it; PH are holidays"
    )
    holidays: str | None = Field(
        "CN", description="country (ISO 3166) whose public holidays count as PH; 'none' for none"
    )
    while_waiting: Literal["answer", "silent"] = Field(
        "answer", description="what the bot does between the call for a person and their coming"
    )
    idle_minutes: float = Field(
        30.0, gt=0, description="so long after the last word of a person who is gone, the bot answers again"
    )
    forgotten_days: float = Field(
        7.0,
        gt=0,
        description="a call for which nobody came for so long is closed, and what was said is masked",
    )
    session_hours: float = Field(12.0, gt=0, description="how long a login lasts without use")


class WebhookSettings(_Section):
    """Other programs that are told what happens (new talk, hand-off, rating)."""

    urls: tuple[str, ...] = Field((), description="where each event is sent, as Standard Webhooks describes")
    secret: str | None = Field(None, description="signs what is sent; set it in the environment")


class OpenAISettings(_Section):
    """The OpenAI-compatible endpoint, /v1/chat/completions."""

    api_keys: tuple[str, ...] = Field((), description="who holds one may call it; without any it is shut")


class WeChatSettings(_Section):
    """A WeChat official account (公众号)."""

    app_id: str = Field("", description="AppID; empty: off")
    app_secret: str = Field("", description="AppSecret, for answers that take longer than five seconds")
    token: str = Field("", description="Token of the server configuration")
    aes_key: str = Field("", description="EncodingAESKey; empty for messages in plain text")


class WeComSettings(_Section):
    """An application in WeCom (企业微信)."""

    corp_id: str = Field("", description="CorpID; empty: off")
    agent_id: int = Field(0, description="AgentId of the application")
    secret: str = Field("", description="Secret of the application")
    token: str = Field("", description="Token of its message receiver")
    aes_key: str = Field("", description="EncodingAESKey of its message receiver")


class FeishuSettings(_Section):
    """A Feishu (Lark) application."""

    app_id: str = Field("", description="App ID; empty: off")
    app_secret: str = Field("", description="App Secret")
    verification_token: str = Field("", description="Verification Token of its events")
    encrypt_key: str = Field("", description="Encrypt Key of its events; empty for plain ones")


class DingTalkSettings(_Section):
    """A DingTalk robot (钉钉)."""

    app_key: str = Field("", description="AppKey; empty: off")
    app_secret: str = Field("", description="AppSecret, which signs what DingTalk sends")


class ChannelSettings(_Section):
    """Where customers write beside the page and the widget."""

    idle_hours: float = Field(24.0, gt=0, description="after so long a silence a new conversation begins")
    wechat: WeChatSettings = WeChatSettings()
    wecom: WeComSettings = WeComSettings()
    feishu: FeishuSettings = FeishuSettings()
    dingtalk: DingTalkSettings = DingTalkSettings()
