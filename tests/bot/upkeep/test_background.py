"""Work beside the serving: one piece at a time, with progress, an end whatever happens, and a way to stop it."""

from __future__ import annotations

import threading
import time

import pytest

from bot.errors import ContentError
from bot.upkeep.background import Background, Job, JobState, Progress


def over(background: Background, job: Job) -> Job:
    for _ in range(400):
        now = background.find(job.id)
        assert now is not None
        if now.over:
            return now
        time.sleep(0.01)
    pytest.fail("it does not end")


def test_what_it_returns_is_kept_and_its_progress_is_told() -> None:
    background, seen = Background(), threading.Event()

    def work(progress: Progress) -> str:
        progress("read", 1, 4)
        seen.wait(5)
        return "done"

    job = background.start("trial", "li", work)
    while (now := background.find(job.id)) is not None and now.stage != "read":
        time.sleep(0.01)
    assert now is not None
    assert (now.state, now.percent) == (JobState.RUNNING, 25)
    seen.set()
    assert over(background, job).result == "done"
    assert background.latest("trial") == background.find(job.id)


@pytest.mark.parametrize(
    ("error", "message"), [(ContentError("这里错了"), "这里错了"), (ValueError("x"), "ValueError: x")]
)
def test_a_failure_is_an_end_with_its_reason(error: Exception, message: str) -> None:
    def work(_: Progress) -> None:
        raise error

    background = Background()
    job = over(background, background.start("check", "", work))
    assert (job.state, job.error) == (JobState.FAILED, message)


def test_one_runs_at_a_time_and_a_new_one_of_the_same_person_ends_the_old_one() -> None:
    background, running = Background(), []

    def work(progress: Progress) -> None:
        running.append(1)
        assert len(running) == 1
        try:
            for step in range(500):
                progress("ask", step, 500)
                time.sleep(0.01)
        finally:
            running.pop()

    first = background.start("trial", "li", work)
    second = background.start("trial", "li", work)
    assert over(background, first).state is JobState.STOPPED
    background.stop(second.id)
    assert over(background, second).state is JobState.STOPPED


def test_an_unknown_job_is_none() -> None:
    assert Background().find("nothing") is None
