"""Whether OpenVINO survives a model on this machine, found out once, in a process of its own.

A fault in compiled code raises nothing: it takes the process with it, and a server that loads the same file when it is
started again dies each time. What was found is kept for this very file, version, processor and number of threads:

    var/exports/trials.json    {"2026…/openvino-int8, OpenVINO 2026.4, AMD EPYC, 1 threads": ""}    or what went wrong
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import structlog

from bot.answering.openvino_model import OpenVinoEngine
from bot.answering.openvino_quietly import openvino
from retrieval.publish import read_record, write_record

TRIALS = "trials.json"  # among the exports
_COMMAND = (sys.executable, "-m", __name__)
_RAISED = 1  # exit code of a process that an error ended: it is raised to whoever loads the file, too
_SECONDS = 300.0
_KILLED_BY = -9  # SIGKILL
_KILLED = "is killed, perhaps for want of memory"
_LATE = f"does not end within {_SECONDS:.0f} seconds"
_PASSING = {_KILLED, _LATE}  # says nothing of the next time

log = structlog.get_logger(__name__)


def trouble_with(folder: Path, threads: int, exports: Path) -> str | None:
    """What becomes of a process that computes with the export in `folder`; None if nothing bad.

    Args:
        folder: of the export, named as its generation is.
        threads: CPU threads, from 1.
        exports: folder of all exports, where what was found is kept.
    """
    device = openvino.Core().get_property("CPU", "FULL_DEVICE_NAME")
    key = f"{folder.parent.name}/{folder.name}, OpenVINO {openvino.__version__}, {device}, {threads} threads"
    path = exports / TRIALS
    known = read_record(path)
    trouble = known.get(key)
    if trouble is None:
        log.info("engine_tried", engine="openvino", export=str(folder))
        trouble = _tried([*_COMMAND, str(folder), str(threads)])
        if trouble not in _PASSING:
            _keep(path, {**known, key: trouble})
    if not trouble:
        return None
    return f"A process that computes with {folder} {trouble}. To try it again, delete {path} and start again."


def _tried(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603 — our own command
    except subprocess.TimeoutExpired:
        return _LATE
    if done.returncode == _KILLED_BY:
        return _KILLED
    return "" if done.returncode in (0, _RAISED) else f"ends with code {done.returncode}"


def _keep(path: Path, trials: Mapping[str, str]) -> None:
    try:
        write_record(path, trials)
    except OSError as error:  # then it is tried again
        log.warning("trial_not_kept", reason=str(error))


def main(folder: str, threads: str) -> None:
    """Load an export, read a few tokens, and one more after them."""
    engine = OpenVinoEngine(Path(folder), int(threads))
    nothing = np.empty((0, *engine.shape_of_a_token), np.float32)
    _, read = engine.compute([1, 2, 3, 1], [3], nothing)
    engine.compute([2], [0], read)


if __name__ == "__main__":
    main(*sys.argv[1:])
