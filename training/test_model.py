"""Tokenizer, network and weight file: equal encoders, one attention in two shapes, a file that reads back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from . import gguf, tokenizer as bpe
from .data import pack
from .generate import mixed
from .model import Config, Qwen2, rectangular
from .prompt import chat
from .tokenizer import Encoder
from .train import bpe_texts

SMALL = Config(vocab_size=800, num_hidden_layers=2)


@pytest.fixture(scope="module")
def tok() -> Tokenizer:
    return bpe.train(bpe_texts(0)[:1500], SMALL.vocab_size)


def test_the_fast_encoder_equals_the_tokenizer(tok: Tokenizer) -> None:
    encoder = Encoder(tok)
    for i in range(150):
        messages, answer = chat(mixed(i, 1.0))
        for role, content in [*messages, ("assistant", answer)]:
            text = f"{role}\n{content}"
            assert encoder.text(text) == tok.encode(text, add_special_tokens=False).ids
            assert tok.decode(encoder.text(text)) == text


def test_a_word_has_the_same_tokens_after_a_space_and_in_quotes(tok: Tokenizer) -> None:
    encoder = Encoder(tok)
    word = encoder.text("Zorbanik")
    for text in ["see Zorbanik.", '["Zorbanik"]', "\nZorbanik"]:
        ids = encoder.text(text)
        assert any(ids[i : i + len(word)] == word for i in range(len(ids))), text


def test_each_digit_is_one_token(tok: Tokenizer) -> None:
    assert len(Encoder(tok).text("2047")) == 4


def test_packing_keeps_documents_apart() -> None:
    docs = [np.arange(1, 6, dtype=np.uint16), np.arange(6, 9, dtype=np.uint16)]
    batch = pack(docs, [np.full(5, 2, np.uint8), np.full(3, 2, np.uint8)], 12, 4, 0)
    assert batch.positions.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 0, 1, 2, 3]
    assert batch.bounds.tolist()[:4] == [0, 5, 8, 12]
    assert batch.kinds.tolist() == [2, 2, 2, 2, 255, 2, 2, 255, 255, 255, 255, 255]


def test_padding_on_the_right_changes_nothing() -> None:
    torch.manual_seed(0)
    model = Qwen2(SMALL).eval()
    row = torch.tensor([5, 9, 2, 7])
    alone = model.logits(row, torch.arange(4), rectangular(1))
    both = torch.tensor([[5, 9, 2, 7, 0, 0], [1, 2, 3, 4, 5, 6]])
    padded = model.logits(both.flatten(), torch.arange(6).repeat(2), rectangular(2)).view(2, 6, -1)[0, :4]
    assert torch.allclose(alone, padded, atol=1e-5)


def test_the_weight_file_reads_back(tok: Tokenizer, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Qwen2(SMALL)
    gguf.write(model, tok, tmp_path / "model.gguf")
    back, expected = gguf.read(tmp_path / "model.gguf").state_dict(), gguf.dequantized(model)
    assert back.keys() == expected.keys()
    for name, x in expected.items():
        assert torch.equal(back[name], x), name
    meta = gguf.Reader(tmp_path / "model.gguf").meta
    assert meta["tokenizer.ggml.tokens"][meta["tokenizer.ggml.eos_token_id"]] == "<|im_end|>"


def test_quantization_error_is_at_most_half_a_step() -> None:
    x = np.random.default_rng(1).standard_normal((8, 64)).astype(np.float32)
    scale, values = gguf.quantize(x)
    back = values.astype(np.float32) * scale.astype(np.float32)[:, None]
    step = np.abs(x.reshape(-1, 32)).max(axis=1, keepdims=True) / 127
    assert (np.abs(back - x.reshape(-1, 32)) <= step * 0.57).all()
