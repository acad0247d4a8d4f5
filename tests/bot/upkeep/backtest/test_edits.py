"""An edited knowledge base before it is saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.upkeep.backtest.edits import Edit, Touched, edit_of, touched
from retrieval.errors import DocumentError
from tests.small_shop import write_knowledge_base

ARTICLE = "---\nid: {id}\ntitle: 保修\nlanguage: {language}\n---\n整机保修 2 年。\n"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


@pytest.fixture
def drafts(tmp_path: Path) -> Path:
    (tmp_path / "drafts").mkdir()
    return tmp_path / "drafts"


def text(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def targets(edit: Edit) -> list[tuple[str, bool]]:
    return [(str(each.target), each.new) for each in edit.placed]


def test_a_draft_of_an_article_takes_the_place_of_the_face_with_its_id(
    knowledge_base, drafts, scratch
) -> None:
    before = text(knowledge_base)
    draft = drafts / "anything.md"
    draft.write_text(ARTICLE.format(id="warranty", language="zh"), "utf-8")
    edit = edit_of(knowledge_base, [draft], (), scratch)
    assert targets(edit) == [("articles/zh/warranty.md", False)]
    assert text(edit.folder) == {**before, "articles/zh/warranty.md": draft.read_text("utf-8")}
    assert text(knowledge_base) == before
    assert touched(knowledge_base, edit) == Touched(("warranty",), (), out_of_scope=False, messages=False)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("draft.yaml", "id: postage\n", ("intents/postage.yaml", False)),
        ("draft.yml", "id: gift-card\n", ("intents/gift-card.yaml", True)),
        ("draft.yaml", "id: out-of-scope\n", ("intents/_out_of_scope.yaml", False)),
        ("messages.yaml", "zh: {}\n", ("messages.yaml", False)),
        ("postage.yaml", "id: [broken\n", ("intents/postage.yaml", False)),
        ("postage.yaml", "id: ../../postage\n", ("intents/postage.yaml", False)),
        ("new.md", ARTICLE.format(id="gift-card", language="en"), ("articles/en/new.md", True)),
        ("zh/tracking.md", "查物流在订单页。\n", ("articles/zh/tracking.md", False)),
        ("en/tracking.md", "See 订单 page for tracking.\n", ("articles/en/tracking.md", False)),
    ],
)
def test_a_draft_finds_its_place_by_its_id(name, content, expected, knowledge_base, drafts, scratch) -> None:
    (drafts / name).parent.mkdir(exist_ok=True)
    (drafts / name).write_text(content, "utf-8")
    assert targets(edit_of(knowledge_base, [drafts / name], (), scratch)) == [expected]


def test_a_row_of_a_table_stands_for_the_table(knowledge_base, drafts, scratch) -> None:
    table = "id,question,answer\ngift-card,礼品卡怎么用,在结算页输入卡号。\n"
    (knowledge_base / "articles/zh/faq.csv").write_text(table, "utf-8")
    (drafts / "zh").mkdir()
    draft = drafts / "zh" / "new-faq.csv"
    draft.write_text(table.replace("结算页", "付款页"), "utf-8")
    edit = edit_of(knowledge_base, [draft], (), scratch)
    assert targets(edit) == [("articles/zh/faq.csv", False)]
    assert touched(knowledge_base, edit).articles == ("gift-card",)


def test_a_named_place_counts_more_than_the_id(knowledge_base, drafts, scratch) -> None:
    draft = drafts / "draft.md"
    draft.write_text(ARTICLE.format(id="warranty-2027", language="zh"), "utf-8")
    edit = edit_of(knowledge_base, [draft], ["articles/zh/warranty.md"], scratch)
    assert targets(edit) == [("articles/zh/warranty.md", False)]
    assert touched(knowledge_base, edit).articles == ("warranty", "warranty-2027")


def test_a_folder_is_taken_as_it_is_and_one_that_holds_it_leads_to_it(
    tmp_path, knowledge_base, scratch
) -> None:
    checkout = tmp_path / "checkout"
    write_knowledge_base(checkout / "knowledge_base")
    for path in (checkout, checkout / "knowledge_base"):
        assert edit_of(knowledge_base, [path], (), scratch).folder == checkout / "knowledge_base"
    assert list(scratch.iterdir()) == []


def test_everything_that_differs_is_named_also_what_is_gone(tmp_path, knowledge_base, edit_yaml) -> None:
    other = tmp_path / "other"
    write_knowledge_base(other)  # without the shop's intent `call-back`
    (other / "articles/en/voltage.md").unlink()
    edit_yaml(other / "intents/damaged.yaml", answer={"zh": "请拍照。", "en": "Take photos."})
    edit_yaml(other / "intents/_out_of_scope.yaml", examples={"zh": ["天气"], "en": ["weather"]})
    messages = (other / "messages.yaml").read_text("utf-8")
    (other / "messages.yaml").write_text(messages.replace("（clarify）", "您是想问"), "utf-8")
    assert touched(knowledge_base, Edit(other)) == Touched(
        ("voltage",), ("call-back", "damaged"), out_of_scope=True, messages=True
    )


def test_another_file_name_or_comment_touches_nothing(tmp_path, knowledge_base) -> None:
    other = tmp_path / "other"
    write_knowledge_base(other)
    (other / "intents/call-back.yaml").write_bytes((knowledge_base / "intents/call-back.yaml").read_bytes())
    (other / "articles/en/voltage.md").rename(other / "articles/en/volts.md")
    with (other / "intents/postage.yaml").open("a", encoding="utf-8") as file:
        file.write("# 备注\n")
    assert touched(knowledge_base, Edit(other)).nothing


def test_mistakes_are_named_with_the_users_file_and_nothing_else(knowledge_base, drafts, scratch) -> None:
    draft = drafts / "postage.yaml"
    draft.write_text("id: postage\ntitle: 运费\n", "utf-8")
    with pytest.raises(ContentError, match=r"postage\.yaml: title") as refused:
        touched(knowledge_base, edit_of(knowledge_base, [draft], (), scratch))
    assert str(draft) in str(refused.value)
    assert str(scratch) not in str(refused.value)


def test_a_wrong_article_is_refused_with_its_line(tmp_path, knowledge_base, drafts, scratch) -> None:
    wrong = ARTICLE.format(id="warranty", language="zh").replace("title:", "updated: soon\ntitle:")
    draft = drafts / "draft.md"
    draft.write_text(wrong, "utf-8")
    with pytest.raises(ContentError, match=r"draft\.md.*:3: updated is 'soon'"):
        edit_of(knowledge_base, [draft], (), scratch)
    edit = edit_of(knowledge_base, [draft], ["articles/zh/warranty.md"], scratch)
    with pytest.raises(DocumentError, match=r"warranty\.md:3: updated is 'soon'") as refused:
        touched(knowledge_base, edit)
    assert "in the edited knowledge base" in str(refused.value)


@pytest.mark.parametrize(
    ("paths", "places", "message"),
    [
        (["gone.md"], [], r"no file .*gone\.md"),
        (["a.md"], ["articles/zh/a.md", "articles/en/a.md"], "1 files and 2 places"),
        (["a.md"], ["../a.md"], "outside the knowledge base"),
        (["a.md"], ["/etc/a.md"], "outside the knowledge base"),
        (["picture.png"], [], "it is no article"),
        (["folder", "a.md"], [], "is a folder"),
        (["folder"], ["articles"], "is a folder"),
        (["folder"], [], "holds no knowledge base"),
    ],
)
def test_what_cannot_be_an_edit_is_refused(paths, places, message, knowledge_base, drafts, scratch) -> None:
    (drafts / "folder").mkdir()
    for name in ("a.md", "picture.png"):
        (drafts / name).write_text("text\n")
    with pytest.raises(ContentError, match=message):
        edit_of(knowledge_base, [drafts / name for name in paths], places, scratch)
