"""Tests of building the index: what is reused, what is refused, what the manifest says."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from retrieval.build import build_index
from retrieval.errors import DocumentError, PublishError
from retrieval.publish import current, verify
from retrieval.search import SearchIndex
from tests.fake_encoder import FakeEncoder
from tests.retrieval.sample_shop import LABELLED, build, put, write_shop

DAY = date(2026, 11, 22)


def test_a_build_reports_what_it_did(tmp_path: Path) -> None:
    report = build(write_shop(tmp_path / "kb"), tmp_path / "index")
    assert report.articles == 8
    assert report.passages == 8
    assert report.embedded > 8
    assert report.problems == ()


def test_the_manifest_is_a_birth_certificate(tmp_path: Path) -> None:
    report = build(write_shop(tmp_path / "kb"), tmp_path / "index")
    folder = current(tmp_path / "index")
    assert folder is not None
    manifest = verify(folder)
    assert manifest["generation"] == report.generation
    assert manifest["encoder"] == "fake@1"
    assert manifest["settings"] == {"passage_limit": 600}
    assert manifest["counts"] == {"articles": 8, "passages": 8, "labelled": len(LABELLED), "judged": 0}
    assert len(manifest["inputs"]["articles/zh/return-window.md"]) == 64
    assert "faiss-cpu" in manifest["versions"]


def test_what_has_not_changed_is_not_embedded_again(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "kb")
    build(shop, tmp_path / "index")
    put(shop, "zh/inspect.md", "签收前可以验货吗", "现在请先签收再验货。", questions=["先看货再签字"])
    encoder = FakeEncoder()
    report = build(shop, tmp_path / "index", encoder)
    assert [text for text in encoder.encoded if "验货" in text] == [
        "签收前可以验货吗\n现在请先签收再验货。",
        "现在请先签收再验货。",
    ]
    assert report.embedded == 2
    assert report.reused > 8
    (first, *_) = SearchIndex.open(tmp_path / "index", FakeEncoder()).search("签收前验货", day=DAY)
    assert first.passage.text == "现在请先签收再验货。"


def test_another_encoder_embeds_everything_again(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "kb")
    first = build(shop, tmp_path / "index")
    second = build(shop, tmp_path / "index", FakeEncoder(name="fake@2"))
    assert second.embedded == first.embedded


def test_a_bad_file_is_named_and_the_old_index_keeps_serving(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "kb")
    build(shop, tmp_path / "index")
    before = current(tmp_path / "index")
    (shop / "articles" / "zh" / "bad.md").write_text(
        "---\ntitle: x\ncolour: red\n---\ntext", encoding="utf-8"
    )
    (shop / "articles" / "en" / "bad.pdf").write_bytes(b"%PDF broken")
    with pytest.raises(DocumentError) as error:
        build(shop, tmp_path / "index")
    assert "articles/zh/bad.md:3" in str(error.value)
    assert "articles/en/bad.pdf" in str(error.value)
    assert current(tmp_path / "index") == before
    assert SearchIndex.open(tmp_path / "index", FakeEncoder()).search("退货", day=DAY)


def test_a_build_without_labelled_questions_learns_from_the_articles_own(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "kb")
    build_index(shop, tmp_path / "index", FakeEncoder(), passage_limit=600, progress=lambda *_: None)
    index = SearchIndex.open(tmp_path / "index", FakeEncoder())
    assert index.search("退货期限", day=DAY)[0].passage.article_id == "return-window"


def test_a_single_article_is_a_knowledge_base_too(tmp_path: Path) -> None:
    put(tmp_path / "kb", "zh/only.md", "营业时间", "每天九点到二十一点。")
    build_index(
        tmp_path / "kb", tmp_path / "index", FakeEncoder(), passage_limit=600, progress=lambda *_: None
    )
    index = SearchIndex.open(tmp_path / "index", FakeEncoder())
    near, far = (index.search(question, day=DAY)[0].score for question in ("营业时间", "量子力学入门"))
    assert 0 <= far < near <= 1


def test_articles_of_punctuation_only_are_survived(tmp_path: Path) -> None:
    put(tmp_path / "kb", "zh/a.md", "？？", "……")
    build_index(
        tmp_path / "kb", tmp_path / "index", FakeEncoder(), passage_limit=600, progress=lambda *_: None
    )
    assert SearchIndex.open(tmp_path / "index", FakeEncoder()).search("退货", day=DAY)


def test_a_shop_with_titles_alone_is_searched_without_anything_learned(tmp_path: Path) -> None:
    for number in range(30):
        put(tmp_path / "kb", f"zh/a{number}.md", f"第{number}种退货 KF{number}", f"说明 {number}。")
    report = build_index(
        tmp_path / "kb", tmp_path / "index", FakeEncoder(), passage_limit=600, progress=lambda *_: None
    )
    assert report.calibration == {}
    found = SearchIndex.open(tmp_path / "index", FakeEncoder()).search("KF7", day=DAY)
    assert found[0].passage.article_id == "a7"


def test_progress_is_told_step_by_step(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    build_index(
        write_shop(tmp_path / "kb"),
        tmp_path / "index",
        FakeEncoder(),
        passage_limit=600,
        progress=lambda *step: seen.append(step),
    )
    assert list(dict.fromkeys(step[0] for step in seen)) == [
        "read",
        "embed",
        "embed questions",
        "embed sentences",
        "calibrate",
        "write",
    ]
    assert all(done <= total for _, done, total in seen)
    assert seen[-1] == ("write", 1, 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "kb")
    (tmp_path / "index").mkdir(mode=0o500)
    with pytest.raises(PublishError, match="make the folder writable"):
        build(shop, tmp_path / "index")


def test_an_index_where_a_file_stands_in_the_way_is_named(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "kb")
    (tmp_path / "index").write_text("a file", encoding="utf-8")
    with pytest.raises(PublishError, match="Cannot write under"):
        build(shop, tmp_path / "index")
