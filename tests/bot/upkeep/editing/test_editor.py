"""Saving edits: checked first, whole or not at all, never over a colleague's, and kept so that they can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.upkeep.editing.checking import EditRefused
from bot.upkeep.editing.editor import ABSENT, Edit, EditCollides, Editor, version_of
from bot.upkeep.editing.history import Author
from bot.upkeep.editing.shelf import Shelf
from tests.small_shop import write_knowledge_base

LI = Author("staff-1", "小李")
WARRANTY = "articles/zh/warranty.md"
NEW = "---\nid: gift\ntitle: 礼品卡\nlanguage: zh\n---\n礼品卡 3 年内有效。\n".encode()


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    write_knowledge_base(tmp_path / "kb")
    return Editor(tmp_path / "kb", tmp_path / "var" / "history", Shelf(tmp_path / "kb").articles)


def edit(editor: Editor, name: str, data: bytes | None) -> Edit:
    return Edit(name, data, version_of(editor.read(name)))


def changed(editor: Editor, name: str, old: str, new: str) -> Edit:
    before = editor.read(name)
    assert before is not None
    return edit(editor, name, before.decode().replace(old, new).encode())


def problems(refused: pytest.ExceptionInfo[EditRefused]) -> set[tuple[str, str]]:
    return {(problem.file, problem.field) for problem in refused.value.problems}


def test_an_edit_is_in_place_and_in_the_history_with_who_and_why(editor: Editor) -> None:
    saved = editor.save([changed(editor, WARRANTY, "1 年", "2 年")], LI, "新的保修政策")
    assert saved is not None
    assert "2 年" in (editor.read(WARRANTY) or b"").decode()
    (entry,) = editor.history.latest(most=5)
    assert (entry.author, entry.why, entry.files) == (LI, "新的保修政策", (WARRANTY,))
    sides = editor.history.sides(entry)[WARRANTY]
    assert "1 年" in (sides.before or b"").decode()
    assert "2 年" in (sides.after or b"").decode()


def test_both_faces_are_saved_together_or_not_at_all(editor: Editor) -> None:
    before = editor.read(WARRANTY)
    good = changed(editor, WARRANTY, "1 年", "2 年")
    bad = edit(editor, "articles/en/warranty.md", b"---\nid: warranty\nvalid_until: soon\n---\nTwo years.\n")
    with pytest.raises(EditRefused) as refused:
        editor.save([good, bad], LI, "")
    assert problems(refused) == {("articles/en/warranty.md", "valid_until")}
    assert editor.read(WARRANTY) == before
    assert editor.history.latest(most=5) == []


def test_a_save_that_changes_nothing_leaves_no_trace(editor: Editor) -> None:
    assert editor.save([edit(editor, WARRANTY, editor.read(WARRANTY))], LI, "") is None
    assert editor.history.latest(most=5) == []


def test_two_people_on_one_file_do_not_overwrite_each_other(editor: Editor) -> None:
    mine, theirs = changed(editor, WARRANTY, "1 年", "2 年"), changed(editor, WARRANTY, "3 年", "5 年")
    editor.save([theirs], Author("staff-2", "Mary"), "")
    with pytest.raises(EditCollides) as collision:
        editor.save([mine], LI, "")
    assert collision.value.files == (WARRANTY,)
    assert "5 年" in (editor.read(WARRANTY) or b"").decode()


def test_two_people_who_make_the_same_new_file_do_not_collide_silently(editor: Editor) -> None:
    name = "articles/zh/gift.md"
    assert edit(editor, name, NEW).version == ABSENT
    editor.save([edit(editor, name, NEW)], LI, "")
    with pytest.raises(EditCollides):
        editor.save([Edit(name, NEW + b"more", ABSENT)], LI, "")


def test_an_undo_puts_back_what_stood_there_and_can_itself_be_undone(editor: Editor) -> None:
    before = editor.read(WARRANTY)
    saved = editor.save([changed(editor, WARRANTY, "1 年", "2 年")], LI, "")
    assert saved is not None
    undone = editor.undo(saved.id, LI, "")
    assert undone is not None
    assert undone.undoes == saved.id
    assert editor.read(WARRANTY) == before
    editor.undo(undone.id, LI, "")
    assert "2 年" in (editor.read(WARRANTY) or b"").decode()


def test_an_undo_of_a_new_article_takes_it_away(editor: Editor) -> None:
    saved = editor.save([edit(editor, "articles/zh/gift.md", NEW)], LI, "")
    assert saved is not None
    editor.undo(saved.id, LI, "")
    assert editor.read("articles/zh/gift.md") is None


def test_an_undo_is_refused_once_somebody_went_on_from_there(editor: Editor) -> None:
    saved = editor.save([changed(editor, WARRANTY, "1 年", "2 年")], LI, "")
    assert saved is not None
    editor.save([changed(editor, WARRANTY, "2 年", "4 年")], LI, "")
    with pytest.raises(EditCollides):
        editor.undo(saved.id, LI, "")


@pytest.mark.parametrize(
    ("name", "old", "new", "field"),
    [
        ("intents/postage.yaml", "满 99 元包邮。", "满 {amount} 元包邮。", "answer.zh"),
        ("intents/postage.yaml", "Postage is free", "Postage } is free", "answer.en"),
        ("intents/order-status.yaml", "- tracking", "- nowhere", "articles"),
        ("intents/order-status.yaml", "postage", "no-such-intent", "quick_replies"),
        ("messages.yaml", "greeting: greeting.", "greeting: ''", "en.greeting"),
    ],
)
def test_what_is_wrong_is_named_at_its_field(
    editor: Editor, name: str, old: str, new: str, field: str
) -> None:
    with pytest.raises(EditRefused) as refused:
        editor.save([changed(editor, name, old, new)], LI, "")
    assert any(
        place == name and key.startswith(field.split(".", maxsplit=1)[0]) for place, key in problems(refused)
    ), refused.value


def test_an_article_that_an_answer_rests_on_cannot_be_taken_away(editor: Editor) -> None:
    for name in ("articles/zh/tracking.md", "articles/en/tracking.md"):
        if name.startswith("articles/zh"):
            editor.save([edit(editor, name, None)], LI, "")  # the other face is still there
            continue
        with pytest.raises(EditRefused) as refused:
            editor.save([edit(editor, name, None)], LI, "")
        assert problems(refused) == {("intents/order-status.yaml", "articles")}


def test_a_second_article_with_one_id_is_refused_and_an_empty_one_too(editor: Editor) -> None:
    with pytest.raises(EditRefused) as refused:
        editor.save([edit(editor, "articles/zh/other.md", NEW.replace(b"gift", b"warranty"))], LI, "")
    assert problems(refused) == {("articles/zh/other.md", "id")}
    with pytest.raises(EditRefused) as refused:
        editor.save([edit(editor, "articles/zh/gift.md", b"---\nid: gift\ntitle: x\n---\n\n")], LI, "")
    assert problems(refused) == {("articles/zh/gift.md", "body")}


@pytest.mark.parametrize(
    "name",
    [
        "../kefu.toml",
        "articles/../x.md",
        "/etc/passwd",
        "README.md",
        "articles/.hidden.md",
        "intents/A B.yaml",
    ],
)
def test_nothing_outside_the_content_can_be_read_or_written(editor: Editor, name: str) -> None:
    with pytest.raises(ContentError, match="place of content"):
        editor.read(name)
    with pytest.raises(ContentError, match="place of content"):
        editor.save([Edit(name, b"x", ABSENT)], LI, "")


def test_a_file_that_cannot_be_written_leaves_everything_as_it_was(editor: Editor) -> None:
    nowhere = Edit(f"{WARRANTY}/gift.md", NEW, ABSENT)  # below a file
    with pytest.raises(ContentError, match="cannot be written"):
        editor.save([changed(editor, "intents/postage.yaml", "99", "59"), nowhere], LI, "")
    assert b"99" in (editor.read("intents/postage.yaml") or b"")
    assert editor.history.latest(most=1) == []


def test_the_shelf_lists_both_faces_and_a_broken_file_with_its_problem(editor: Editor) -> None:
    (editor.knowledge_base / "articles" / "zh" / "broken.md").write_text("---\nfoo: 1\n---\n文", "utf-8")
    shelf = Shelf(editor.knowledge_base)
    topics = {topic.id: topic for topic in shelf.topics()}
    warranty = topics["warranty"]
    assert warranty.zh is not None
    assert warranty.en is not None
    assert (warranty.zh.title, warranty.en.title) == ("保修期限", "Warranty")
    assert topics["voltage"].zh is None
    assert topics["broken"].zh is not None
    assert "foo" in topics["broken"].zh.problem
    assert [intent.id for intent in shelf.intents()] == [
        "damaged",
        "order-status",
        "postage",
        "talk-to-person",
    ]
    assert "broken" not in {article.id for article in shelf.articles()}


def test_the_history_of_one_file_leaves_the_others_out(editor: Editor) -> None:
    editor.save([changed(editor, WARRANTY, "1 年", "2 年")], LI, "a")
    editor.save([changed(editor, "intents/postage.yaml", "99", "59")], LI, "b")
    assert [saved.why for saved in editor.history.latest(most=9)] == ["b", "a"]
    assert [saved.why for saved in editor.history.latest(most=9, of=[WARRANTY])] == ["a"]
    with pytest.raises(ContentError, match="no entry"):
        editor.history.find("../../etc")
