"""Writes the network as a GGUF file: Q8_0 matrices, F32 norms and biases, the tokenizer in the metadata."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from .model import Config, Qwen2

F32, Q8_0 = 0, 8
ALIGN, BLOCK = 32, 32
NORMAL, CONTROL = 1, 3
NAMES = {"attn_norm": "attn_norm", "ffn_norm": "ffn_norm", "q": "attn_q", "k": "attn_k", "v": "attn_v", "o": "attn_output",
         "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down"}


def tensor_name(name: str) -> str:
    """llama.cpp's name of a parameter."""
    if name == "embed.weight":
        return "token_embd.weight"
    if name == "norm.weight":
        return "output_norm.weight"
    _, layer, part, kind = name.split(".")
    return f"blk.{layer}.{NAMES[part]}.{kind}"


def quantize(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scales (f16) and int8 values of the blocks of 32, as ggml computes them."""
    blocks = x.reshape(-1, BLOCK).astype(np.float32)
    scale = np.abs(blocks).max(axis=1) / np.float32(127)
    inverse = np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale > 0)
    scaled = blocks * inverse[:, None]
    values = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.int8)
    return scale.astype(np.float16), values


def dequantized(model: Qwen2) -> dict[str, torch.Tensor]:
    """The state dict with its matrices as they come back from Q8_0."""
    out = {}
    for name, p in model.state_dict().items():
        x = p.detach().float().cpu()
        if x.ndim == 2:
            scale, values = quantize(x.numpy())
            x = torch.from_numpy((values.astype(np.float32) * scale.astype(np.float32)[:, None]).reshape(x.shape))
        out[name] = x
    return out


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(value: object) -> bytes:
    """A metadata value with its type id. Ints are u32; lists hold strings or i32."""
    match value:
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + _string(value)
        case [str(), *_]:
            return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_string, value))
        case [int(), *_]:
            return struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)
    raise TypeError(f"no metadata type for {value!r}")


def metadata(c: Config, tokenizer: Tokenizer) -> dict[str, object]:
    """llama.cpp's keys for a Qwen2 model and its tokenizer."""
    raw = json.loads(tokenizer.to_str())
    by_id = sorted(tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1])
    special = {t["content"] for t in raw["added_tokens"]}
    merges = [m if isinstance(m, str) else " ".join(m) for m in raw["model"]["merges"]]
    return {
        "general.architecture": "qwen2",
        "general.name": "candle-signature-embedded",
        "general.file_type": 7,
        "general.quantization_version": 2,
        "qwen2.context_length": c.max_position_embeddings,
        "qwen2.embedding_length": c.hidden_size,
        "qwen2.block_count": c.num_hidden_layers,
        "qwen2.feed_forward_length": c.intermediate_size,
        "qwen2.attention.head_count": c.num_attention_heads,
        "qwen2.attention.head_count_kv": c.num_key_value_heads,
        "qwen2.attention.layer_norm_rms_epsilon": c.rms_norm_eps,
        "qwen2.rope.freq_base": c.rope_theta,
        "qwen2.vocab_size": c.vocab_size,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": [t for t, _ in by_id],
        "tokenizer.ggml.token_type": [CONTROL if t in special else NORMAL for t, _ in by_id],
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": tokenizer.token_to_id("<|endoftext|>"),
        "tokenizer.ggml.eos_token_id": tokenizer.token_to_id("<|im_end|>"),
        "tokenizer.ggml.padding_token_id": tokenizer.token_to_id("<|endoftext|>"),
        "tokenizer.ggml.add_bos_token": False,
    }


def write(model: Qwen2, tokenizer: Tokenizer, path: Path) -> None:
    """Writes the file."""
    meta = metadata(model.c, tokenizer)
    infos, datas, offset = [], [], 0
    for name, p in model.state_dict().items():
        x = p.detach().float().cpu().numpy()
        if x.ndim == 2:
            scale, values = quantize(x)
            data = np.concatenate([scale.view(np.uint8).reshape(-1, 2), values.view(np.uint8)], axis=1).tobytes()
            kind = Q8_0
        else:
            data, kind = x.tobytes(), F32
        dims = x.shape[::-1]
        infos.append(_string(tensor_name(name)) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset))
        datas.append(data + b"\0" * (-len(data) % ALIGN))
        offset += len(datas[-1])
    head = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(meta))
    head += b"".join(_string(k) + _value(v) for k, v in meta.items()) + b"".join(infos)
    path.write_bytes(head + b"\0" * (-len(head) % ALIGN) + b"".join(datas))


class Reader:
    """Reads what `write` wrote, for a look at the file itself."""

    def __init__(self, path: Path) -> None:
        self.raw, self.at = path.read_bytes(), 4
        _, tensors, entries = self.take("<IQQ")
        self.meta = {self.string(): self.value(*self.take("<I")) for _ in range(entries)}
        infos = []
        for _ in range(tensors):
            name, (rank,) = self.string(), self.take("<I")
            infos.append((name, self.take(f"<{rank}Q")[::-1], *self.take("<IQ")))
        start = self.at + -self.at % ALIGN
        self.tensors = {name: self.tensor(shape, kind, start + offset) for name, shape, kind, offset in infos}

    def take(self, form: str) -> tuple:
        """Numbers at the current place."""
        out = struct.unpack_from(form, self.raw, self.at)
        self.at += struct.calcsize(form)
        return out

    def string(self) -> str:
        """A string at the current place."""
        (size,) = self.take("<Q")
        self.at += size
        return self.raw[self.at - size : self.at].decode()

    def value(self, kind: int) -> object:
        """A metadata value of a kind."""
        if kind == 9:
            item, count = self.take("<IQ")
            return [self.value(item) for _ in range(count)]
        return self.string() if kind == 8 else self.take({4: "<I", 5: "<i", 6: "<f", 7: "<?"}[kind])[0]

    def tensor(self, shape: tuple[int, ...], kind: int, at: int) -> torch.Tensor:
        """A tensor in f32."""
        count = int(np.prod(shape))
        if kind == F32:
            return torch.from_numpy(np.frombuffer(self.raw, np.float32, count, at).reshape(shape).copy())
        rows = np.frombuffer(self.raw, np.uint8, count // BLOCK * (BLOCK + 2), at).reshape(-1, BLOCK + 2)
        scale = rows[:, :2].copy().view(np.float16).astype(np.float32)
        return torch.from_numpy((rows[:, 2:].view(np.int8) * scale).reshape(shape))


def read(path: Path) -> Qwen2:
    """The network in a file."""
    reader = Reader(path)
    meta = reader.meta
    config = Config(
        vocab_size=meta["qwen2.vocab_size"], hidden_size=meta["qwen2.embedding_length"], intermediate_size=meta["qwen2.feed_forward_length"],
        num_hidden_layers=meta["qwen2.block_count"], num_attention_heads=meta["qwen2.attention.head_count"],
        num_key_value_heads=meta["qwen2.attention.head_count_kv"], max_position_embeddings=meta["qwen2.context_length"],
    )
    model = Qwen2(config)
    model.load_state_dict({name: reader.tensors[tensor_name(name)] for name in model.state_dict()})
    return model.eval()
