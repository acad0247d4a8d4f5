"""A night's work: curate, train, compare, promote or say why not; once, alone, and from where it was killed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from bot.answering.registry import AdapterRegistry
from bot.answering.torch_threads import threads
from bot.factory import rebuild
from bot.judged import read_judged, write_judged
from bot.models import adapter_registry
from bot.settings import Settings
from bot.thresholds import read_certificate, write_calibrated
from bot.upkeep.calibration.calibrate import stated_budgets
from bot.upkeep.calibration.fitting import Budgets
from finetune import cycle
from finetune.curation.curate import CurationSettings
from finetune.curation.dataset import load_dataset_folder
from finetune.curation.imports import import_file
from finetune.curation.sources import DATASETS, IMPORTS, KEY
from finetune.cycle import CycleReport, run_cycle
from finetune.errors import CycleBusy, NothingToLearn
from finetune.evaluation.contenders import weights_of
from finetune.evaluation.evaluate import Evaluation
from finetune.evaluation.gate import Gate
from finetune.evaluation.report_words import Reason
from finetune.pseudonyms import load_pseudonyms
from finetune.tongues import NOTHING
from finetune.training import dataset_training
from finetune.training.train_settings import TrainSettings
from retrieval.calibration import LabelledQuestion
from retrieval.publish import current as current_generation
from retrieval.publish import read_manifest
from tests.fakes import WordEncoder
from tests.tuned_shop import hollow_training, write_import, write_tuned_shop

HOW = CurationSettings(augmented=0.0, least=5)
PASSED = Gate((), ())
FAILED = Gate((Reason("same", {"candidate": "x"}),), ())

Run = Callable[..., CycleReport]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """More threads than a tiny model needs only wait for each other."""
    with threads(1):
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = write_tuned_shop(tmp_path)
    _import(settings, tmp_path, 30)
    return settings


def _import(settings: Settings, folder: Path, count: int) -> None:
    pseudonyms = load_pseudonyms(settings.var / KEY)
    import_file(write_import(folder, count), settings.var / IMPORTS, pseudonyms=pseudonyms)


@pytest.fixture
def verdicts() -> list[Gate]:
    """What the comparisons of a test say."""
    return [PASSED]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch, verdicts: list[Gate]) -> list[tuple[str, str]]:
    """What was compared with what; instead of a comparison, the test says what came of it."""
    asked: list[tuple[str, str]] = []

    def scripted(candidate: str, current: str, settings: Settings, *_: object, **__: object) -> Evaluation:
        asked.append((candidate, current))
        known = adapter_registry(settings)
        weights = {"candidate": weights_of(candidate, known), "current": weights_of(current, known)}
        index = current_generation(settings.index_path)
        assert index is not None
        return Evaluation(
            candidate, current, weights, "tiny", index.name, "2026-11-24T00:00:00+00:00",
            None, None, {}, {}, (), (), 0, (), (), verdicts[0],
        )  # fmt: skip

    monkeypatch.setattr(cycle, "evaluate", scripted)
    return asked


@pytest.fixture
def hollow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is trained: an adapter without weights is left instead."""
    monkeypatch.setattr(cycle, "run_training", hollow_training)


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(
        dataset_training, "suggested", lambda *_: TrainSettings(rank=2, alpha=4.0, epochs=0.5, sheets=8)
    )
    return lambda **more: run_cycle(settings, WordEncoder(), **{"how": HOW, "lessons": None} | more)


def registry(settings: Settings) -> AdapterRegistry:
    return adapter_registry(settings)


def test_what_is_better_is_promoted(settings: Settings, run: Run, compared: list[tuple[str, str]]) -> None:
    stages: list[str] = []
    done = run(stages=lambda stage, *_: stages.append(stage))
    assert done.promoted
    assert done.reasons == ()
    assert registry(settings).current() == done.candidate
    assert compared == [(done.candidate, "none")]
    assert registry(settings).history()[0].by == "cycle"
    assert set(done.seconds) == {"curate", "intents", "search", "prepare", "train", "evaluate", "calibrate"}
    assert "10 are needed" in done.intents["en"]  # nobody labelled a question
    assert "learns from 40 and more" in done.search["en"]
    assert done.conversations["train"] > done.conversations["test"] > 0
    assert stages[0] == "curate"
    last = json.loads((settings.var / "cycle" / "last.json").read_text("utf-8"))
    assert (last["candidate"], last["promoted"]) == (done.candidate, True)
    assert not (settings.var / "cycle" / "state.json").exists()


@pytest.mark.usefixtures("hollow", "compared")
def test_the_encoder_is_tuned_only_if_that_is_asked_for_and_what_cannot_be_tuned_ends_no_cycle(
    run: Run,
) -> None:
    assert run().encoder == NOTHING
    done = run(tune=True)
    assert "is the better choice" in done.encoder["en"]  # the small shop has few examples
    assert list(done.seconds)[:4] == ["curate", "intents", "search", "encoder"]
    assert done.candidate


@pytest.mark.usefixtures("hollow", "compared")
def test_what_people_judged_teaches_the_search_before_adapters_are_compared(
    settings: Settings, tmp_path: Path, run: Run
) -> None:
    _import(settings, tmp_path, 150)
    before = current_generation(settings.index_path)
    done = run()
    assert "questions that people judged learned" in done.search["en"]
    assert current_generation(settings.index_path) != before
    learned = read_judged(settings.judged_questions_path)
    held_out = {
        exchange.question
        for conversation in load_dataset_folder(settings.var / DATASETS).test
        for exchange in conversation.exchanges
    }
    assert len(learned) >= 40
    assert not held_out & {each.text for each in learned}
    assert run().search == done.search  # nothing new, and no index is built again
    after = current_generation(settings.index_path)
    assert after is not None
    assert len([each for each in settings.index_path.iterdir() if each.is_dir()]) == 2


def test_what_the_search_learned_goes_when_too_little_is_left_to_learn_from(
    settings: Settings, run: Run
) -> None:
    write_judged(settings.judged_questions_path, [LabelledQuestion("zork", frozenset({"warranty"}))])
    rebuild(settings, WordEncoder(), lambda *_: None)
    with pytest.raises(NothingToLearn):
        run(how=replace(HOW, least=500))
    assert not settings.judged_questions_path.exists()
    published = current_generation(settings.index_path)
    assert published is not None
    assert read_manifest(published)["counts"]["judged"] == 0


@pytest.mark.usefixtures("hollow")
def test_what_is_not_better_is_refused_with_its_reasons_and_kept_for_people(
    settings: Settings, run: Run, compared: list[tuple[str, str]], verdicts: list[Gate]
) -> None:
    verdicts[:] = [FAILED]
    done = run()
    assert not done.promoted
    assert [each["en"] for each in done.reasons] == ["Candidate and current are the same: x."]
    assert registry(settings).current() == "none"
    assert (settings.adapters_path / done.candidate).is_dir()
    assert done.report is not None
    assert Path(done.report).with_suffix(".html").exists()


@pytest.mark.usefixtures("hollow")
def test_a_night_without_news_trains_and_compares_nothing(
    settings: Settings, run: Run, compared: list[tuple[str, str]]
) -> None:
    first = run()
    second = run()
    assert second.candidate == first.candidate
    assert not second.promoted
    assert "Nothing new to learn" in second.reasons[0]["en"]
    assert len(compared) == 1


@pytest.mark.usefixtures("hollow")
def test_a_comparison_that_was_refused_is_not_made_again_but_after_new_knowledge(
    settings: Settings, run: Run, compared: list[tuple[str, str]], verdicts: list[Gate]
) -> None:
    verdicts[:] = [FAILED]
    assert not run().promoted
    assert [each["zh"] for each in run().reasons] == ["候选与现用是同一个：x。"]
    assert len(compared) == 1
    (settings.index_path / "CURRENT").write_text("20200101-000000-abcdef", "utf-8")
    (settings.index_path / "20200101-000000-abcdef").symlink_to(
        next(path for path in settings.index_path.iterdir() if path.is_dir()), target_is_directory=True
    )
    run()
    assert len(compared) == 2


def test_a_cycle_that_was_killed_in_training_goes_on_with_its_set(
    settings: Settings, run: Run, compared: list[tuple[str, str]], tmp_path: Path
) -> None:
    def killed(_progress: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(report=killed)
    begun = Path(json.loads((settings.var / "cycle" / "state.json").read_text("utf-8"))["dataset"])
    _import(settings, tmp_path, 40)  # what has come since waits for the next cycle
    done = run()
    assert (done.resumed, done.dataset) == (True, begun.name)
    assert done.promoted
    assert not run().resumed


@pytest.mark.usefixtures("hollow")
def test_a_cycle_that_failed_begins_anew_the_next_night(
    settings: Settings, run: Run, compared: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise NothingToLearn("broken")

    with monkeypatch.context() as patch:
        patch.setattr(cycle, "run_training", broken)
        with pytest.raises(NothingToLearn):
            run()
    noted = settings.var / "cycle" / "broken.json"
    assert json.loads(noted.read_text("utf-8"))["said"] == {"zh": "broken", "en": "broken"}
    assert not run().resumed
    assert not noted.exists()


@pytest.mark.usefixtures("hollow")
def test_a_set_that_was_damaged_meanwhile_is_made_anew(
    settings: Settings, run: Run, compared: list[tuple[str, str]]
) -> None:
    (settings.var / "cycle").mkdir()
    (settings.var / "cycle" / "state.json").write_text('{"dataset": "no-such-folder"}', "utf-8")
    assert not run().resumed
    (settings.var / "cycle" / "state.json").write_text("{", "utf-8")
    assert not run().resumed


@pytest.mark.usefixtures("hollow")
def test_a_second_cycle_says_who_runs_the_first(
    settings: Settings, run: Run, compared: list[tuple[str, str]]
) -> None:
    folder = settings.var / "cycle"
    folder.mkdir()
    (folder / "holder.json").write_text('{"pid": 4711, "host": "shop-1", "since": "02:00"}', "utf-8")
    with FileLock(folder / ".lock"), pytest.raises(CycleBusy, match="process 4711 on shop-1 since 02:00"):
        run()
    assert compared == []
    assert run().promoted
    assert not (folder / "holder.json").exists()


@pytest.mark.usefixtures("compared", "hollow")
def test_thresholds_are_calibrated_again_to_the_budget_that_the_team_stated(
    settings: Settings, run: Run
) -> None:
    assert run().thresholds == NOTHING
    write_calibrated(
        settings.thresholds_path, {}, {"budgets": {"wrong_templates": 0.5, "wrong_answers": 0.6}}
    )
    said = run().thresholds["en"]
    assert said.startswith(
        "Calibrated again on 4 judged questions"
    )  # golden ones that are no examples letter for letter
    assert read_certificate(settings.thresholds_path)["judged"] == {"golden": 4, "log": 0}
    assert stated_budgets(settings) == Budgets(0.5, 0.6)


def test_too_little_to_learn_from_is_a_clear_error(run: Run) -> None:
    with pytest.raises(NothingToLearn, match="500 are needed") as refused:
        run(how=replace(HOW, least=500))
    assert "至少要 500 轮" in refused.value.said["zh"]
