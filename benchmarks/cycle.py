"""A night's learning on the demonstration shop: from talks to a judged adapter, and what becomes of bad data.

    python benchmarks/cycle.py                   # two nights: good talks, then bad ones
    python benchmarks/cycle.py --trade car-rental   # a shop of a trade that the adapter that comes with Kefu never saw
    python benchmarks/cycle.py … --day           # only the day before: how the bot answers when it has learned nothing
    python benchmarks/cycle.py --only good       # one night
    python benchmarks/cycle.py --talks 60        # fewer talks
    python benchmarks/cycle.py --limit 100       # fewer questions in the comparison
    python benchmarks/cycle.py --keep FOLDER     # leave what was made there: adapters, report cards, log
    python benchmarks/cycle.py --json FILE       # the figures as JSON, too

The first night: customers ask the running bot what the shop's written talks ask (`finetune/talks/shop`), a hard,
colloquial lot. The adapter that comes with Kefu has learned from these talks, so the night shows the machinery and the gate; no
gain is to be expected from it. With --trade the shop has the articles of another trade (`cycle_trade.py`), and a night may gain
something: the adapter has learned from none of these talks. Customers vote an answer up if it comes from the article that the
talk names, and down if not; a colleague corrects what was voted down. Before and after the night other talks are asked, which no log
holds (in a trade, those whose openings are its golden questions): nothing is learned from them. The second night: another shop imports old chats in
which every question has the answer to another one, and what no article answers is answered all the same. Both nights are
`kefu cycle`, on the real models; the peer of each candidate is the adapter that served before. The comparison asks the
golden questions, talks that came later than the training, what must not change, and for planted canaries.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from cycle_trade import trade_shop
from rich.console import Console
from rich.table import Table

from bot.conversation import Correction, Rating, Reply, Route, VisitorId
from bot.factory import Kefu, build_kefu
from bot.logs import configure_logs
from bot.models import make_encoder
from bot.progress_bars import Bars
from bot.settings import Settings, load_settings
from finetune.curation.imports import import_file
from finetune.curation.sources import IMPORTS, KEY
from finetune.cycle import CycleReport, run_cycle
from finetune.examples.held_out import HELD_OUT_TRADE
from finetune.examples.lessons import TALKS, LessonTalk, LessonTurn, load_trade
from finetune.pseudonyms import load_pseudonyms
from retrieval.vector_cache import RecentTexts

_ANSWERED = (Route.TEMPLATE, Route.GROUNDED)
_SEED = 20261127
_OTHERS = 60  # talks of the shop that no log holds


def main() -> None:
    """Live both nights, and print what came of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--talks", type=int, default=150)
    parser.add_argument("--trade", choices=(HELD_OUT_TRADE,), help="the one that was held out")
    parser.add_argument("--day", action="store_true")
    parser.add_argument("--only", choices=("good", "bad"))
    parser.add_argument("--limit", type=int)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    configure_logs("error")
    settings = load_settings()
    with tempfile.TemporaryDirectory(prefix="kefu-cycle-") as scratch:
        root = scratch if chosen.keep is None else chosen.keep
        said: dict[str, Counter[str]] = {}
        nights = {}
        kinds = ("good", "bad") if chosen.only is None else (chosen.only,)
        for kind in ("good",) if chosen.day else kinds:
            shop, talks, others = _shop(chosen, settings, Path(root) / kind)
            if kind == "good":
                said["the day"] = _a_day(shop, talks)
            else:
                _import_nonsense(shop, talks)
            said[f"{kind} talks: others, before the night"] = _asked(shop, others)
            if not chosen.day:
                nights[f"{kind} talks"] = _night(shop, chosen.limit)
                said[f"{kind} talks: others, after it"] = _asked(shop, others)
        Console(width=140).print(_day_table(said))
    for name, (report, seconds) in nights.items():
        Console(width=120).print(_table(name, report, seconds))
    if chosen.json is not None:
        figures = {name: {"seconds": took, **asdict(report)} for name, (report, took) in nights.items()}
        text = json.dumps(
            {"benchmark": "cycle", "said": said, "nights": figures}, ensure_ascii=False, indent=1
        )
        chosen.json.write_text(text, "utf-8")


def _shop(
    chosen: argparse.Namespace, settings: Settings, root: Path
) -> tuple[Settings, list[LessonTalk], list[LessonTalk]]:
    """A shop with a log and adapters of its own, what is said there, and what else customers ask."""
    if chosen.trade is None:
        talks = list(load_trade(TALKS / "shop", settings.knowledge_base).talks)
        random.Random(_SEED).shuffle(talks)  # noqa: S311 — an order, no secret
        return _own_var(settings, root), talks[: chosen.talks], talks[-_OTHERS:]
    shop, talks, others = trade_shop(chosen.trade, settings, root)
    build_kefu(shop, lambda *_: None).close()  # makes the index
    return shop, talks[: chosen.talks], others


def _own_var(settings: Settings, var: Path) -> Settings:
    """The same shop with a log and adapters of its own; models and index are those that are there."""
    var.mkdir(parents=True)
    (var / "models").symlink_to(settings.models_path.resolve())
    for name in ("index", "intents", "sentences.safetensors"):
        source = settings.var / name
        if source.is_dir():
            shutil.copytree(source, var / name, symlinks=True)
        elif source.exists():
            shutil.copy(source, var / name)
    return settings.model_copy(update={"var": var})


def _a_day(settings: Settings, talks: Sequence[LessonTalk]) -> Counter[str]:
    """Customers ask, vote, and are corrected by a colleague where the bot was wrong."""
    return _talked(settings, talks, None, _vote)


def _asked(settings: Settings, talks: Sequence[LessonTalk]) -> Counter[str]:
    """Customers ask, and the log keeps nothing of it."""
    with tempfile.TemporaryDirectory() as scratch:
        return _talked(settings, talks, Path(scratch) / "kefu.db", lambda *_: None)


def _talked(
    settings: Settings,
    talks: Sequence[LessonTalk],
    log: Path | None,
    say: Callable[[Kefu, LessonTurn, Reply, bool], None],
) -> Counter[str]:
    """How often it was answered or not, rightly and wrongly; `say` is told of each turn whether it was right."""
    said: Counter[str] = Counter()
    with Bars() as bars:
        kefu = build_kefu(settings, bars.stage, log_path=log)
        try:
            for number, talk in enumerate(talks):
                bars.stage("talks", number, len(talks))
                visitor = VisitorId(talk.id)
                conversation = kefu.manager.open_conversation(visitor, channel="page")
                for turn in talk.turns:
                    *_, reply = kefu.manager.answer(conversation, turn.question, visitor=visitor)
                    assert isinstance(reply, Reply)
                    right = _right(kefu, turn, reply)
                    say(kefu, turn, reply, right)
                    answered = reply.route in _ANSWERED
                    said[f"{'right' if right else 'wrong'} {'answer' if answered else 'silence'}"] += 1
            bars.stage("talks", len(talks), len(talks))
        finally:
            kefu.close()
    return said


def _right(kefu: Kefu, turn: LessonTurn, reply: Reply) -> bool:
    """As a customer sees it who knows the article."""
    answered = reply.route in _ANSWERED
    if turn.article is None:
        return not answered
    intent = kefu.manager.knowledge.content.intents.get(reply.intent or "")
    told = (
        set(intent.articles)
        if reply.route is Route.TEMPLATE and intent is not None
        else {source.article_id for source in reply.sources[:1]}
    )
    return answered and turn.article in told


def _vote(kefu: Kefu, turn: LessonTurn, reply: Reply, right: bool) -> None:
    kefu.store.add_rating(reply.conversation_id, Rating(reply.turn_id, 1 if right else -1))
    if not right and turn.answer:
        kefu.store.add_correction(Correction(reply.turn_id, turn.answer, "colleague"))


def _day_table(said: Mapping[str, Counter[str]]) -> Table:
    table = Table(title="Answered from the right article, or not answered where none answers")
    kinds = sorted({kind for counts in said.values() for kind in counts})
    for name in ("", "questions", *kinds):
        table.add_column(name, justify="right" if name else "left")
    for name, counts in said.items():
        shares = (f"{counts[kind]} ({counts[kind] / counts.total():.1%})" for kind in kinds)
        table.add_row(name, str(counts.total()), *shares)
    return table


def _import_nonsense(settings: Settings, talks: Sequence[LessonTalk]) -> None:
    """Old chats in which each question has the answer of another one, in the OpenAI form."""
    turns = [(talk.language, turn) for talk in talks for turn in talk.turns]
    answers = {
        language: [turn.answer for other, turn in turns if other is language and turn.answer]
        for language in {language for language, _ in turns}
    }
    rows = [
        {
            "messages": [
                message
                for place, turn in enumerate(talk.turns)
                for message in (
                    {"role": "user", "content": turn.question},
                    {"role": "assistant", "content": _another(answers[talk.language], number + place, turn)},
                )
            ]
        }
        for number, talk in enumerate(talks)
    ]
    path = settings.var / "old_chats.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    import_file(path, settings.var / IMPORTS, pseudonyms=load_pseudonyms(settings.var / KEY))


def _another(answers: Sequence[str], place: int, turn: LessonTurn) -> str:
    wrong = [answer for answer in answers if answer != turn.answer]
    return wrong[(place * 7919) % len(wrong)]


def _night(settings: Settings, limit: int | None) -> tuple[CycleReport, float]:
    """One `kefu cycle`, and the seconds that it took."""
    began = time.monotonic()
    with Bars() as bars:
        encoder = RecentTexts(make_encoder(settings, bars.stage))
        report = run_cycle(
            settings,
            encoder,
            limit=limit,
            stages=bars.stage,
            report=lambda at: bars.stage("train", at.step, at.steps, f"loss {at.loss:.3f}"),
        )
    return report, time.monotonic() - began


def _table(name: str, report: CycleReport, seconds: float) -> Table:
    table = Table("", "", title=f"A night on {name}", show_header=False)
    rows: Mapping[str, object] = {
        "conversations": dict(report.conversations),
        "left out": dict(report.dropped),
        "candidate": f"{report.candidate}, against {report.over}",
        "promoted": "yes" if report.promoted else "no",
        "gains": "; ".join(gain["en"] for gain in report.gains) or "–",
        "reasons against": "; ".join(reason["en"] for reason in report.reasons) or "–",
        "intents": report.intents["en"],
        "search": report.search["en"],
        "seconds": f"{seconds:.0f}: "
        + ", ".join(f"{step} {took:.0f}" for step, took in report.seconds.items()),
        "report card": report.report or "–",
    }
    for row, value in rows.items():
        table.add_row(row, str(value))
    return table


if __name__ == "__main__":
    main()
