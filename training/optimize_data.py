"""Data for `examples/optimize`: questions about a passage, a third of which it does not answer, where the answer is "n/a".

`python3 -m training.optimize_data examples/data/unanswered` writes `train.jsonl`, `dev.jsonl` and `heldout.jsonl`. All three are of the
split that the embedded model never saw, of seeds apart, and share neither passage nor question.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from .families.common import Ctx
from .families.qa import _case

SIZES = {"train": 40, "dev": 40, "heldout": 120}
SEEDS = {"train": 21_000_000_000, "dev": 22_000_000_000, "heldout": 23_000_000_000}
UNANSWERED = 0.35


def main(folder: Path) -> None:
    """Writes the three files."""
    folder.mkdir(parents=True, exist_ok=True)
    seen: set[str] = set()
    for name, size in SIZES.items():
        lines = []
        seed = SEEDS[name]
        while len(lines) < size:
            ctx = Ctx(random.Random(seed), "heldout")
            seed += 1
            passage, question, answer, *_ = _case(ctx, "null" if ctx.chance(UNANSWERED) else "str")
            if passage in seen or question in seen:
                continue
            seen |= {passage, question}
            record = {"passage": passage, "question": question, "answer": "n/a" if answer is None else answer}
            lines.append(json.dumps(record, ensure_ascii=False) + "\n")
        (folder / f"{name}.jsonl").write_text("".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
