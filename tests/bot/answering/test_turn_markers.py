"""Other models' turn markers."""

from __future__ import annotations

from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from bot.answering.turn_markers import CANONICAL, PLAIN, TurnMarkers, in_markers, markers_for

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA_2 = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{{ bos_token }}[INST] {{ message['content'] }} [/INST]"
    "{% else %} {{ message['content'] }} {{ eos_token }}{% endif %}{% endfor %}"
)
TALK = "".join(
    (
        CANONICAL.begin,
        "a",
        CANONICAL.to_model,
        "b",
        CANONICAL.to_user,
        "c",
        CANONICAL.to_model,
        "d",
        CANONICAL.end,
    )
)


def tokenizer(template: str | None, *words: str) -> PreTrainedTokenizerFast:
    vocabulary = {word: number for number, word in enumerate(("<s>", "</s>", "<unk>", *words))}
    made = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary, "<unk>")),
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
    )
    made.chat_template = template
    return made


def test_a_vocabulary_with_gemmas_markers_gets_them() -> None:
    assert markers_for(tokenizer(None, "<start_of_turn>", "<end_of_turn>")) == CANONICAL
    assert in_markers(TALK, CANONICAL) == TALK


def test_markers_are_read_off_a_chat_template() -> None:
    markers = markers_for(tokenizer(CHATML))
    assert markers == TurnMarkers(
        "<|im_start|>user\n",
        "<|im_end|>\n<|im_start|>assistant\n",
        "<|im_end|>\n<|im_start|>user\n",
        "<|im_end|>",
    )
    expected = "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc"
    assert in_markers(TALK, markers).startswith(expected)
    assert "_of_turn>\n" not in in_markers(TALK, markers)


def test_a_beginning_that_the_tokenizer_adds_itself_is_not_doubled() -> None:
    markers = markers_for(tokenizer(LLAMA_2))
    assert markers.begin == "[INST] "
    assert markers.to_model == " [/INST]"
    assert markers.end == "</s>"


def test_without_markers_and_template_turns_have_plain_headings() -> None:
    assert markers_for(tokenizer(None)) == PLAIN
    assert in_markers(TALK, PLAIN).startswith("### User\na\n### Assistant\nb\n### User\nc\n### Assistant\nd")
