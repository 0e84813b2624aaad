"""How right the network is on the held-out set: exact replies and parsable replies, by family."""

from __future__ import annotations

import json
import re
from typing import Any

import torch

from .model import Qwen2, rectangular
from .prompt import Record, Type, chat
from .tokenizer import Encoder

ROWS = 32
MAX_REPLY = 160


def fits(ty: Type, value: Any) -> bool:
    """Whether a JSON value has the type."""
    match ty.kind:
        case "option":
            return value is None or fits(ty.item, value)
        case "list":
            return isinstance(value, list) and all(fits(ty.item, v) for v in value)
        case "map":
            return isinstance(value, dict) and all(fits(ty.item, v) for v in value.values())
        case "struct":
            return isinstance(value, dict) and all(t.kind == "option" or n in value for n, t, _ in ty.fields) and all(fits(t, value[n]) for n, t, _ in ty.fields if n in value)
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "enum":
            return value in ty.variants
        case "json":
            return True
    return isinstance(value, str)


def parses(record: Record, text: str) -> bool:
    """Whether a reply has the record's output sections, in any state of rightness."""
    sections = dict(re.findall(r"(?m)^\[\[ ## (\w+) ## \]\]\n([\s\S]*?)(?=\n\n\[\[ ## )", text))
    for field in record.spec.outputs:
        ty = field.ty()
        raw = sections.get(field.name)
        if raw is None:
            return False
        bare = ty.item if ty.kind == "option" else ty
        if bare.kind in ("str", "enum", "char"):
            if bare.kind == "enum" and raw not in bare.variants and not (ty.kind == "option" and raw == "null"):
                return False
            continue
        try:
            if not fits(ty, json.loads(raw)):
                return False
        except ValueError:
            return False
    return text.rstrip().endswith("[[ ## completed ## ]]")


@torch.no_grad()
def next_tokens(model: Qwen2, rows: list[list[int]], counts: list[int]) -> list[list[int]]:
    """The best next token at the last `counts` positions of each row."""
    device = model.embed.weight.device
    width = max(map(len, rows))
    ids = torch.tensor([r + [0] * (width - len(r)) for r in rows], device=device)
    positions = torch.arange(width, device=device).repeat(len(rows))
    hidden = model.hidden(ids.flatten(), positions, rectangular(len(rows))).view(len(rows), width, -1)
    wanted = torch.cat([hidden[i, len(r) - n : len(r)] for i, (r, n) in enumerate(zip(rows, counts))])
    best = (wanted @ model.embed.weight.T).argmax(-1).tolist()
    return [[best.pop(0) for _ in range(n)] for n in counts]


def greedy(model: Qwen2, prompts: list[list[int]], end: int, limit: int = MAX_REPLY) -> list[list[int]]:
    """Greedy replies, without the end token. No cache: simple, and few rows need it."""
    replies: list[list[int]] = [[] for _ in prompts]
    for at in range(0, len(prompts), ROWS):
        open_rows = list(range(at, min(at + ROWS, len(prompts))))
        for _ in range(limit):
            picked = next_tokens(model, [prompts[i] + replies[i] for i in open_rows], [1] * len(open_rows))
            still = []
            for i, (token,) in zip(open_rows, picked):
                if token != end:
                    replies[i].append(token)
                    if len(prompts[i]) + len(replies[i]) < model.c.max_position_embeddings:
                        still.append(i)
            open_rows = still
            if not open_rows:
                break
    return replies


def evaluate(model: Qwen2, encoder: Encoder, records: list[Record], decode: bool = True) -> tuple[dict[str, tuple[int, int, int]], list[tuple[Record, str]]]:
    """By family: records, exact, parsed; and the wrong replies.

    A reply is exact when the best token is the right one at each of its positions: the same as greedy decoding. Only the others are decoded
    (without `decode` they count as not parsed).
    """
    prompts = [encoder.prompt(chat(r)[0]) for r in records]
    answers = [[*encoder.text(chat(r)[1]), encoder.end] for r in records]
    exact = [False] * len(records)
    order = sorted(range(len(records)), key=lambda i: len(prompts[i]))
    for at in range(0, len(records), ROWS):
        some = order[at : at + ROWS]
        best = next_tokens(model, [prompts[i] + answers[i][:-1] for i in some], [len(answers[i]) for i in some])
        for i, tokens in zip(some, best):
            exact[i] = tokens == answers[i]
    wrong = [i for i, ok in enumerate(exact) if not ok and decode]
    texts = [encoder.tokenizer.decode(ids, skip_special_tokens=False) for ids in greedy(model, [prompts[i] for i in wrong], encoder.end)]
    parsed = dict(zip(wrong, (parses(records[i], t) for i, t in zip(wrong, texts))))
    table: dict[str, tuple[int, int, int]] = {}
    for i, r in enumerate(records):
        n, good, ok = table.get(r.family, (0, 0, 0))
        table[r.family] = (n + 1, good + exact[i], ok + (exact[i] or parsed.get(i, False)))
    return table, [(records[i], t) for i, t in zip(wrong, texts)]


def show(table: dict[str, tuple[int, int, int]]) -> str:
    """The table as text."""
    lines = ["family        n   exact  parsed"]
    for family, (n, good, ok) in table.items():
        lines.append(f"{family:<10} {n:>4}  {100 * good / n:5.1f}%  {100 * ok / n:5.1f}%")
    return "\n".join(lines)
