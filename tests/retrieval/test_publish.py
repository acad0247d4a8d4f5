"""Tests of publishing folders as a whole or not at all."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from retrieval.errors import FilesDamaged, PublishError
from retrieval.publish import (
    LOCK,
    POINTER,
    current,
    publish,
    read_manifest,
    read_record,
    verify,
    write_atomically,
    write_record,
)


def write(text: str) -> Any:
    def fill(folder: Path) -> dict[str, Any]:
        (folder / "a.txt").write_text(text, encoding="utf-8")
        (folder / "sub").mkdir()
        (folder / "sub" / "b.txt").write_text("内容", encoding="utf-8")
        return {"kind": "test", "text": text}

    return fill


def test_nothing_is_current_before_the_first_publication(tmp_path: Path) -> None:
    assert current(tmp_path) is None
    assert current(tmp_path / "missing") is None


def test_a_published_generation_is_current_and_whole(tmp_path: Path) -> None:
    folder = publish(tmp_path, write("one"))
    assert current(tmp_path) == folder
    manifest = verify(folder)
    assert manifest["kind"] == "test"
    assert manifest["generation"] == folder.name
    assert set(manifest["files"]) == {"a.txt", "sub/b.txt"}
    assert manifest["created"].endswith("+00:00")


def test_only_the_previous_generation_is_kept(tmp_path: Path) -> None:
    generations = [publish(tmp_path, write(str(n))) for n in range(4)]
    kept = {path for path in tmp_path.iterdir() if path.is_dir()}
    assert kept == set(generations[-2:])
    assert current(tmp_path) == generations[-1]


def test_a_build_that_fails_leaves_the_old_generation_and_no_rubbish(tmp_path: Path) -> None:
    old = publish(tmp_path, write("old"))

    def fail(folder: Path) -> dict[str, Any]:
        (folder / "half").write_text("x", encoding="utf-8")
        raise KeyError("broken content")

    with pytest.raises(KeyError, match="broken content"):
        publish(tmp_path, fail)
    assert current(tmp_path) == old
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [old.name]


def test_what_a_killed_build_left_is_removed(tmp_path: Path) -> None:
    leftover = tmp_path / ".building-20260101-000000-abcdef"
    leftover.mkdir()
    (leftover / "big").write_text("x", encoding="utf-8")
    orphan = tmp_path / "20260101-000000-abcdef"  # renamed, but killed before the pointer moved
    orphan.mkdir()
    publish(tmp_path, write("new"))
    assert not leftover.exists()
    assert not orphan.exists()


def test_folders_that_are_no_generations_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    publish(tmp_path, write("new"))
    assert (tmp_path / "notes").is_dir()


def slow_builder(root: str, started: Any) -> None:
    def fill(folder: Path) -> dict[str, Any]:
        (folder / "half").write_text("x", encoding="utf-8")
        started.set()
        time.sleep(60)
        return {}

    publish(Path(root), fill)


def test_a_builder_killed_in_the_middle_leaves_the_old_generation_current(tmp_path: Path) -> None:
    old = publish(tmp_path, write("old"))
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    builder = context.Process(target=slow_builder, args=(str(tmp_path), started))
    builder.start()
    assert started.wait(60)
    assert builder.pid is not None
    os.kill(builder.pid, signal.SIGKILL)
    builder.join()
    assert current(tmp_path) == old
    verify(old)
    new = publish(tmp_path, write("new"), wait_seconds=5)  # the dead builder's lock is free
    assert current(tmp_path) == new
    assert not list(tmp_path.glob(".building-*"))


def test_a_second_builder_is_told_to_wait(tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / LOCK),
        pytest.raises(PublishError, match="Another process has been building"),
    ):
        publish(tmp_path, write("x"), wait_seconds=0.1)


def test_builders_at_the_same_time_both_publish_whole_generations(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def build(name: str) -> None:
        try:
            for _ in range(5):
                publish(tmp_path, write(name))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=build, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    folder = current(tmp_path)
    assert not errors
    assert folder is not None
    verify(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_text("longer than before", encoding="utf-8"), "bytes instead of"),
        (lambda path: path.write_text("twO", encoding="utf-8"), "has changed"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, damage: Any, message: str) -> None:
    folder = publish(tmp_path, write("two"))
    damage(folder / "a.txt")
    with pytest.raises(FilesDamaged, match=message) as error:
        verify(folder)
    assert "a.txt" in str(error.value)


def test_a_shallow_check_looks_at_sizes_only(tmp_path: Path) -> None:
    folder = publish(tmp_path, write("two"))
    (folder / "a.txt").write_text("twO", encoding="utf-8")
    verify(folder, deep=False)


@pytest.mark.parametrize("content", ["", "no json", "[]", '{"files": 1}'])
def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    folder = publish(tmp_path, write("x"))
    (folder / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(FilesDamaged, match=r"manifest\.json"):
        read_manifest(folder)


@pytest.mark.parametrize("content", [b"", b"../../etc", b"20990101-000000-abcdef", b"\xff\xfe"])
def test_a_pointer_to_nowhere_counts_as_nothing_published(tmp_path: Path, content: bytes) -> None:
    publish(tmp_path, write("x"))
    (tmp_path / POINTER).write_bytes(content)
    assert current(tmp_path) is None


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_takes_no_more_is_reported_with_what_to_do(tmp_path: Path, code: int) -> None:
    old = publish(tmp_path, write("old"))

    def full(folder: Path) -> dict[str, Any]:
        del folder
        raise OSError(code, os.strerror(code))

    with pytest.raises(PublishError, match="Free some space or make the folder writable"):
        publish(tmp_path, full)
    assert current(tmp_path) == old


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_atomically(path, b"1")
    write_atomically(path, json.dumps({"a": "退货"}).encode())
    assert json.loads(path.read_bytes()) == {"a": "退货"}
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_all_generations_are_kept_if_asked(tmp_path: Path) -> None:
    generations = [publish(tmp_path, write(str(n)), keep_all=True) for n in range(4)]
    assert {path for path in tmp_path.iterdir() if path.is_dir()} == set(generations)
    assert current(tmp_path) == generations[-1]


@pytest.mark.parametrize("damage", ["{", "[1]", "\xff"])
def test_a_record_that_is_damaged_or_not_there_is_an_empty_one(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "record.json"
    assert read_record(path) == {}
    write_record(path, {"谁": "王敏"})
    assert read_record(path) == {"谁": "王敏"}
    path.write_bytes(damage.encode("latin-1"))
    assert read_record(path) == {}
