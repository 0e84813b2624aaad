"""Records by family, seed, split and difficulty; the training mixture."""

from __future__ import annotations

import random

from .families import AUXILIARY, FAMILIES
from .families.common import Ctx, combo_is_held
from .prompt import Record

# Passage question answering is the hard family and gets the largest share.
MIX = (("qa", 0.5), ("extract", 0.18), ("classify", 0.12), ("arithmetic", 0.07), ("react", 0.1), ("copying", 0.03))
DEMOS = (0, 0, 0, 0, 0, 0, 0, 1, 1, 2)
# In training a demo is one more reply to learn from, at less than a whole prompt's cost.
TRAIN_DEMOS = (0, 0, 0, 0, 1, 1, 2, 2, 3)
TRAIN_SEEDS, FRESH_SEEDS = 1_000_000_000, 3_000_000_000
# Both sets are held out alike. Failures are looked at in the first only, so that the second stays a fair judge.
DEV_SEEDS, HELDOUT_SEEDS = 7_000_000_000, 9_000_000_000


def record(family: str, seed: int, split: str = "train", level: float = 1.0, demos: tuple[int, ...] | None = None) -> Record:
    """One record. The same arguments give the same record."""
    ctx = Ctx(random.Random(seed), split, level)
    builders = {**FAMILIES, **AUXILIARY}
    while True:
        spec, case = builders[family](ctx)
        if combo_is_held(spec) == (split == "heldout"):
            break
        if family == "react" and split == "heldout" and ctx.chance(0.05):
            break  # its step outputs have fixed names: few combinations exist
    counts = demos or (TRAIN_DEMOS if split == "train" and family != "react" else DEMOS)
    shown = [case() for _ in range(ctx.pick(counts))]
    inputs, outputs = case()
    return Record(family, spec, inputs, outputs, shown)


def mixed(seed: int, level: float) -> Record:
    """One training record of the mixture."""
    rng = random.Random(seed * 2 + 1)
    at, family = rng.random(), MIX[-1][0]
    for name, share in MIX:
        if at < share:
            family = name
            break
        at -= share
    return record(family, TRAIN_SEEDS + seed, "train", level)
