"""Settings and training from the console: one source, admins only, each change on the record."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from bot.config_file import ConfigFile
from bot.factory import Kefu
from bot.upkeep.cycle_process import CycleProcess
from tests.bot.web.console.conftest import Person
from tests.bot.web.console.workshop.test_knowledge import fields_of

Someone = Callable[..., Person]
PATH = "/console/settings"


@pytest.fixture(autouse=True)
def file(app: FastAPI, tmp_path: Path) -> ConfigFile:
    path = tmp_path / "kefu.toml"
    path.write_text('# 我们的店\n[server]\nname = "旧"\n', "utf-8")
    app.state.console.workshop.config = ConfigFile(path)
    return ConfigFile(path)


@pytest.fixture
def cycle(app: FastAPI, kefu: Kefu) -> Iterator[CycleProcess]:
    cycle = CycleProcess(
        kefu.settings,
        [sys.executable, "-c", "import time; print('Training  1/4', flush=True); time.sleep(60)"],
    )
    app.state.console.workshop.cycle = cycle
    yield cycle
    cycle.stop()


def test_settings_and_training_are_for_admins(someone: Someone) -> None:
    for path in (PATH, "/console/training"):
        assert someone("mary").get(path).status_code == 403


def test_a_change_is_written_with_its_neighbours_untouched_and_waits_for_a_restart(
    someone: Someone, file: ConfigFile
) -> None:
    admin = someone("admin")
    fields = fields_of(admin.get(PATH).text)
    assert fields["server.name"] == "旧"
    changed = fields | {
        "server.name": "开帆 & Co",
        "desk.opening_hours": "Mo-Fr 09:00-18:00",
        "server.allowed_sites": "https://a.example\r\nhttps://b.example",
    }
    assert admin.post(PATH, data=changed).status_code == 303
    text = file.path.read_text("utf-8")
    assert text.startswith('# 我们的店\n[server]\nname = "开帆 & Co"\n')
    assert file.settings().server.allowed_sites == ("https://a.example", "https://b.example")
    page = admin.get(PATH).text
    assert "Waiting for the next start: Name, Sites that may embed the chat, Opening hours" in page
    assert "changed settings" in admin.get("/console/audit").text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("desk.opening_hours", "whenever"),
        ("time_zone", "Mars/Olympus"),
        ("safety.max_characters", "many"),
        ("widget.colour", "red"),
    ],
)
def test_an_impossible_value_is_refused_at_its_field(
    someone: Someone, file: ConfigFile, name: str, value: str
) -> None:
    admin, before = someone("admin"), file.path.read_text("utf-8")
    answer = admin.post(PATH, data=fields_of(admin.get(PATH).text) | {name: value})
    assert answer.status_code == 409
    assert 'aria-invalid="true"' in answer.text
    assert value in answer.text
    assert file.path.read_text("utf-8") == before


def test_what_the_environment_sets_is_shown_so_and_not_written(
    someone: Someone, file: ConfigFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEFU_SERVER__NAME", "From outside")
    admin = someone("admin")
    page = admin.get(PATH).text
    assert "From outside" in page
    assert "KEFU_SERVER__NAME" in page
    admin.post(PATH, data=fields_of(page) | {"server.name": "Inside"})
    assert "Inside" not in file.path.read_text("utf-8")


def test_thresholds_say_where_they_come_from(someone: Someone, kefu: Kefu, file: ConfigFile) -> None:
    file.write({"policy.template_score": 0.6}, version=file.version)
    kefu.settings.thresholds_path.write_text(
        '{"kind": "thresholds", "format": 1, "zh": {"grounded_score": 0.71}, "en": {"grounded_score": 0.72}}',
        "utf-8",
    )
    page = someone("admin").get(PATH).text
    assert "0.71" in page
    assert "0.72" in page
    assert "calibrated" in page
    kefu.settings.thresholds_path.unlink()


def test_a_cycle_is_started_watched_and_stopped(someone: Someone, cycle: CycleProcess) -> None:
    admin = someone("admin")
    assert "Start a cycle" in admin.get("/console/training").text
    assert admin.send_form("/console/training/start").status_code == 303
    assert "started just now by 王敏" in admin.get("/console/training").text
    assert 'hx-get="/console/training/progress"' in admin.get("/console/training/progress").text
    assert admin.send_form("/console/training/start").status_code == 409
    admin.send_form("/console/training/stop")
    assert cycle.running() is None
    record = admin.get("/console/audit").text
    assert "started a training cycle" in record
    assert "stopped a training cycle" in record


def test_the_last_night_says_what_else_was_learned(someone: Someone, kefu: Kefu) -> None:
    last = kefu.settings.var / "cycle" / "last.json"
    last.parent.mkdir(exist_ok=True)
    told = {"at": "2026-11-30T03:00:00+00:00", "candidate": "a1", "over": "none", "promoted": False}
    told |= {"gains": [], "reasons": [{"zh": "没有变好", "en": "no gain"}]}
    told |= {
        "search": {"zh": "学会了 212 个", "en": "212 questions <learned>"},
        "encoder": {"zh": "", "en": ""},
    }
    last.write_text(json.dumps(told), "utf-8")
    page = someone("admin").get("/console/training").text
    assert "Learned besides" in page
    assert '<strong>Search:</strong> <span class="lines">212 questions &lt;learned&gt;' in page
    assert "no gain" in page
    assert "Encoder:" not in page
    chinese = someone("admin").get("/console/training", headers={"accept-language": "zh-CN"}).text
    assert "学会了 212 个" in chinese
    assert "没有变好" in chinese
    assert "no gain" not in chinese
    told["reasons"] = ["no gain"]  # as an older Kefu wrote it
    told.pop("search")  # as a Kefu wrote it that knew nothing of it
    last.write_text(json.dumps(told), "utf-8")
    page = someone("admin").get("/console/training").text
    assert "Search:" not in page
    assert "no gain" in page
    last.unlink()


def test_a_night_that_broke_off_says_why_and_a_page_that_watched_is_shown_what_came_of_it(
    someone: Someone, cycle: CycleProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = someone("admin")
    monkeypatch.setattr(
        cycle, "_command", (sys.executable, "-c", "print('kefu: 5 <are> left'); raise SystemExit(3)")
    )
    admin.send_form("/console/training/start")
    while cycle.running():
        time.sleep(0.05)
    page = admin.get("/console/training").text
    assert "ended before it was done" in page
    assert "kefu: 5 &lt;are&gt; left" in page
    assert admin.get("/console/training/progress").headers["HX-Refresh"] == "true"


def test_a_report_shows_itself_and_can_do_nothing(someone: Someone, kefu: Kefu) -> None:
    folder = kefu.settings.var / "evaluations"
    folder.mkdir(exist_ok=True)
    (folder / "a1--default.html").write_text(
        "<style>h1{color:red}</style><h1>成绩</h1><script>1</script>", "utf-8"
    )
    answer = someone("admin").get("/console/training/report/a1")
    assert "成绩" in answer.text
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert someone("admin").get("/console/training/report/none").status_code == 409


def test_what_is_no_adapter_is_not_promoted_and_nothing_is_rolled_back(someone: Someone) -> None:
    admin = someone("admin")
    assert admin.send_form("/console/training/promote", adapter="--help").status_code == 409
    assert admin.send_form("/console/training/rollback").status_code == 409
