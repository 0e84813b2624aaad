"""The Qwen2 architecture over a flat run of tokens, with attention kept within each document."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Config:
    """Sizes; the names are those of Qwen2's config.json."""

    vocab_size: int = 4096
    hidden_size: int = 256
    intermediate_size: int = 768
    num_hidden_layers: int = 10
    num_attention_heads: int = 8
    num_key_value_heads: int = 4
    max_position_embeddings: int = 1024
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-6

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_attention_heads

    def to_json(self, end: int, start: int) -> dict[str, object]:
        """The contents of config.json; `end` is the id of `<|im_end|>`, `start` that of `<|endoftext|>`."""
        return {
            "architectures": ["Qwen2ForCausalLM"],
            "model_type": "qwen2",
            **asdict(self),
            "attention_dropout": 0.0,
            "bos_token_id": start,
            "eos_token_id": end,
            "hidden_act": "silu",
            "initializer_range": 0.02,
            "tie_word_embeddings": True,
            "torch_dtype": "float32",
            "use_cache": True,
            "use_sliding_window": False,
        }


class RmsNorm(nn.Module):
    """Root mean square normalization with a scale."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalizes the last dimension, in f32."""
        wide = x.float()
        return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps) * self.weight).to(x.dtype)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding, NeoX style: the first half of a head is paired with the second."""
    a, b = x.float().chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).to(x.dtype)


class Block(nn.Module):
    """Attention and gated feed-forward, each behind a norm and added back."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        self.c = c
        kv = c.num_key_value_heads * c.head_dim
        self.attn_norm, self.ffn_norm = RmsNorm(c.hidden_size, c.rms_norm_eps), RmsNorm(c.hidden_size, c.rms_norm_eps)
        self.q = nn.Linear(c.hidden_size, c.hidden_size)
        self.k, self.v = nn.Linear(c.hidden_size, kv), nn.Linear(c.hidden_size, kv)
        self.o = nn.Linear(c.hidden_size, c.hidden_size, bias=False)
        self.gate = nn.Linear(c.hidden_size, c.intermediate_size, bias=False)
        self.up = nn.Linear(c.hidden_size, c.intermediate_size, bias=False)
        self.down = nn.Linear(c.intermediate_size, c.hidden_size, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, attend: Attend) -> Tensor:
        """`x` is (tokens, hidden)."""
        c, h = self.c, self.attn_norm(x)
        q = rotate(self.q(h).view(-1, c.num_attention_heads, c.head_dim), cos, sin)
        k = rotate(self.k(h).view(-1, c.num_key_value_heads, c.head_dim), cos, sin)
        v = self.v(h).view(-1, c.num_key_value_heads, c.head_dim)
        x = x + self.o(attend(q, k, v).reshape(x.shape[0], -1))
        h = self.ffn_norm(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Qwen2(nn.Module):
    """The network; the output matrix is the embedding."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        self.c = c
        self.embed = nn.Embedding(c.vocab_size, c.hidden_size)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.num_hidden_layers))
        self.norm = RmsNorm(c.hidden_size, c.rms_norm_eps)
        inv = c.rope_theta ** (-torch.arange(0, c.head_dim, 2, dtype=torch.float64) / c.head_dim)
        angles = torch.arange(c.max_position_embeddings, dtype=torch.float64)[:, None] * inv
        self.register_buffer("cos", angles.cos().float(), persistent=False)
        self.register_buffer("sin", angles.sin().float(), persistent=False)
        self.reset()

    def reset(self) -> None:
        """Initial weights; what writes to the residual stream starts small."""
        deep = 1 / math.sqrt(2 * self.c.num_hidden_layers)
        for name, p in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(p)
            elif p.ndim == 2:
                std = 0.02 if name.startswith("embed") else 0.5 / math.sqrt(p.shape[1])
                nn.init.normal_(p, std=std * (deep if ".o." in name or ".down." in name else 1))

    def hidden(self, ids: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        """Final hidden states of a flat run of tokens."""
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, cos, sin, attend)
        return self.norm(x)

    def logits(self, ids: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        """Scores of the next token at each position."""
        return F.linear(self.hidden(ids, positions, attend), self.embed.weight)


def varlen(bounds: Tensor, longest: int) -> Attend:
    """Causal attention within documents by the flash kernel (CUDA, half precision); `bounds` are cumulative lengths."""
    from torch.nn.attention.varlen import varlen_attn

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        repeat = q.shape[1] // k.shape[1]
        k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
        q, k, v = (t.to(torch.bfloat16) for t in (q, k, v))
        return varlen_attn(q, k, v, bounds, bounds, longest, longest, window_size=(-1, 0))

    return attend


def rectangular(rows: int) -> Attend:
    """Causal attention over `rows` documents padded on the right to one length."""

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        heads, size = q.shape[1], q.shape[2]
        repeat = heads // k.shape[1]
        k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
        q, k, v = (t.view(rows, -1, heads, size).transpose(1, 2) for t in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(-1, heads, size)

    return attend
