"""All settings, in one place. Read from `kefu.toml`, overruled by the environment (`KEFU_…`); nothing else reads either.

Nested names are joined by two underscores in the environment: `KEFU_SERVER__PORT=8080`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.errors import SettingsError

CONFIG_FILE = Path("kefu.toml")
_NO_HURRY = 3600.0  # seconds


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
    visitor_days: int = Field(90, ge=1, description="how long a visitor's history can be reopened")


class EncoderSettings(_Section):
    """What turns text into vectors."""

    model: str = Field("bundled", description="'bundled', a hub name, or a path")
    revision: str | None = Field(None, description="commit or tag of a model on a hub")
    query_prompt: str = Field("query: ", description="what the model wants before a question")
    passage_prompt: str = Field("passage: ", description="what the model wants before a passage")
    device: str = Field("auto", description="'auto', 'cpu', 'cuda', 'mps'")


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
        0.5, ge=0, le=1, description="least probability of an intent that always brings a person"
    )
    grounded_score: float = Field(0.65, ge=0, le=1, description="least probability that an article answers")
    drafted_score: float = Field(
        0.4, ge=0, le=1, description="the same where a tuned model reads the articles and may decline"
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
    """What a customer's message may look like."""

    max_characters: int = Field(2000, ge=1, description="longest message")
    shown_contacts: tuple[str, ...] = Field(
        ("400-800-1234", "service@example.com", "complaint@example.com", "business@example.com"),
        description="the company's own numbers and addresses, which are never masked",
    )


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="KEFU_", env_nested_delimiter="__", extra="forbid", frozen=True, toml_file=CONFIG_FILE
    )

    knowledge_base: Path = Field(Path("knowledge_base"), description="the team's content")
    var: Path = Field(Path("var"), description="what Kefu writes: models, index, log")
    time_zone: str = Field(
        "Asia/Shanghai", description="decides what day it is for articles with an end date"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="least serious event that is logged"
    )
    server: ServerSettings = ServerSettings()
    encoder: EncoderSettings = EncoderSettings()
    model: ModelSettings = ModelSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    policy: PolicySettings = PolicySettings()
    safety: SafetySettings = SafetySettings()

    def patient(self) -> Settings:
        """The same settings with all the time for drafts: what is measured must not depend on how busy the machine is."""
        unhurried = {"first_sentence_seconds": _NO_HURRY, "deadline_seconds": _NO_HURRY}
        return self.model_copy(update={"model": self.model.model_copy(update=unhurried)})

    @property
    def log_path(self) -> Path:
        """The SQLite file with every turn."""
        return self.var / "kefu.db"

    @property
    def models_path(self) -> Path:
        """Where bundled models are unpacked."""
        return self.var / "models"

    @property
    def adapters_path(self) -> Path:
        """Where adapters lie, and what says which one serves."""
        return self.var / "adapters"

    @property
    def intent_corrections_path(self) -> Path:
        """Where customers' questions lie with the intent that a person gave them, as `bot.understanding.corrections` reads."""
        return self.var / "intent-corrections.jsonl"

    @property
    def thresholds_path(self) -> Path:
        """Where `kefu calibrate` writes thresholds, as `bot.thresholds` reads."""
        return self.var / "thresholds.json"

    @property
    def exports_path(self) -> Path:
        """Where promotion writes adapters in the forms that are served faster."""
        return self.var / "exports"

    @property
    def index_path(self) -> Path:
        """Where the index's generations lie."""
        return self.var / "index"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then kefu.toml."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings() -> Settings:
    """Read kefu.toml (if there is one) and the environment.

    Raises:
        SettingsError: a name is unknown or a value impossible; names each with the value seen.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"  {'.'.join(map(str, problem['loc']))} = {problem['input']!r}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise SettingsError(
            "Settings cannot be used. Mend kefu.toml or the KEFU_ variables:\n" + "\n".join(lines)
        ) from error
    except ValueError as error:  # tomllib's syntax error, an environment value that is no JSON
        raise SettingsError(
            f"Settings cannot be read: {error}. Mend kefu.toml or the KEFU_ variables."
        ) from error
