"""The commands `kefu import`, `curate`, `intents` and `teach-search`: read settings, call, and show what was done. No rules here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.logs import configure_logs
from bot.models import make_encoder
from bot.progress_bars import Bars
from bot.settings import Settings, load_settings
from finetune.adapter_commands import REFUSED
from finetune.curation.curate import Curated, CurationSettings
from finetune.curation.dataset import Dataset, load_dataset_folder
from finetune.curation.imports import ImportReport, import_file
from finetune.curation.sources import DATASETS, IMPORTS, KEY, described
from finetune.encoder_comparison import points
from finetune.encoder_plan import LEAST, plan_tuning
from finetune.encoder_tuning import run_tuning, told
from finetune.errors import ImportFailed, TrainingError
from finetune.evaluation.measures import Score
from finetune.importers.registry import IMPORTERS, ImportFormat
from finetune.pseudonyms import load_pseudonyms
from finetune.search_training import teach_search
from finetune.search_training import told as found
from finetune.training.encoder_training import EncoderSettings
from finetune.training.intent_training import teach_intents
from finetune.training.intent_training import told as learned
from finetune.training_set import make_training_set
from retrieval.encoder import Encoder
from retrieval.publish import current

_PROBLEMS_SHOWN = 20

_screen = Console(stderr=True)


def import_files(
    files: Annotated[list[Path], typer.Argument(help="Files of conversations")],
    form: Annotated[
        str, typer.Option("--format", help=f"Their format: auto, {', '.join(IMPORTERS)}")
    ] = "auto",
    source: Annotated[str, typer.Option(help="What their source is called; default: the format")] = "",
) -> None:
    """Read conversations of people with customers, masked, as material to learn from."""
    settings = load_settings()
    configure_logs(settings.log_level)
    reports, failed = [], 0
    for path in files:
        try:
            reports.append(_import(path, settings, _named(form), source))
        except ImportFailed as error:
            failed += 1
            _screen.print(f"[bold red]kefu:[/] {escape(str(error))}", highlight=False)
    if reports:
        Console().print(_import_table(reports))
    for report in reports:
        _show_problems(report)
    if failed:
        raise typer.Exit(1)


def curate_set(
    seed: Annotated[
        int, typer.Option(help="Decides everything that is left to chance")
    ] = CurationSettings.seed,
    augmented: Annotated[
        float, typer.Option(help="Varied questions, as a share of the training exchanges; 0: none")
    ] = CurationSettings.augmented,
    least: Annotated[
        int, typer.Option(help="Exchanges, below which nothing can be learned")
    ] = CurationSettings.least,
) -> None:
    """Make a training set of the log and all imports: masked, without noise and duplicates, split by customer and time."""
    settings = load_settings()
    configure_logs(settings.log_level)
    made = make_training_set(settings, CurationSettings(seed=seed, augmented=augmented, least=least))
    screen = Console()
    screen.print(_drop_table(made.curated))
    screen.print(_side_table(made.curated))
    _screen.print(f"Made of {escape(described(made.inputs))} → {escape(str(made.folder))}", highlight=False)


def learn_intents(
    dataset: Annotated[
        Path | None, typer.Argument(help="A training set of `kefu curate`; default: the latest")
    ] = None,
    encoder: Annotated[
        bool,
        typer.Option(
            "--encoder", help="Then tune the encoder on all intents, and compare it with what serves"
        ),
    ] = False,
    steps: Annotated[int, typer.Option(help="Of the encoder's training", min=1)] = EncoderSettings.steps,
    rank: Annotated[int, typer.Option(help="Of the encoder's LoRA", min=1)] = EncoderSettings.rank,
    learning_rate: Annotated[
        float, typer.Option(help="Of the encoder's training")
    ] = EncoderSettings.learning_rate,
    least: Annotated[
        int, typer.Option(help="Examples an intent, below which the encoder is left as it is", min=2)
    ] = LEAST,
) -> None:
    """Learn intents from imported questions that people labelled; kept if unseen ones then come out right more often.

    With --encoder the encoder, too: kept if more unseen questions come out right and search finds no less; else exit code 3.
    """
    settings = load_settings()
    configure_logs(settings.log_level)
    how = EncoderSettings(rank=rank, learning_rate=learning_rate, steps=steps)
    root = settings.var / DATASETS if dataset is None else dataset
    labelled = None if encoder and dataset is None and current(root) is None else load_dataset_folder(root)
    with Bars() as bars:
        serving = make_encoder(settings, bars.stage)
        if labelled is not None:
            _screen.print(escape(_taught(labelled, settings, serving, must=not encoder)), highlight=False)
        if not encoder:
            return
        plan = plan_tuning(settings, serving, how=how, least=least)
        tuning = run_tuning(plan, serving, bars.stage)
    Console().print(_score_table(tuning.scores))
    _screen.print(escape(told(tuning)), highlight=False)
    if tuning.folder is None:
        raise typer.Exit(REFUSED)


def learn_search(
    dataset: Annotated[
        Path | None, typer.Argument(help="A training set of `kefu curate`; default: the latest")
    ] = None,
) -> None:
    """Teach the search which article answers a customer's words, from votes, corrections and imported answers.

    Kept, and the index built with it, if questions that were not learned then come out better, and none worse; else exit code 3.
    """
    settings = load_settings()
    configure_logs(settings.log_level)
    judged = load_dataset_folder(settings.var / DATASETS if dataset is None else dataset)
    with Bars() as bars:
        training = teach_search(judged, settings, make_encoder(settings, bars.stage), bars.stage)
    _screen.print(escape(found(training)["en"]), highlight=False)
    if not training.better:
        raise typer.Exit(REFUSED)


def _taught(labelled: Dataset, settings: Settings, encoder: Encoder, *, must: bool) -> str:
    """What came of the labelled questions; too few of them are an error only where there is nothing else to do."""
    try:
        return learned(teach_intents(labelled, settings, encoder))["en"]
    except TrainingError as error:
        if must:
            raise
        return str(error)


def _score_table(scores: Sequence[Score]) -> Table:
    table = Table("Measure", "Language", "Questions", "Now", "Tuned", "Difference (95 %)", title="Encoder")
    for score in scores:
        if score.difference.count == 0:
            continue
        table.add_row(
            score.metric,
            score.scope,
            str(score.difference.count),
            f"{100 * score.current.mean:.1f} %",
            f"{100 * score.candidate.mean:.1f} %",
            points(score.difference),
        )
    return table


def _named(form: str) -> ImportFormat | None:
    if form == "auto":
        return None
    found = next((name for name in IMPORTERS if name == form), None)
    if found is None:
        raise ImportFailed(f"There is no format {form!r}. Use auto or one of {', '.join(IMPORTERS)}.")
    return found


def _import(path: Path, settings: Settings, form: ImportFormat | None, source: str) -> ImportReport:
    return import_file(
        path,
        settings.var / IMPORTS,
        pseudonyms=load_pseudonyms(settings.var / KEY),
        form=form,
        source=source if source else None,
        allow=settings.safety.shown_contacts,
        zone=ZoneInfo(settings.time_zone),
    )


def _import_table(reports: list[ImportReport]) -> Table:
    table = Table(
        *("File", "Format", "Source", "Conversations", "Exchanges", "Not read", "Left out", "Masked"),
        title="Imported",
    )
    for report in reports:
        table.add_row(
            escape(report.file),
            report.format,
            escape(report.source),
            str(report.conversations),
            str(report.exchanges),
            "imported before" if report.already else str(len(report.problems)),
            "\n".join(f"{count} {what}" for what, count in report.skipped.items()),
            "\n".join(f"{count} {kind}" for kind, count in report.masked.items()),
        )
    return table


def _show_problems(report: ImportReport) -> None:
    if report.already:
        _screen.print(
            f"{escape(report.file)} was imported before, as {escape(str(report.path))}. To import it anew, delete "
            "that file and its manifest.",
            highlight=False,
        )
    if not report.problems:
        return
    table = Table("Place", "Not read, because", title=escape(report.file))
    for problem in report.problems[:_PROBLEMS_SHOWN]:
        table.add_row(escape(problem.place), escape(problem.reason))
    Console().print(table)
    more = len(report.problems) - _PROBLEMS_SHOWN
    if more > 0:
        _screen.print(f"… and {more} more: {escape(str(report.problems_path))}", highlight=False)


def _drop_table(curated: Curated) -> Table:
    table = Table("Step", "Dropped, because", "How many", title="Not learned")
    counts = Counter((drop.step, drop.reason) for drop in curated.drops)
    for (step, reason), count in counts.items():
        table.add_row(step, reason, str(count))
    return table


def _side_table(curated: Curated) -> Table:
    splits = curated.splits
    table = Table("Side", "Conversations", "Exchanges", title="Training set")
    for name, side in (
        ("train", splits.train),
        ("  of these varied", splits.train[len(splits.train) - curated.augmented :]),
        ("validation", splits.validation),
        ("test", splits.test),
        ("voted down", curated.disliked),
    ):
        exchanges = sum(len(conversation.selected) for conversation in side)
        table.add_row(name, str(len(side)), str(exchanges))
    return table
