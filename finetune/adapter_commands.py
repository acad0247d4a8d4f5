"""The commands of an adapter's life: train, evaluate, promote, compress, rollback, adapters, cycle. They show; they decide nothing."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.answering.registry import DEFAULT, AdapterRegistry, Listed
from bot.errors import AdapterRefused
from bot.logs import configure_logs
from bot.models import adapter_registry, make_encoder
from bot.progress_bars import Bars, duration
from bot.settings import Settings, load_settings
from finetune.compression.compress import KINDS, export_for_serving
from finetune.curation.dataset import Dataset, load_dataset_folder
from finetune.curation.sources import DATASETS
from finetune.cycle import CycleReport, run_cycle
from finetune.errors import GateRefused, NothingToLearn
from finetune.evaluation.evaluate import Evaluation
from finetune.evaluation.evaluate import evaluate as compare
from finetune.evaluation.promote import promote as promote_adapter
from finetune.evaluation.promote import store_evaluation
from finetune.evaluation.report import as_table, write_report
from finetune.training.callbacks import Progress, Reporter
from finetune.training.dataset_training import plan_training, run_training
from retrieval.encoder import Encoder
from retrieval.publish import current as current_generation
from retrieval.vector_cache import RecentTexts

FAILED = 1  # exit codes
REFUSED = 3

_screen = Console(stderr=True)


def train(
    dataset: Annotated[
        Path | None, typer.Argument(help="A training set of `kefu curate`; default: the latest")
    ] = None,
) -> None:
    """Train an adapter on a training set; one that was interrupted goes on where it was."""
    settings = _settings()
    learned = load_dataset_folder(settings.var / DATASETS if dataset is None else dataset)
    registry = adapter_registry(settings)
    with Bars() as bars:
        encoder = _encoder(settings, bars)
        plan = plan_training(learned, settings, encoder, registry, stages=bars.stage)
        known = plan.done
        done = run_training(plan, _shown_on(bars))
    for reason, count in plan.dropped.items():
        _say(f"Not learned, because {reason}: {count}")
    if known:
        _say(f"Adapter {done.manifest.id} was trained on exactly this before: {done.folder}")
        return
    metrics = done.metrics
    _say(
        f"Adapter {done.manifest.id}: {metrics.get('steps')} steps, loss {metrics.get('loss')} → {done.folder}"
    )
    _say(f"Compare it with what serves: kefu evaluate {done.manifest.id}")


def evaluate(
    candidate: Annotated[
        str | None,
        typer.Argument(help="An adapter's id, 'default', 'base' or 'none'; default: the newest adapter"),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="What it is compared with; default: what serves now")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page here, too")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures here, too")] = None,
    limit: Annotated[int | None, typer.Option(help="Most questions", min=1)] = None,
) -> None:
    """Compare two adapters on golden questions and held-out conversations. Exit code 3 if the first may not be promoted."""
    settings = _settings()
    registry = adapter_registry(settings)
    name = _newest(registry) if candidate is None else candidate
    other = registry.current() if against is None else against
    with Bars() as bars:
        found = compare(
            name,
            other,
            settings,
            _encoder(settings, bars),
            dataset=_latest_set(settings),
            limit=limit,
            report=bars.stage,
        )
    write_report(found, json_path=json, html_path=html)
    _show(found, store_evaluation(found, settings).path)
    if not found.gate.passed:
        raise typer.Exit(REFUSED)


def promote(
    candidate: Annotated[
        str | None, typer.Argument(help="An adapter's id, 'default' or 'none'; default: the newest adapter")
    ] = None,
    force: Annotated[
        str | None, typer.Option(help="Promote whatever the evaluation says, for this reason, which is kept")
    ] = None,
) -> None:
    """Let an adapter serve, if its evaluation says so; running servers take it up. Exit code 3 if it is refused."""
    settings = _settings()
    registry = adapter_registry(settings)
    name = _newest(registry) if candidate is None else candidate
    try:
        done = promote_adapter(name, settings, registry, by=_person(), force=force)
    except GateRefused as refused:
        _screen.print(f"[bold red]kefu:[/] {escape(str(refused))}", highlight=False)
        raise typer.Exit(REFUSED) from None
    _say(
        f"{done.adapter} serves from now on{', by force' if done.forced else ''}. `kefu rollback` undoes it."
    )


def compress(
    adapter: Annotated[
        str | None, typer.Argument(help="An adapter's id, or 'default'; default: the one that serves")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(help=f"One of {', '.join(KINDS)}; default: what this machine serves best"),
    ] = None,
) -> None:
    """Write base and adapter in one, as `promote` does: merged, for llama.cpp, or for OpenVINO."""
    settings = _settings()
    registry = adapter_registry(settings)
    folder = registry.find(registry.current() if adapter is None else adapter)
    if folder is None:
        raise AdapterRefused("No adapter serves, so there is nothing to write. Name one of `kefu adapters`.")
    with Bars() as bars:
        written = export_for_serving(folder, settings, kind, report=bars.stage)
    table = Table("Kind", "MB", "Seconds", "Folder")
    for each in written:
        where = escape(each.failure) if each.folder is None else str(each.folder)
        table.add_row(each.kind, f"{each.bytes / 1e6:.0f}", f"{each.seconds:.0f}", where)
    Console().print(table)
    if any(each.failure for each in written):
        raise typer.Exit(FAILED)


def rollback() -> None:
    """Let the adapter serve again that served before the last promotion; once more, the one before that."""
    settings = _settings()
    now = adapter_registry(settings).rollback(by=_person())
    _say(f"{now} serves again.")


def adapters() -> None:
    """List the adapters on this machine, and which one serves."""
    settings = _settings()
    registry = adapter_registry(settings)
    listed = registry.listed()
    Console().print(_adapter_table(listed))
    if not any(each.serves for each in listed):
        _say(f"{registry.current()} serves: answers are composed, unless the model was tuned by others.")


def cycle(
    limit: Annotated[int | None, typer.Option(help="Most questions of the comparison", min=1)] = None,
    encoder: Annotated[
        bool, typer.Option("--encoder", help="Tune the encoder, too, as `kefu intents --encoder` does")
    ] = False,
) -> None:
    """Curate, train, compare, and promote what is better: a nightly job. Exit code 3 if nothing was promoted."""
    settings = _settings()
    try:
        with Bars() as bars:
            done = run_cycle(
                settings,
                _encoder(settings, bars),
                limit=limit,
                tune=encoder,
                stages=bars.stage,
                report=_shown_on(bars),
            )
    except NothingToLearn as error:
        _screen.print(f"[bold yellow]kefu:[/] {escape(str(error))}", highlight=False)
        raise typer.Exit(REFUSED) from None
    _summarise(done)
    if not done.promoted:
        raise typer.Exit(REFUSED)


def _shown_on(bars: Bars) -> Reporter:
    """Shows a training's loss, its speed and how long it will take."""

    def show(progress: Progress) -> None:
        note = (
            f"loss {progress.loss:.3f} · {progress.tokens_per_second:.0f} tokens/s · "
            f"{duration(progress.seconds_left)} left"
        )
        bars.stage("train", progress.step, progress.steps, note)

    return show


def _settings() -> Settings:
    settings = load_settings()
    configure_logs(settings.log_level)
    return settings


def _encoder(settings: Settings, bars: Bars) -> Encoder:
    return RecentTexts(make_encoder(settings, bars.stage))


def _person() -> str:
    """Who is at the keyboard, for the record; a container may have no name for its user."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _newest(registry: AdapterRegistry) -> str:
    """The newest adapter of this machine that can serve.

    Raises:
        AdapterRefused: there is none.
    """
    found = next((each for each in registry.listed() if each.id != DEFAULT and not each.refused), None)
    if found is None:
        raise AdapterRefused("There is no adapter yet that can serve. `kefu train` makes one.")
    return found.id


def _latest_set(settings: Settings) -> Dataset | None:
    """What `kefu curate` made last, if it ever did."""
    root = settings.var / DATASETS
    return load_dataset_folder(root) if current_generation(root) is not None else None


def _show(found: Evaluation, path: Path) -> None:
    Console().print(as_table(found))
    _say(f"Figures: {path}")
    _say(f"Page: {path.with_suffix('.html')}")


def _adapter_table(listed: list[Listed]) -> Table:
    table = Table("", "Adapter", "Model", "Method", "Made", "Loss", "Learned from", "Cannot serve, because")
    for each in listed:
        manifest = each.manifest
        metrics = {} if manifest is None else manifest.metrics
        data = {} if manifest is None else manifest.data
        table.add_row(
            "[green]serves[/]" if each.serves else "",
            escape(each.id),
            "" if manifest is None else escape(manifest.base),
            "" if manifest is None else manifest.method,
            "" if manifest is None else manifest.created_at[:16].replace("T", " "),
            _loss(metrics.get("validation_loss")),
            escape(str(data.get("dataset", data.get("lessons", "")))),
            escape(each.refused),
        )
    return table


def _loss(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else ""


def _summarise(done: CycleReport) -> None:
    table = Table(show_header=False, title="Cycle")
    table.add_row("training set", f"{done.dataset}{' (gone on with)' if done.resumed else ''}")
    table.add_row("conversations", ", ".join(f"{side} {count}" for side, count in done.conversations.items()))
    table.add_row("not learned", "\n".join(f"{count} {reason}" for reason, count in done.dropped.items()))
    table.add_row("intents", escape(done.intents["en"]))
    table.add_row("search", escape(done.search["en"]))
    for name, told in (("encoder", done.encoder), ("thresholds", done.thresholds)):
        if told["en"]:
            table.add_row(name, escape(told["en"]))
    table.add_row("candidate", f"{done.candidate}, loss {done.metrics.get('loss')}")
    table.add_row("over", done.over)
    table.add_row("took", ", ".join(f"{step} {duration(seconds)}" for step, seconds in done.seconds.items()))
    table.add_row("report", done.report or "")
    table.add_row("result", "[green]promoted[/]" if done.promoted else "[red]refused[/]")
    Console().print(table)
    for reason in (*done.gains, *done.reasons):
        _say(reason["en"])


def _say(text: str) -> None:
    _screen.print(escape(text), highlight=False)
