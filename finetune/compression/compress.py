"""Writes a promoted adapter in the forms that are served: merged, for llama.cpp, for OpenVINO.

    var/exports/<adapter id>/merged            Hugging Face folder, bfloat16 (torch rounds it to int8 where that is faster)
    var/exports/<adapter id>/gguf              model-f16.gguf, model-q8_0.gguf, adapter.gguf
    var/exports/<adapter id>/openvino-16bit    what `model.engine = "auto"` serves on a CPU that computes in bfloat16,
    var/exports/<adapter id>/openvino-int8     and on others, if OpenVINO is installed
    var/exports/<adapter id>/openvino-int4

Their tests hold each to a distance of log-probabilities; `benchmarks/engines.py` prints distance, size and speed of the
real model side by side.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.answering.exports import MERGED, OPENVINO_16BIT, OPENVINO_INT4, OPENVINO_INT8, openvino_forms
from bot.answering.model_loading import has_gpu
from bot.errors import BotError
from bot.models import local_source
from bot.settings import Settings
from finetune.compression.gguf_export import GGUF, write_gguf
from finetune.compression.merge import Whole, merge, write_merged
from finetune.errors import CompressionError
from retrieval.errors import PublishError

_write_openvino: Callable[[Whole, Path, str], Path] | None
try:
    from finetune.compression.openvino_export import write_openvino

    _write_openvino = write_openvino
except ImportError:  # the extra `openvino` is not installed
    _write_openvino = None

KINDS = (MERGED, GGUF, OPENVINO_16BIT, OPENVINO_INT8, OPENVINO_INT4)

Reporter = Callable[[str, int, int], None]  # kind, done, total

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Written:
    """One form of an adapter. `failure` says why there is none; empty if there is."""

    kind: str
    folder: Path | None
    bytes: int = 0
    seconds: float = 0.0
    failure: str = ""


def default_kinds(threads: int | None = None) -> tuple[str, ...]:
    """What this machine serves best: merged for torch, and with OpenVINO and no GPU the form that suits the processor.

    `threads` are those of one draft, as they are set.
    """
    if _write_openvino is None or has_gpu():
        return (MERGED,)
    return MERGED, openvino_forms(threads)[0]


def export(
    adapter: Path,
    source: str | Path,
    into: Path,
    kinds: Sequence[str] | None = None,
    *,
    label: str | None = None,
    report: Reporter = lambda *_: None,
) -> tuple[Written, ...]:
    """Merge an adapter once and write it in each of `kinds`; one that fails leaves the others as they are.

    Args:
        adapter: the adapter's folder.
        source: its base: a Hugging Face folder, or a hub name.
        into: folder of all exports (`Settings.exports_path`); each adapter gets a folder of its own there.
        kinds: some of `KINDS`; default: `default_kinds()`.
        label: what the base is called; default: what its folder says.
        report: told before and after each kind.

    Returns:
        What was written, in the order of `kinds`.

    Raises:
        CompressionError: a kind is unknown, or the adapter does not fit its base.
        PublishError: a folder cannot be written.
    """
    wanted = default_kinds() if kinds is None else kinds
    unknown = [kind for kind in wanted if kind not in KINDS]
    if unknown:
        raise CompressionError(f"There are no exports {unknown}. Choose from {', '.join(KINDS)}.")
    whole = merge(adapter, source, label=label)
    root = into / whole.adapter.id
    written = []
    for kind in wanted:
        report(kind, 0, 1)
        written.append(_write(kind, whole, adapter, root / kind))
        report(kind, 1, 1)
    return tuple(written)


def export_for_serving(
    adapter: Path,
    settings: Settings,
    kinds: Sequence[str] | None = None,
    *,
    report: Reporter = lambda *_: None,
) -> tuple[Written, ...]:
    """Write an adapter of the model that is set where the bot looks for exports; see `export`."""
    source, label = local_source(settings, report)
    wanted = default_kinds(settings.model.threads) if kinds is None else kinds
    return export(adapter, source, settings.exports_path, wanted, label=label, report=report)


def try_export(adapter: Path, settings: Settings) -> None:
    """Write what serves fastest here, or say in the log why there is none: torch then serves base and adapter as they are."""
    try:
        export_for_serving(adapter, settings)
    except (BotError, CompressionError, PublishError) as error:
        log.warning("export_failed", adapter=adapter.name, reason=str(error))


def _write(kind: str, whole: Whole, adapter: Path, into: Path) -> Written:
    started = time.monotonic()
    try:
        folder = _folder(kind, whole, adapter, into)
    except CompressionError as error:
        log.warning("export_failed", kind=kind, adapter=whole.adapter.id, reason=str(error))
        return Written(kind, None, failure=str(error))
    size = sum(path.stat().st_size for path in folder.iterdir())
    return Written(kind, folder, size, round(time.monotonic() - started, 1))


def _folder(kind: str, whole: Whole, adapter: Path, into: Path) -> Path:
    if kind == MERGED:
        return write_merged(whole, into)
    if kind == GGUF:
        return write_gguf(whole, adapter, into)
    if _write_openvino is None:
        raise CompressionError(
            f"{kind!r} needs OpenVINO, which is not installed. Run `pip install 'kefu[openvino]'`."
        )
    return _write_openvino(whole, into, kind)
