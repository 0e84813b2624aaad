"""One run: tokenizer, data, training, export and evaluation. `python -m training.train --out DIR`."""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing as mp
import os
import time
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Iterable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import gguf, heldout, tokenizer as bpe
from .data import LONGEST, SHARD, Batch, batches, pack
from .evaluate import evaluate, greedy, show
from .families import FAMILIES
from .generate import DEV_SEEDS, FRESH_SEEDS, mixed, record
from .model import Config, Qwen2, rectangular, varlen
from .prompt import Record, chat
from .step import Step
from .tokenizer import DEMO, REPLY, Encoder

STARTED = time.time()
BPE_RECORDS, BPE_FROM = 48_000, 500_000_000
MEAN_LENGTH = 315
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def log(text: str) -> None:
    """A line with the time since the start."""
    print(f"[{time.time() - STARTED:6.1f}s] {text}", flush=True)


def bpe_texts(chunk: int) -> list[str]:
    """Message texts for the tokenizer, at every difficulty."""
    out = []
    for i in range(chunk * 1000, (chunk + 1) * 1000):
        messages, answer = chat(mixed(BPE_FROM + i, (i % 10 + 1) / 10))
        out += [f"{role}\n{content}" for role, content in messages] + ["assistant\n" + answer]
    return out


def make_tokenizer(pool: Pool, size: int, records: int) -> "bpe.Tokenizer":
    """The BPE, from generated prompts."""
    return bpe.train([t for part in pool.imap(bpe_texts, range(records // 1000)) for t in part], size)


def weigh(kinds: Tensor, prompt: Tensor) -> Tensor:
    """Loss weights of the target tokens; padding and document ends count for nothing."""
    return torch.where(kinds == REPLY, 1.0, torch.where(kinds == DEMO, 0.8, torch.where(kinds == 0, prompt, 0.0)))


def head_loss(x: Tensor, norm: nn.Module, embed: Tensor, targets: Tensor, kinds: Tensor, prompt: Tensor) -> Tensor:
    """Weighted cross entropy after the last block."""
    each = F.cross_entropy(F.linear(norm(x), embed).float(), targets, reduction="none")
    weights = weigh(kinds, prompt)
    return (each * weights).sum() / weights.sum()


def block_step(block: nn.Module, x: Tensor, cos: Tensor, sin: Tensor, bounds: Tensor) -> Tensor:
    """One block over packed documents."""
    return block(x, cos, sin, varlen(bounds, LONGEST))


class Loss:
    """The loss of a packed batch. Blocks are compiled once and not as one graph: minutes become seconds."""

    def __init__(self, model: Qwen2) -> None:
        self.model = model
        self.block = torch.compile(block_step, dynamic=False)
        self.head = torch.compile(head_loss, dynamic=False)

    def __call__(self, batch: Batch, prompt: Tensor) -> Tensor:
        model = self.model
        with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
            cos, sin = model.cos[batch.positions][:, None], model.sin[batch.positions][:, None]
            x = model.embed(batch.ids).bfloat16()
            for block in model.blocks:
                x = self.block(block, x, cos, sin, batch.bounds)
            return self.head(x, model.norm, model.embed.weight, batch.targets, batch.kinds, prompt)


def rate_at(step: int, steps: int, warmup: int = 150, hold: float = 0.1) -> float:
    """Learning-rate factor: a short warm-up, a plateau, then a line down to zero."""
    if step < warmup:
        return (step + 1) / warmup
    return min(1.0, (1 - step / steps) / (1 - hold))


def compiled_loss(model: Qwen2, args: argparse.Namespace) -> Loss:
    """The loss, compiled before the workers take the processors."""
    loss_of, device = Loss(model), model.embed.weight.device
    doc, kinds = np.arange(200, dtype=np.uint16), np.full(200, REPLY, np.uint8)
    count = args.tokens // 200
    batch = pack([doc] * count, [kinds] * count, args.tokens, args.tokens // 100, 0).to(device)
    loss_of(batch, torch.tensor(0.1, device=device)).backward()
    model.zero_grad(set_to_none=True)
    torch.cuda.synchronize()
    log("compiled")
    return loss_of


def fit(step_of: Step, stream: Iterable[Batch], args: argparse.Namespace) -> None:
    """The training loop."""
    steps, begun, mark = args.steps, 0.0, 0
    for step, host in enumerate(stream):
        if step >= steps:
            break
        # Predicting the prompt teaches words at first; later it would only drown the reply's signal.
        step_of(host, args.prompt_weight * max(0.05, 1 - 3 * step / steps), rate_at(step, steps, hold=args.hold))
        if step == 50:
            torch.cuda.synchronize()
            begun, mark = time.time(), step
        if step % 250 == 249:
            mean = step_of.mean_loss(250)
            each = (time.time() - begun) / (step - mark)
            log(f"step {step + 1}/{steps} loss {mean:.4f} {each * 1e3:.1f} ms/step {args.tokens / each / 1e6:.2f} M tokens/s")
            if not math.isfinite(mean):
                raise SystemExit("the loss is not finite")
            begun, mark = time.time(), step
            left = args.seconds - (time.time() - STARTED)
            if each * (steps - step) > left:
                steps = step + int(left / each)
                log(f"slower than planned: {steps} steps fit")
    torch.cuda.synchronize()
    log("trained")


@torch.no_grad()
def write_goldens(model: Qwen2, encoder: Encoder, records: list[Record], path: Path) -> None:
    """Greedy replies of the quantized weights in f32, and the five best logits after a few prompts (on the CPU)."""
    prompts = [encoder.prompt(chat(r)[0]) for r in records]
    cases: list[dict[str, object]] = [{"prompt": p, "reply": r} for p, r in zip(prompts, greedy(model, prompts, encoder.end))]
    model.cpu()
    for case, prompt in zip(cases, prompts[:4]):
        logits = model.logits(torch.tensor(prompt), torch.arange(len(prompt)), rectangular(1))[-1]
        best = logits.topk(5)
        case["top"] = [[int(t), float(v)] for t, v in zip(best.indices, best.values)]
    path.write_text("".join(json.dumps(case) + "\n" for case in cases))


def export(model: Qwen2, tok: "bpe.Tokenizer", out: Path) -> Qwen2:
    """Writes the weights, config and tokenizer; gives the network as it comes back from the file."""
    gguf.write(model, tok, out / "model.gguf")
    end, start = tok.token_to_id("<|im_end|>"), tok.token_to_id("<|endoftext|>")
    (out / "config.json").write_text(json.dumps(model.c.to_json(end, start), indent=2) + "\n")
    settings = {"chat_template": CHATML, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "model_max_length": model.c.max_position_embeddings}
    (out / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    back = Qwen2(model.c)
    back.load_state_dict(gguf.dequantized(model))
    return back.eval()


def main() -> None:
    """Parses the arguments and runs everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=16000)
    parser.add_argument("--tokens", type=int, default=65536, help="tokens a step")
    parser.add_argument("--vocab", type=int, default=Config.vocab_size)
    parser.add_argument("--layers", type=int, default=10)
    parser.add_argument("--muon-lr", type=float, default=0.012)
    parser.add_argument("--adam-lr", type=float, default=3.5e-3)
    parser.add_argument("--prompt-weight", type=float, default=0.03)
    parser.add_argument("--hold", type=float, default=0.1, help="share of the run at the full learning rate")
    parser.add_argument("--workers", type=int, default=max(1, min(10, (os.cpu_count() or 4) - 4)))
    parser.add_argument("--seconds", type=float, default=525, help="time by which training must end")
    parser.add_argument("--seed", type=int, default=20260)
    parser.add_argument("--bpe-records", type=int, default=BPE_RECORDS)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    # Forked before CUDA is touched; the workers use no torch.
    pool = mp.get_context("fork").Pool(args.workers, os.nice, (10,))
    torch.manual_seed(args.seed)
    torch.set_num_threads(2)
    torch.set_float32_matmul_precision("high")
    tok = make_tokenizer(pool, args.vocab, args.bpe_records)
    path = args.out / "tokenizer.json"
    bpe.save(tok, path)
    config = Config(num_hidden_layers=args.layers, vocab_size=tok.get_vocab_size())
    log(f"tokenizer: {config.vocab_size} entries")
    model = Qwen2(config).cuda()
    log(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters on {torch.cuda.get_device_name()}")
    loss_of = compiled_loss(model, args)
    shards = args.steps * args.tokens // (MEAN_LENGTH * SHARD) + 2
    fit(Step(model, loss_of, args.muon_lr, args.adam_lr), batches(pool, str(path), shards, args.tokens, args.tokens // 100, tok.token_to_id("<|endoftext|>")), args)
    pool.terminate()
    torch.set_float32_matmul_precision("highest")
    model.eval()
    quantized = export(model, tok, args.out)
    records = heldout.write_held_out(args.out / "heldout.jsonl.gz")
    encoder = Encoder(tok)
    log("f32, held out\n" + show(evaluate(model, encoder, records, False)[0]))
    development = heldout.held_out(seeds=DEV_SEEDS)
    quantized.cuda()
    fresh = [record(f, FRESH_SEEDS + i) for f in FAMILIES for i in range(heldout.PER_FAMILY)]
    log("quantized, fresh records of the training distribution\n" + show(evaluate(quantized, encoder, fresh, False)[0]))
    log("quantized, held out\n" + show(evaluate(quantized, encoder, records)[0]))
    table, wrong = evaluate(quantized, encoder, development)
    log("quantized, held out, for development\n" + show(table))
    with (args.out / "wrong.jsonl").open("w") as file:
        for r, text in wrong:
            file.write(json.dumps({**r.to_json(), "reply": text}, ensure_ascii=False) + "\n")
    write_goldens(quantized, encoder, records[:: len(records) // 40], args.out / "goldens.jsonl")
    log("done")


if __name__ == "__main__":
    main()
