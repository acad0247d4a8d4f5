"""Which adapter serves: promotions, rollbacks, and what is refused."""

from __future__ import annotations

import json
import shutil
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from bot.answering import registry as registry_module
from bot.answering.registry import AdapterRegistry, BaseModel
from bot.errors import AdapterRefused, RegistryError
from tests.tiny_adapters import write_hollow_adapter

NO_DEFAULT = Path("no-such-folder")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with two adapters of the model "tiny", one of another model, and one for another prompt."""
    write_hollow_adapter(tmp_path / "one", created_at="2026-11-22T00:00:00+00:00")
    write_hollow_adapter(tmp_path / "two", created_at="2026-11-23T00:00:00+00:00")
    write_hollow_adapter(tmp_path / "foreign", label="another", created_at="2026-11-25T00:00:00+00:00")
    write_hollow_adapter(tmp_path / "old", prompt_version=1)
    return tmp_path


@pytest.fixture
def registry(root: Path) -> AdapterRegistry:
    return AdapterRegistry(root, BaseModel("tiny"), default=NO_DEFAULT)


def test_before_the_first_promotion_none_serves_and_nothing_is_made(tmp_path: Path) -> None:
    registry = AdapterRegistry(tmp_path / "var" / "adapters", BaseModel("tiny"), default=NO_DEFAULT)
    assert registry.current() == "none"
    assert registry.history() == ()
    assert registry.listed() == []
    assert registry.find("none") is None
    assert not (tmp_path / "var").exists()


def test_the_adapter_that_comes_with_kefu_serves_first_if_it_fits(root: Path) -> None:
    fits = AdapterRegistry(root, BaseModel("tiny"), default=root / "one")
    assert fits.current() == "default"
    assert fits.find("default") == root / "one"
    first = fits.listed()[0]
    assert (first.id, first.serves) == ("default", True)
    assert AdapterRegistry(root, BaseModel("tiny"), default=root / "foreign").current() == "none"


def test_a_promotion_says_who_why_and_when_and_every_process_sees_it(
    root: Path, registry: AdapterRegistry
) -> None:
    registry.promote("one", by="anna", reason="better", report="reports/one.json")
    registry.promote("two", by="night job", reason="I know better", forced=True)
    other = AdapterRegistry(root, BaseModel("tiny"), default=NO_DEFAULT)
    assert other.current() == "two"
    assert other.find("two") == root / "two"
    first, second = other.history()
    assert (first.adapter, first.by, first.reason, first.report, first.forced) == (
        "one",
        "anna",
        "better",
        "reports/one.json",
        False,
    )
    assert (second.adapter, second.by, second.reason, second.forced) == (
        "two",
        "night job",
        "I know better",
        True,
    )
    assert second.at.endswith("+00:00")
    assert json.loads(other.path.read_text("utf-8"))["serving"] == "two"


def test_rolling_back_goes_to_what_served_before_and_again_one_further(registry: AdapterRegistry) -> None:
    registry.promote("one", by="anna")
    registry.promote("none", by="anna")
    registry.promote("two", by="anna")
    began = time.perf_counter()
    assert registry.rollback(by="bob") == "none"
    assert time.perf_counter() - began < 0.5
    assert registry.rollback(by="bob") == "one"
    assert registry.rollback(by="bob") == "none"  # as before all promotions
    with pytest.raises(RegistryError, match="nothing to roll back: 'none' serves"):
        registry.rollback(by="bob")
    assert [promotion.undone_by for promotion in registry.history()] == ["bob"] * 3


def test_after_a_rollback_a_promotion_goes_on_from_there(registry: AdapterRegistry) -> None:
    registry.promote("one", by="anna")
    registry.promote("two", by="anna")
    registry.rollback(by="anna")
    registry.promote("two", by="anna")
    assert registry.current() == "two"
    assert registry.rollback(by="anna") == "one"


def test_rolling_back_passes_over_an_adapter_that_is_gone(root: Path, registry: AdapterRegistry) -> None:
    for name in ("one", "two", "none"):
        registry.promote(name, by="anna")
    shutil.rmtree(root / "two")
    assert registry.rollback(by="anna") == "one"
    assert registry.rollback(by="anna") == "none"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("three", r"There is no adapter 'three' .* There are: foreign, old, one, two"),
        ("../one", "There is no adapter"),
        ("", "There is no adapter"),
        (".serving.lock", "There is no adapter"),
        ("default", "cannot be read"),
        ("foreign", "was trained on 'another', but the model is 'tiny'"),
        ("old", "trained for prompt version 1"),
    ],
)
def test_an_adapter_that_is_not_there_or_does_not_fit_is_not_promoted(
    registry: AdapterRegistry, name: str, reason: str
) -> None:
    with pytest.raises(AdapterRefused, match=reason):
        registry.promote(name, by="anna")
    assert registry.history() == ()


def test_a_damaged_adapter_is_not_promoted(root: Path, registry: AdapterRegistry) -> None:
    weights = root / "one" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(AdapterRefused, match="is not the file"):
        registry.promote("one", by="anna")


def test_an_adapter_whose_folder_was_renamed_is_not_promoted(root: Path, registry: AdapterRegistry) -> None:
    (root / "one").rename(root / "uno")
    with pytest.raises(AdapterRefused, match="calls itself 'one'"):
        registry.promote("uno", by="anna")


def test_the_list_names_what_serves_and_why_others_cannot(root: Path, registry: AdapterRegistry) -> None:
    (root / "half.work").mkdir()
    (root / "empty").mkdir()
    registry.promote("one", by="anna")
    listed = {each.id: each for each in registry.listed()}
    assert list(listed) == ["foreign", "old", "two", "one", "empty"]
    assert [name for name, each in listed.items() if each.serves] == ["one"]
    assert [name for name, each in listed.items() if not each.refused] == ["two", "one"]
    assert "cannot be read" in listed["empty"].refused
    assert listed["empty"].manifest is None
    assert listed["old"].manifest is not None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ("{}", "cannot be read"),
        ('{"kind": "serving", "version": 1, "serving": "one", "history": [{"colour": 1}]}', "cannot be read"),
        ('{"kind": "serving", "version": 2, "serving": "none", "history": []}', "version 2"),
        ('{"kind": "index", "version": 1, "serving": "none", "history": []}', "is a 'index'"),
    ],
)
def test_a_record_that_cannot_be_read_is_a_clear_error(
    registry: AdapterRegistry, content: str, reason: str
) -> None:
    registry.path.write_text(content, "utf-8")
    for ask in (registry.current, registry.listed, lambda: registry.promote("one", by="anna")):
        with pytest.raises(RegistryError, match=reason):
            ask()
    assert registry.path.read_text("utf-8") == content


def test_a_record_that_was_edited_by_hand_is_noticed(registry: AdapterRegistry) -> None:
    registry.promote("one", by="anna")
    text = registry.path.read_text("utf-8")
    registry.path.write_text(text.replace('"serving": "one"', '"serving": "two"'), "utf-8")
    with pytest.raises(RegistryError, match="'two' serves, but its history ends with 'one'"):
        registry.current()


def test_a_lock_that_is_held_too_long_is_a_clear_error(
    root: Path, registry: AdapterRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "_WAIT_SECONDS", 0.05)
    with FileLock(root / ".serving.lock"), pytest.raises(RegistryError, match="Another process"):
        registry.promote("one", by="anna")


def test_a_full_disk_is_a_clear_error_and_changes_nothing(
    registry: AdapterRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.promote("one", by="anna")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(registry_module, "write_record", full)
    with pytest.raises(RegistryError, match="No space left on device"):
        registry.promote("two", by="anna")
    assert registry.current() == "one"


def test_promotions_at_the_same_time_are_all_kept(root: Path) -> None:
    def promote(number: int) -> None:
        AdapterRegistry(root, BaseModel("tiny"), default=NO_DEFAULT).promote("one", by=str(number))

    threads = [threading.Thread(target=promote, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = AdapterRegistry(root, BaseModel("tiny"), default=NO_DEFAULT).history()
    assert {promotion.by for promotion in history} == {str(number) for number in range(8)}
