"""kefu.toml as the console writes it: comments stay, nothing impossible gets in, the environment wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config_file import ConfigFile, Origin, SettingRefused
from bot.errors import SettingsError

TEXT = """# our shop – 我们的店
time_zone = "Asia/Shanghai"

[server]
port = 8080  # behind nginx
name = "旧名字"

# calibrated by hand
[policy]
template_score = 0.95
"""


@pytest.fixture
def file(tmp_path: Path) -> ConfigFile:
    path = tmp_path / "kefu.toml"
    path.write_text(TEXT, "utf-8")
    return ConfigFile(path)


def test_only_what_is_changed_differs_and_comments_stay(file: ConfigFile) -> None:
    settings = file.write({"server.name": "开帆 · Kaifan"}, version=file.version)
    assert file.path.read_text("utf-8") == TEXT.replace("旧名字", "开帆 · Kaifan")
    assert (settings.server.name, settings.server.port) == ("开帆 · Kaifan", 8080)


def test_new_sections_and_top_names_come_where_toml_reads_them(file: ConfigFile) -> None:
    settings = file.write(
        {
            "desk.opening_hours": "Mo-Fr 09:00-18:00",
            "log_level": "info",
            "server.allowed_sites": ["https://a.example"],
        },
        version=file.version,
    )
    assert settings.desk.opening_hours == "Mo-Fr 09:00-18:00"
    assert settings.log_level == "info"
    assert settings.server.allowed_sites == ("https://a.example",)
    assert settings.policy.template_score == 0.95
    assert "# calibrated by hand" in file.path.read_text("utf-8")
    assert file.settings() == settings


def test_taking_a_name_out_brings_its_default_back(file: ConfigFile) -> None:
    assert file.write({"server.port": None, "desk.holidays": None}, version=file.version).server.port == 7860
    assert file.origin("server.port") is Origin.DEFAULT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server.port", 0),
        ("widget.colour", "red"),
        ("desk.while_waiting", "sing"),
        ("desk.idle_minutes", "many"),
    ],
)
def test_an_impossible_value_is_refused_at_its_name_and_nothing_is_written(
    file: ConfigFile, name: str, value: str | int
) -> None:
    with pytest.raises(SettingRefused) as refused:
        file.write({"server.name": "new", name: value}, version=file.version)
    assert list(refused.value.problems) == [name]
    assert file.path.read_text("utf-8") == TEXT


def test_what_the_environment_sets_is_said_and_cannot_be_changed(
    file: ConfigFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEFU_SERVER__PORT", "9000")
    assert file.origin("server.port") is Origin.ENVIRONMENT
    assert file.origin("server.name") is Origin.FILE
    assert file.origin("widget.colour") is Origin.DEFAULT
    assert file.settings().server.port == 9000
    with pytest.raises(SettingRefused, match="environment"):
        file.write({"server.port": 1234}, version=file.version)
    assert file.path.read_text("utf-8") == TEXT


def test_two_people_do_not_overwrite_each_other(file: ConfigFile) -> None:
    opened = file.version
    file.write({"server.name": "一"}, version=opened)
    with pytest.raises(SettingsError, match="somebody else"):
        file.write({"server.name": "二"}, version=opened)


def test_a_file_that_is_not_there_is_made_and_a_broken_one_is_named(tmp_path: Path) -> None:
    file = ConfigFile(tmp_path / "new" / "kefu.toml")
    assert file.write({"server.name": "店"}, version=file.version).server.name == "店"
    file.path.write_text("[server\n", "utf-8")
    with pytest.raises(SettingsError, match=r"kefu\.toml"):
        file.origin("server.name")


def test_zero_is_a_value(file: ConfigFile) -> None:
    assert file.write({"policy.burst_seconds": 0.0}, version=file.version).policy.burst_seconds == 0.0
    assert file.origin("policy.burst_seconds") is Origin.FILE
