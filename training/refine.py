"""Goes on training a finished model for a while, on a CPU if need be. `python -m training.refine --model DIR --out DIR`.

Long documents cost most there, so each has at most one demo and only the replies count.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from . import gguf, heldout
from .evaluate import evaluate, show
from .families import common
from .generate import record
from .model import Qwen2, rectangular
from .tokenizer import PROMPT, Encoder
from .train import export, write_goldens

SEEDS = 5_000_000_000
SHARES = {"qa": 0.3, "extract": 0.22, "classify": 0.07, "arithmetic": 0.02, "react": 0.07, "copying": 0.32}
# Unknown words are what a finished model still has to learn here.
UNKNOWN = {"UNKNOWN_WORDS": 0.5, "UNKNOWN_NAMES": 0.6, "NOISE": 0.15}
LONGEST = 420


def batch_of(encoder: Encoder, first: int, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded ids, and which of them are replies, of `rows` documents of like length."""
    rng = random.Random(first)
    docs = []
    for i in range(first, first + rows * 2):
        family = rng.choices(list(SHARES), list(SHARES.values()))[0]
        ids, kinds = encoder.record(record(family, SEEDS + i, "train", 1.0, (0, 0, 0, 1)))
        if len(ids) <= LONGEST:
            docs.append((ids, kinds))
    docs.sort(key=lambda d: len(d[0]))
    at = rng.randint(0, max(0, len(docs) - rows))
    chosen = docs[at : at + rows]
    width = max(len(ids) for ids, _ in chosen)
    ids = torch.zeros(len(chosen), width, dtype=torch.long)
    mask = torch.zeros(len(chosen), width, dtype=torch.bool)
    for row, (doc, kinds) in enumerate(chosen):
        ids[row, : len(doc)] = torch.tensor(list(doc))
        mask[row, : len(doc)] = torch.tensor([k != PROMPT for k in kinds])
    return ids, mask


def loss_of(model: Qwen2, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Cross entropy over the replies."""
    rows, width = ids.shape
    inputs, targets, wanted = ids[:, :-1], ids[:, 1:], mask[:, 1:]
    positions = torch.arange(width - 1).repeat(rows)
    hidden = model.hidden(inputs.flatten(), positions, rectangular(rows))[wanted.flatten()]
    return F.cross_entropy(F.linear(hidden, model.embed.weight), targets[wanted])


def main() -> None:
    """Parses the arguments, trains, exports and evaluates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="where in the stream of documents to start")
    args = parser.parse_args()
    vars(common).update(UNKNOWN)
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(args.model / "tokenizer.json"))
    encoder, model = Encoder(tokenizer), gguf.read(args.model / "model.gguf").train()
    matrices = [p for n, p in model.named_parameters() if not n.startswith("embed")]
    adam = torch.optim.AdamW(
        [{"params": matrices, "lr": args.rate}, {"params": [model.embed.weight], "lr": 7 * args.rate}], betas=(0.9, 0.98), eps=1e-5, weight_decay=0.0
    )
    start, running = time.time(), 0.0
    peaks = [g["lr"] for g in adam.param_groups]
    for step in range(args.steps):
        scale = min(1.0, (step + 1) / 20) * (1 - step / args.steps)
        for group, peak in zip(adam.param_groups, peaks):
            group["lr"] = peak * scale
        loss = loss_of(model, *batch_of(encoder, args.first + step * 1000, args.rows))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        adam.zero_grad(set_to_none=True)
        running += loss.item()
        if step % 100 == 99:
            export(model, tokenizer, args.out)
        if step % 20 == 19:
            print(f"[{time.time() - start:6.0f}s] step {step + 1}/{args.steps} loss {running / 20:.4f}", flush=True)
            running = 0.0
    (args.out / "tokenizer.json").write_text((args.model / "tokenizer.json").read_text())
    quantized = export(model.eval(), tokenizer, args.out)
    records = heldout.write_held_out(args.out / "heldout.jsonl.gz")
    print(show(evaluate(quantized, encoder, records)[0]))
    write_goldens(quantized, encoder, records[:: len(records) // 40], args.out / "goldens.jsonl")


if __name__ == "__main__":
    main()
