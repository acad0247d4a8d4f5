"""Long work beside the serving, one piece at a time, with progress that a page can ask for. Lives in memory only."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NewType

import structlog

from bot.errors import BotError
from retrieval.errors import RetrievalError

JobId = NewType("JobId", str)
Progress = Callable[[str, int, int], None]  # stage, done, total
Work = Callable[[Progress], Any]

_KEPT = 50  # finished jobs

log = structlog.get_logger(__name__)


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"  # for the one before it
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Job:
    """A piece of work as it is now. `result` is there once it is done, `error` (a message for people) once it failed."""

    id: JobId
    kind: str
    owner: str  # id of who started it
    state: JobState
    started_at: datetime  # UTC
    stage: str = ""
    done: int = 0
    total: int = 0
    result: Any = None
    error: str = ""
    ended_at: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in (JobState.DONE, JobState.FAILED, JobState.STOPPED)

    @property
    def percent(self) -> int:
        """How much of the present stage is done, 0 to 100."""
        return 100 * self.done // self.total if self.total else 0


class _Stopped(Exception):
    """Raised inside the work of a job that is to stop."""


class Background:
    """Runs jobs in threads of their own that do not outlive the process, one after another."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[JobId, Job] = OrderedDict()
        self._stopping: set[JobId] = set()
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def start(self, kind: str, owner: str, work: Work) -> Job:
        """Begin, as soon as the jobs before are over.

        Args:
            kind: what it is.
            owner: who starts it; a job of theirs of this kind that is not over yet is stopped.
            work: is given what to tell its progress to; what it returns becomes `result`.
        """
        job = Job(JobId(secrets.token_urlsafe(12)), kind, owner, JobState.WAITING, datetime.now(UTC))
        with self._lock:
            self._stopping |= {
                each.id
                for each in self._jobs.values()
                if not each.over and (each.kind, each.owner) == (kind, owner)
            }
            self._jobs[job.id] = job
            self._drop_old()
        threading.Thread(
            target=self._run, args=(job.id, work), name=f"background-{kind}", daemon=True
        ).start()
        return job

    def find(self, job: str) -> Job | None:
        """A job as it is now; None if it is not known (any more)."""
        with self._lock:
            return self._jobs.get(JobId(job))

    def latest(self, kind: str) -> Job | None:
        """The job of a kind that was started last."""
        with self._lock:
            return next((job for job in reversed(self._jobs.values()) if job.kind == kind), None)

    def stop(self, job: str) -> None:
        """End a job at its next step."""
        with self._lock:
            self._stopping.add(JobId(job))

    def _run(self, job: JobId, work: Work) -> None:
        with self._turn:
            try:
                self._step(job, "", 0, 0)
                self._end(job, JobState.DONE, result=work(lambda *step: self._step(job, *step)))
            except _Stopped:
                self._end(job, JobState.STOPPED)
            except (BotError, RetrievalError) as error:
                self._end(job, JobState.FAILED, error=str(error))
            except Exception as error:  # whatever it is, the page must not wait for ever
                log.exception("background_failed", job=job)
                self._end(job, JobState.FAILED, error=f"{type(error).__name__}: {error}")

    def _step(self, job: JobId, stage: str, done: int, total: int) -> None:
        with self._lock:
            if job in self._stopping:
                raise _Stopped
            self._jobs[job] = replace(
                self._jobs[job], state=JobState.RUNNING, stage=stage, done=done, total=total
            )

    def _end(self, job: JobId, state: JobState, *, result: Any = None, error: str = "") -> None:
        with self._lock:
            self._stopping.discard(job)
            self._jobs[job] = replace(
                self._jobs[job], state=state, result=result, error=error, ended_at=datetime.now(UTC)
            )

    def _drop_old(self) -> None:
        over = [job.id for job in self._jobs.values() if job.over]
        for job in over[: max(0, len(over) - _KEPT)]:
            del self._jobs[job]
