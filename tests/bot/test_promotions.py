"""Another adapter is taken up while customers are served: no turn fails, and the model that answers really is another."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bot.answering.local_model import LocalModel
from bot.conversation import Delta, Reply, Route, Turn
from bot.factory import Kefu, assemble, rebuild
from bot.models import adapter_registry, make_generator
from bot.promotions import exchange_model, follow_promotions
from bot.settings import Settings
from tests.fakes import WordEncoder
from tests.small_shop import ANNA, reply_to, write_knowledge_base
from tests.tiny_adapters import tiny_settings, write_adapter
from tests.tiny_model import write_model

QUESTION = "大家电保修几年"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained tiny model: what it drafts is rubbish, so that customers get composed answers."""
    return write_model(tmp_path_factory.mktemp("base") / "tiny", learned=False)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """The small shop with its index, and two adapters."""
    folder = tmp_path_factory.mktemp("shop")
    write_knowledge_base(folder / "knowledge_base")
    write_adapter(folder / "var" / "adapters" / "one", model, seed=1)
    write_adapter(folder / "var" / "adapters" / "two", model, seed=2)
    rebuild(tiny_settings(folder, model), WordEncoder(), lambda *_: None)
    return folder


@pytest.fixture
def settings(shop: Path, model: Path) -> Iterator[Settings]:
    chosen = tiny_settings(shop, model, max_new_tokens=8)
    yield chosen
    adapter_registry(chosen).path.unlink(missing_ok=True)


@pytest.fixture
def serving(settings: Settings, tmp_path: Path) -> Iterator[Callable[[], Kefu]]:
    """Starts a Kefu as `kefu serve` does."""
    stop = threading.Event()
    started: list[tuple[Kefu, threading.Thread | None]] = []

    def start() -> Kefu:
        generator = make_generator(settings, lambda *_: None)
        kefu = assemble(settings, WordEncoder(), generator, log_path=tmp_path / "kefu.db")
        started.append((kefu, follow_promotions(kefu, stop)))
        return kefu

    yield start
    stop.set()
    for kefu, thread in started:
        if thread is not None:
            thread.join(30)
        kefu.close()


def asked(kefu: Kefu) -> Turn:
    """One question in a conversation of its own; the turn as it was stored."""
    conversation = kefu.manager.open_conversation(ANNA, channel="test")
    reply = reply_to(kefu.manager.answer(conversation, QUESTION, visitor=ANNA))
    assert reply.route is Route.GROUNDED
    return kefu.manager.history(conversation, visitor=ANNA)[-1]


def until(wanted: str | None, kefu: Kefu, seconds: float = 60.0) -> list[Turn]:
    """Ask until a turn names the adapter that is wanted."""
    turns: list[Turn] = []
    ends = time.monotonic() + seconds
    while not turns or turns[-1].provenance.adapter != wanted:
        turns.append(asked(kefu))
        assert time.monotonic() < ends, f"{turns[-1].provenance} instead of {wanted}"
    return turns


def logits(kefu: Kefu) -> torch.Tensor:
    """What the model that serves just now makes of a fixed text, shape (tokens, vocabulary)."""
    model = kefu.generator
    assert isinstance(model, LocalModel)
    ids = model._loaded.tokenizer(QUESTION, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        found: torch.Tensor = model._loaded.model(input_ids=ids).logits[0]
    return found


def test_turns_go_on_through_a_promotion_and_a_rollback_and_the_model_really_changes(
    settings: Settings, serving: Callable[[], Kefu]
) -> None:
    registry = adapter_registry(settings)
    registry.promote("one", by="anna")
    kefu = serving()
    before = logits(kefu)
    first = until("one", kefu)
    registry.promote("two", by="anna")
    second = until("two", kefu)
    changed = logits(kefu)
    registry.rollback(by="anna")
    third = until("one", kefu)
    assert not torch.allclose(before, changed)
    assert torch.equal(before, logits(kefu))
    turns = [*first, *second, *third]
    assert {turn.provenance.adapter for turn in turns} == {"one", "two"}
    assert all("保修" in turn.answer for turn in turns)
    assert not [turn for turn in turns if turn.reason.startswith("error")]


def test_a_turn_under_way_ends_with_the_model_that_it_began_with_which_then_goes(
    settings: Settings, serving: Callable[[], Kefu]
) -> None:
    registry = adapter_registry(settings)
    registry.promote("one", by="anna")
    kefu = serving()
    old = weakref.ref(kefu.generator)
    conversation = kefu.manager.open_conversation(ANNA, channel="test")
    under_way = kefu.manager.answer(conversation, QUESTION, visitor=ANNA)
    assert isinstance(next(under_way), Delta)
    registry.promote("two", by="anna")
    until("two", kefu)
    assert old() is not None
    *_, reply = under_way
    assert isinstance(reply, Reply)
    assert kefu.manager.history(conversation, visitor=ANNA)[-1].provenance.adapter == "one"
    del under_way
    gc.collect()
    assert old() is None


def test_promoting_none_composes_answers_and_the_first_promotion_drafts_them(
    settings: Settings, serving: Callable[[], Kefu]
) -> None:
    registry = adapter_registry(settings)
    kefu = serving()
    assert kefu.generator is None  # the tiny model was not tuned
    assert asked(kefu).provenance.model is None
    registry.promote("one", by="anna")
    assert until("one", kefu)[-1].provenance.model is not None
    registry.promote("none", by="anna")
    assert until(None, kefu)[-1].provenance.model is None


def test_a_promotion_between_loading_and_watching_is_not_missed(
    settings: Settings, serving: Callable[[], Kefu], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = adapter_registry(settings)
    registry.promote("one", by="anna")
    load = make_generator

    def promoted_meanwhile(*arguments: object) -> object:
        generator = load(*arguments)  # type: ignore[arg-type]
        registry.promote("two", by="anna")
        return generator

    monkeypatch.setitem(globals(), "make_generator", promoted_meanwhile)
    kefu = serving()
    assert kefu.generator is not None
    assert until("two", kefu)


def test_an_adapter_that_is_damaged_is_logged_and_answers_are_composed(
    settings: Settings, serving: Callable[[], Kefu], shop: Path
) -> None:
    registry = adapter_registry(settings)
    registry.promote("one", by="anna")
    weights = shop / "var" / "adapters" / "one" / "adapter_model.safetensors"
    content = weights.read_bytes()
    try:
        weights.write_bytes(content[:-1])
        kefu = serving()
        assert asked(kefu).provenance.adapter is None
    finally:
        weights.write_bytes(content)


def test_a_reload_of_the_knowledge_keeps_the_adapter_that_was_taken_up(
    settings: Settings, serving: Callable[[], Kefu]
) -> None:
    registry = adapter_registry(settings)
    registry.promote("one", by="anna")
    kefu = serving()
    registry.promote("two", by="anna")
    until("two", kefu)
    kefu.reload(lambda *_: None)
    assert asked(kefu).provenance.adapter == "two"


def test_a_model_that_does_not_get_warm_leaves_the_old_one_in_place(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = adapter_registry(settings)
    registry.promote("one", by="anna")
    generator = make_generator(settings, lambda *_: None)
    # Nobody watches for promotions here: two exchanges at once would race for Python's warning filters.
    kefu = assemble(settings, WordEncoder(), generator, log_path=tmp_path / "kefu.db")

    def broken(self: LocalModel) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(LocalModel, "warm_up", broken)
    registry.promote("two", by="anna")
    with pytest.raises(RuntimeError):
        exchange_model(kefu)
    assert asked(kefu).provenance.adapter == "one"
    kefu.close()


@pytest.mark.parametrize(
    "chosen", [{"adapter": "none"}, {"drafts": "never"}, {"model": "none"}, {"url": "http://127.0.0.1:1"}]
)
def test_settings_that_leave_no_choice_are_not_followed(
    settings: Settings, tmp_path: Path, chosen: dict[str, str]
) -> None:
    fixed = settings.model_copy(update={"model": settings.model.model_copy(update=chosen)})
    kefu = replace(assemble(settings, WordEncoder(), None, log_path=tmp_path / "kefu.db"), settings=fixed)
    assert follow_promotions(kefu, threading.Event()) is None
    kefu.close()


def test_an_adapter_may_be_named_by_its_folder(settings: Settings, shop: Path) -> None:
    chosen = {"adapter": str(shop / "var" / "adapters" / "two")}
    fixed = settings.model_copy(update={"model": settings.model.model_copy(update=chosen)})
    generator = make_generator(fixed, lambda *_: None)
    assert generator is not None
    assert generator.adapter == "two"
