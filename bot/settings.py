"""All settings, in one place. Read from `kefu.toml`, overruled by the environment (`KEFU_…`); nothing else reads either.

Nested names are joined by two underscores in the environment: `KEFU_SERVER__PORT=8080`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.errors import SettingsError
from bot.settings_sections import (
    ChannelSettings,
    DeskSettings,
    EncoderSettings,
    ModelSettings,
    OpenAISettings,
    PolicySettings,
    RetentionSettings,
    RetrievalSettings,
    SafetySettings,
    ServerSettings,
    WebhookSettings,
    WidgetSettings,
)

CONFIG_FILE = Path("kefu.toml")
_NO_HURRY = 3600.0  # seconds


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
    retention: RetentionSettings = RetentionSettings()
    widget: WidgetSettings = WidgetSettings()
    desk: DeskSettings = DeskSettings()
    webhooks: WebhookSettings = WebhookSettings()
    openai: OpenAISettings = OpenAISettings()
    channels: ChannelSettings = ChannelSettings()

    def patient(self) -> Settings:
        """The same settings with all the time for drafts: what is measured must not depend on how busy the machine is."""
        unhurried = {"first_sentence_seconds": _NO_HURRY, "deadline_seconds": _NO_HURRY}
        return self.model_copy(update={"model": self.model.model_copy(update=unhurried)})

    @property
    def log_path(self) -> Path:
        """The SQLite file with every turn."""
        return self.var / "kefu.db"

    @property
    def uploads_path(self) -> Path:
        """Where pictures and files that customers sent lie."""
        return self.var / "uploads"

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
    def judged_questions_path(self) -> Path:
        """Where customers' questions lie with the articles that people say answer them, as `bot.judged` reads."""
        return self.var / "judged-questions.jsonl"

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
