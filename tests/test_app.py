"""The `kefu` command, as far as it goes without a model."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

import app
from bot.conversation import Language, Reply, Route, Source
from bot.doctor import examine
from bot.errors import SettingsError
from bot.memory.store import Store
from bot.settings import Settings, load_settings
from bot.settings_sections import ServerSettings
from finetune.curation.curate import CurationSettings, curate
from finetune.curation.dataset import write_dataset
from tests.example_talks import shop_talks
from tests.small_shop import build_shop, say, write_knowledge_base


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with the small shop's content."""
    write_knowledge_base(tmp_path / "knowledge_base")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run the command as a shell does: exit status and what went to standard error."""
    monkeypatch.setattr("sys.argv", ["kefu", *words])
    with pytest.raises(SystemExit) as done:
        app.main()
    return int(done.value.code or 0), capsys.readouterr().err


def test_a_port_in_use_is_named_before_any_long_work(here, monkeypatch, capsys) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said = run("serve", "--port", str(port), monkeypatch=monkeypatch, capsys=capsys)
    assert status == 1
    assert str(port) in said
    assert f"--port {port + 1}" in said
    assert not (here / "var").exists()


def test_a_wrong_setting_is_named_with_its_value(here, monkeypatch, capsys) -> None:
    monkeypatch.setenv("KEFU_SERVER__PORT", "70000")
    status, said = run("index", monkeypatch=monkeypatch, capsys=capsys)
    assert status == 1
    assert "server.port" in said
    assert "70000" in said


def test_an_error_with_square_brackets_in_it_is_printed_as_it_is(here, monkeypatch, capsys) -> None:
    (here / "kefu.toml").write_text('[server]\nname = ["[/x]"]\n')
    status, said = run("doctor", monkeypatch=monkeypatch, capsys=capsys)
    assert status == 1
    assert "[/x]" in said


def test_an_unknown_setting_in_the_file_is_named(here) -> None:
    (here / "kefu.toml").write_text('colour = "blue"\n', "utf-8")
    with pytest.raises(SettingsError, match="colour"):
        load_settings()


def test_a_file_that_is_no_toml_is_a_clear_error(here) -> None:
    (here / "kefu.toml").write_text("port = = 1\n", "utf-8")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings()


def test_the_environment_overrules_the_file(here, monkeypatch) -> None:
    (here / "kefu.toml").write_text("[server]\nport = 8001\nname = 'A'\n", "utf-8")
    monkeypatch.setenv("KEFU_SERVER__PORT", "8002")
    server = load_settings().server
    assert (server.port, server.name) == (8002, "A")


def test_an_export_of_an_empty_log_says_so(here, monkeypatch, capsys) -> None:
    status, said = run("export", "out.jsonl", monkeypatch=monkeypatch, capsys=capsys)
    assert status == 1
    assert "kefu:" in said
    assert not (here / "out.jsonl").exists()


def test_an_export_writes_the_log_and_its_manifest(here, monkeypatch, capsys) -> None:
    manager = build_shop(here)
    say(manager, "how much is postage")
    manager.desk.close()
    manager.store.close()
    (here / "var").mkdir()
    (here / "kefu.db").rename(here / "var" / "kefu.db")
    status, said = run("export", "out.jsonl", "--format", "messages", monkeypatch=monkeypatch, capsys=capsys)
    assert status == 0, said
    (row,) = [json.loads(line) for line in (here / "out.jsonl").read_text("utf-8").splitlines()]
    assert row["messages"][-1]["content"] == "Postage is free from 99 yuan."
    assert (here / "out.manifest.json").exists()


def test_a_side_of_a_training_set_is_exported(here, monkeypatch, capsys) -> None:
    how = CurationSettings(augmented=0.0)
    write_dataset(here / "var" / "datasets", curate(shop_talks(), how), how, [])
    words = (
        "export",
        "out.jsonl",
        "--format",
        "prompt-completion",
        "--dataset",
        "var/datasets",
        "--side",
        "test",
    )
    status, said = run(*words, monkeypatch=monkeypatch, capsys=capsys)
    assert status == 0, said
    rows = [json.loads(line) for line in (here / "out.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == 12
    assert rows[0]["prompt"][-1]["role"] == "user"


def test_a_training_set_that_is_none_is_named(here, monkeypatch, capsys) -> None:
    status, said = run(
        "export", "out.jsonl", "--dataset", "var/datasets", monkeypatch=monkeypatch, capsys=capsys
    )
    assert status == 1
    assert "kefu curate" in said


def test_the_doctor_finds_a_new_place_healthy(here) -> None:
    settings = Settings(server=ServerSettings(port=_free_port()))
    findings = {finding.what: finding for finding in examine(settings)}
    assert [name for name, finding in findings.items() if not finding.fine] == []
    assert "kefu serve" in findings["index"].remedy


def test_the_doctor_says_what_to_do_about_each_trouble(here) -> None:
    (here / "knowledge_base" / "messages.yaml").unlink()
    (here / "knowledge_base" / "articles" / "en" / "bad.md").write_text(
        "---\ncolour: blue\n---\nText.", "utf-8"
    )
    (here / "var").mkdir()
    (here / "var" / "kefu.db").write_bytes(b"this is no database, however long it is made to look" * 40)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(server=ServerSettings(port=taken.getsockname()[1]))
        troubles = {finding.what: finding for finding in examine(settings) if not finding.fine}
    assert set(troubles) == {"wording and intents", "articles", "log", "port"}
    assert all(finding.remedy for finding in troubles.values())
    assert "bad.md" in troubles["articles"].remedy


def test_the_json_of_an_answer_has_the_promised_fields() -> None:
    source = Source(1, "warranty", "warranty#zh#0", "保修", Language.ZH, 0.91234)
    reply = Reply(
        "t",
        "c",
        "好 [1]",
        Language.ZH,
        Route.GROUNDED,
        None,
        0.12345,
        0.1,
        (source,),
        timings_ms={"total": 1.0},
    )
    printed = json.loads(json.dumps(app._as_json(reply), ensure_ascii=False))
    assert printed == {
        "answer": "好 [1]",
        "route": "grounded",
        "language": "zh",
        "intent": None,
        "score": 0.1235,
        "margin": 0.1,
        "sources": [{"id": "warranty", "title": "保修", "score": 0.9123}],
        "actions": [],
        "turn_id": "t",
        "timings_ms": {"total": 1.0},
    }


def test_every_command_explains_itself() -> None:
    listed = CliRunner().invoke(app.cli, ["--help"]).output
    for command in ("serve", "index", "ask", "import", "curate", "export", "doctor"):
        assert command in listed
        assert CliRunner().invoke(app.cli, [command, "--help"]).exit_code == 0


def test_a_store_opened_by_the_doctor_is_left_as_it_was(here) -> None:
    with Store(here / "var" / "kefu.db"):
        pass
    examine(Settings(server=ServerSettings(port=_free_port())))
    with Store(here / "var" / "kefu.db") as store:
        assert store.check().counts["turns"] == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
