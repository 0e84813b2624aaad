"""Training data in shards made by worker processes, and batches of whole documents packed to one length."""

from __future__ import annotations

import queue
import random
import threading
from array import array
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.pool import Pool
from typing import Iterator

import numpy as np
import torch
from tokenizers import Tokenizer

from .generate import mixed
from .tokenizer import Encoder

SHARD = 2048
LONGEST = 1024
RESPELLED = 0.4


@dataclass
class Batch:
    """A flat run of tokens: ids, next ids, positions, kinds of the next ids, cumulative lengths."""

    ids: torch.Tensor
    targets: torch.Tensor
    positions: torch.Tensor
    kinds: torch.Tensor
    bounds: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        return Batch(*(t.to(device, non_blocking=True) for t in vars(self).values()))


def level_at(progress: float) -> float:
    """Difficulty over the run: easy worlds first, everything from a third of the run on."""
    return min(1.0, 0.1 + progress / 0.35)


@lru_cache(maxsize=1)
def encoder_of(path: str) -> Encoder:
    """A worker's encoder."""
    return Encoder(Tokenizer.from_file(path))


def shard(task: tuple[str, int, float]) -> tuple[bytes, bytes, list[int]]:
    """The documents of one shard (tokenizer file, index, difficulty): ids, kinds, lengths."""
    path, index, level = task
    encoder = encoder_of(path)
    ids, kinds, lengths = array("H"), bytearray(), []
    for i in range(index * SHARD, (index + 1) * SHARD):
        rng = random.Random(i * 3 + 2)
        doc, marks = encoder.record(mixed(i, level), rng if rng.random() < RESPELLED else None)
        if len(doc) <= LONGEST:
            ids.extend(doc)
            kinds += marks
            lengths.append(len(doc))
    return ids.tobytes(), bytes(kinds), lengths


def pack(ids: list[np.ndarray], kinds: list[np.ndarray], tokens: int, documents: int, pad: int) -> Batch:
    """One batch of whole documents; what is left over is padding that counts for nothing."""
    lengths = [len(i) for i in ids]
    used = sum(lengths)
    flat = np.full(tokens + 1, pad, np.int64)
    flat[:used] = np.concatenate(ids)
    marks = np.full(tokens + 1, 255, np.uint8)
    marks[:used] = np.concatenate(kinds)
    ends = np.cumsum(lengths)
    starts = np.concatenate([[0], ends[:-1]])
    target_kinds = marks[1:].copy()
    target_kinds[ends - 1] = 255
    positions = np.zeros(tokens, np.int64)
    positions[:used] = np.arange(used) - np.repeat(starts, lengths)
    # The padding is documents too: the attention kernel leaves what lies in none of them unwritten.
    spare = [min(LONGEST, tokens - at) for at in range(used, tokens, LONGEST)]
    for at in range(used, tokens, LONGEST):
        positions[at : at + LONGEST] = np.arange(min(LONGEST, tokens - at))
    bounds = np.full(documents + 2 + tokens // LONGEST, tokens, np.int32)
    bounds[: len(ends) + 1 + len(spare)] = np.cumsum([0, *lengths, *spare])
    return Batch(*(torch.from_numpy(a) for a in (flat[:-1].copy(), flat[1:].copy(), positions, target_kinds, bounds)))


def batches(pool: Pool, tokenizer: str, shards: int, tokens: int, documents: int, pad: int) -> Iterator[Batch]:
    """The batches of a run in a fixed order, made ahead by the pool's processes."""
    ready: queue.Queue[Batch | None] = queue.Queue(maxsize=256)

    def feed() -> None:
        held: list[tuple[np.ndarray, np.ndarray]] = []
        total = 0
        tasks = [(tokenizer, i, level_at(i / shards)) for i in range(shards)]
        for raw_ids, raw_kinds, sizes in pool.imap(shard, tasks):
            ids, kinds, at = np.frombuffer(raw_ids, np.uint16), np.frombuffer(raw_kinds, np.uint8), 0
            for size in sizes:
                if total + size > tokens or len(held) == documents:
                    ready.put(pack([i for i, _ in held], [k for _, k in held], tokens, documents, pad))
                    held, total = [], 0
                held.append((ids[at : at + size], kinds[at : at + size]))
                total += size
                at += size
        ready.put(None)

    threading.Thread(target=feed, daemon=True).start()
    while (batch := ready.get()) is not None:
        yield batch
