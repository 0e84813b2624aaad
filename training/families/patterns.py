"""Sentence patterns: alternations that expand to many templates, of which a part is held out.

`(a|b)` stands for either, `[a]` for `a` or nothing. Held out is a fixed fifth of the templates, by hash, as far as each of its
words occurs in a template of the same list that is trained on: the sentence is new, its words are not.
"""

from __future__ import annotations

import hashlib
import re

HELD = 5


def expand(pattern: str) -> list[str]:
    """Every text that a pattern stands for, in order and without repeats."""
    inner = re.search(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]", pattern)
    if not inner:
        return [re.sub(r" +", " ", pattern).replace(" .", ".").replace(" ,", ",").replace(" ?", "?").strip()]
    choices = inner[1].split("|") if inner[1] is not None else [*inner[2].split("|"), ""]
    made = (expand(pattern[: inner.start()] + c + pattern[inner.end() :]) for c in choices)
    return list(dict.fromkeys(t for part in made for t in part))


def words(template: str) -> set[str]:
    """The words of a template, slots included."""
    return set(re.findall(r"[\w']+", template.lower()))


def held_by_hash(template: str) -> bool:
    """Whether a template falls into the held-out part, its words aside."""
    return hashlib.md5(template.encode()).digest()[0] % HELD == 0


class Patterns:
    """A list of patterns: drawn from pattern by pattern in training, template by template when held out."""

    def __init__(self, *sources: str) -> None:
        self.sources = [expand(s) for s in sources]
        every = list(dict.fromkeys(t for s in self.sources for t in s))
        known = set().union(*(words(t) for t in every if not held_by_hash(t)), set())
        self.held = [t for t in every if held_by_hash(t) and words(t) <= known]
        held = set(self.held)
        self.train = [kept for s in self.sources if (kept := [t for t in s if t not in held])]
        self.every = every

    def draw(self, split: str, roll: float, roll2: float) -> str:
        """A template of a split; `roll` and `roll2` are in 0..1."""
        if split == "heldout" and self.held:
            return self.held[int(roll * len(self.held))]
        source = self.train[int(roll * len(self.train))]
        return source[int(roll2 * len(source))]

    def __iter__(self):
        return iter(self.every)

    def __len__(self) -> int:
        return len(self.every)
