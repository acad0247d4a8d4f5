"""What promotion made of an adapter so that it can be served faster: finding it, and making sure that it is the one.

    var/exports/<adapter id>/<kind>/      generations, as `retrieval.publish` describes them
        merged                            a Hugging Face folder: base and adapter in one
        openvino-16bit, -int8, -int4      OpenVINO's files beside a tokenizer

An export's manifest holds the whole certificate of its adapter. It is served only for exactly these weights on exactly
this base: an export that was made of something else is as good as none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

from bot.answering.adapters import WEIGHTS, AdapterManifest
from bot.answering.generator import PromptShape
from bot.answering.torch_threads import cores, drafting_threads
from bot.errors import AdapterRefused
from retrieval.errors import FilesDamaged
from retrieval.processor import computes_in_bfloat16, multiplies_tiles
from retrieval.publish import current, read_manifest, verify

KIND = "export"
MERGED = "merged"
OPENVINO_16BIT = "openvino-16bit"
OPENVINO_INT8 = "openvino-int8"
OPENVINO_INT4 = "openvino-int4"
FORMAT = 1  # of the manifest; an export of another format is made again

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Export:
    """An export on disk. `facts` are what its kind needs to be loaded."""

    folder: Path
    form: str  # merged, openvino-int8, …
    base: str  # label of the model that the adapter was trained on
    base_sha256: str | None
    adapter: AdapterManifest
    facts: Mapping[str, Any]


def openvino_forms(threads: int | None) -> tuple[str, ...]:
    """OpenVINO's forms, the one that suits best first: as torch does, exact where the processor computes in bfloat16.

    `threads` are those of one draft, as they are set.
    """
    if computes_in_bfloat16() and not breaks_in_16_bit(drafting_threads(threads)):
        return OPENVINO_16BIT, OPENVINO_INT8, OPENVINO_INT4
    return OPENVINO_INT8, OPENVINO_16BIT, OPENVINO_INT4


def breaks_in_16_bit(threads: int) -> bool:
    """Whether OpenVINO (2025.3 to 2026.4 at least) dies here when it is to compute a 16-bit graph in bfloat16.

    On a single thread of a processor with AMX it divides by zero while it compiles, and takes the process with it
    (openvino issue 33300). 8-bit graphs are not concerned, nor is computing in float32, which is slow.
    """
    return multiplies_tiles() and min(threads, cores()) == 1


def describe(
    form: str, base: str, base_sha256: str | None, adapter: AdapterManifest, **facts: Any
) -> dict[str, Any]:
    """What an export's manifest says; `facts` are JSON values."""
    return {
        "kind": KIND,
        "format": FORMAT,
        "form": form,
        "name": base,  # what a model is called that is loaded from here
        "base_sha256": base_sha256,
        "adapter": asdict(adapter),
        "facts": facts,
    }


def read_export(folder: Path) -> Export | None:
    """The export in `folder`; None if it is no export at all.

    Raises:
        AdapterRefused: it is an export, but of another Kefu, or its manifest is damaged.
    """
    try:
        manifest = read_manifest(folder)
    except FilesDamaged:  # an ordinary Hugging Face folder has no manifest
        return None
    if manifest.get("kind") != KIND:
        return None
    try:
        if manifest["format"] != FORMAT:
            raise AdapterRefused(
                f"{folder} is an export of format {manifest['format']}; this Kefu reads format {FORMAT}. Promote the "
                "adapter again."
            )
        certificate = manifest["adapter"]
        adapter = AdapterManifest(**{**certificate, "shape": PromptShape(**certificate["shape"])})
        return Export(
            folder, manifest["form"], manifest["name"], manifest["base_sha256"], adapter, manifest["facts"]
        )
    except (KeyError, TypeError) as error:
        raise AdapterRefused(
            f"{folder} has no readable manifest: {error!r}. Promote the adapter again."
        ) from error


def find_export(
    root: Path, form: str, adapter: AdapterManifest, base: str, base_sha256: str | None
) -> Export | None:
    """The export of this very adapter on this very base; None if there is none that can be used.

    Args:
        root: folder of all exports (`var/exports`).
        form: which one, e.g. `MERGED`.
        adapter: the certificate of the adapter that is to serve.
        base: label of the model that is set.
        base_sha256: of that model's weights, where they are known.
    """
    folder = current(root / adapter.id / form)
    if folder is None:
        return None
    try:
        found = read_export(folder)
        verify(folder, deep=False)
    except (AdapterRefused, FilesDamaged) as error:
        log.warning("export_unusable", form=form, adapter=adapter.id, reason=str(error))
        return None
    wanted = (form, Path(base).name, base_sha256, adapter.files.get(WEIGHTS), adapter.prompt_version)
    if found is None or _identity(found) != wanted:
        log.warning("export_of_something_else", form=form, adapter=adapter.id)
        return None
    return found


def _identity(export: Export) -> tuple[object, ...]:
    made_of = export.adapter
    return (
        export.form,
        Path(export.base).name,
        export.base_sha256,
        made_of.files.get(WEIGHTS),
        made_of.prompt_version,
    )
