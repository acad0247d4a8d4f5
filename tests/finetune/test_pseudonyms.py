"""Pseudonyms are the same every time, different for different people, and need the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune.errors import FinetuneError
from finetune.pseudonyms import Pseudonyms, load_pseudonyms


def test_the_same_key_gives_the_same_names_after_a_restart(tmp_path: Path) -> None:
    first, second = (load_pseudonyms(tmp_path / "var" / "key") for _ in range(2))
    assert first.customer("csv", "王小明") == second.customer("csv", "王小明")
    assert (tmp_path / "var" / "key").stat().st_mode & 0o077 == 0


def test_another_key_gives_other_names() -> None:
    one, other = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)
    assert one.customer("csv", "a") != other.customer("csv", "a")
    assert "1111" not in repr(one)


def test_a_mail_address_is_one_person_in_every_source_and_a_number_is_not() -> None:
    names = Pseudonyms(b"1" * 32)
    assert names.customer("chatwoot", "Anna@mail.example ") == names.customer("zendesk", "anna@MAIL.example")
    assert names.customer("chatwoot", "7") != names.customer("zendesk", "7")
    assert names.conversation("zendesk", "7") != names.customer("zendesk", "7")


@pytest.mark.parametrize("content", ["no hex", "abcd", ""])
def test_a_broken_key_is_an_error_that_says_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    with pytest.raises(FinetuneError, match=r"[Dd]elete it"):
        load_pseudonyms(tmp_path / "key")
