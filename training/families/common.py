"""What every family shares: the random context, splits, field naming and description choice."""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Callable, Sequence, TypeVar

from ..prompt import Field, Spec
from .. import words as w
from .patterns import Patterns

T = TypeVar("T")
Case = tuple[dict[str, Any], dict[str, Any]]
Built = tuple[Spec, Callable[[], Case]]

HELD_COMBOS = 8
UNKNOWN_WORDS, UNKNOWN_NAMES, NOISE = 0.22, 0.3, 0.03
CANONICAL = {
    ("answer", "passage", "question"), ("answer", "confidence", "passage", "question"), ("owner", "tags", "ticket", "urgency"),
    ("label", "text"), ("sentiment", "text"), ("sentiment", "review"), ("answer", "context", "question"),
    ("answer", "question", "reasoning"), ("answer", "problem", "reasoning"), ("intent", "message"),
}


@lru_cache(maxsize=4096)
def split_templates(items: tuple[T, ...], every: int = 5) -> tuple[list[T], list[T]]:
    """What training uses and what is held out: one in `every`, and of shorter lists nothing.

    Held out are those of the second half whose words are best known from the others: a sentence is new, its words need not
    be. The first half holds what people say most.
    """
    train, held = list(items), []
    if len(set(items)) < every:
        return train, train
    words = {item: set(re.findall(r"\w+", str(item).lower())) for item in items}
    candidates = list(items[len(items) // 2 :])
    for _ in range(len(items) // every):

        def unknown(item: T) -> int:
            others = set().union(*(words[t] for t in train if t != item))
            return len(words[item] - others)

        best = min(reversed([c for c in candidates if c in train]), key=unknown)
        held.append(best)
        train = [t for t in train if t != best]
    return train, held


@dataclass
class Ctx:
    """Randomness, split (`train` or `heldout`) and difficulty (0 to 1)."""

    rng: random.Random
    split: str = "train"
    level: float = 1.0

    def pick(self, items: "Sequence[T] | w.Pool") -> T:
        """One entry; of a pool, one of this split's, and in training at times a word that nobody knows."""
        if isinstance(items, w.Pool):
            seq = items.of(self.split)
            if items.open and self.split == "train" and self.rng.random() < UNKNOWN_WORDS:
                return w.invented(self.rng, 0, seq[0][0].isupper())  # type: ignore[return-value]
        else:
            seq = items
        return seq[int(self.rng.random() * len(seq))]

    def phrase(self, items: "Sequence[T] | Patterns") -> T:
        """One template of this split."""
        if isinstance(items, Patterns):
            return items.draw(self.split, self.rng.random(), self.rng.random())  # type: ignore[return-value]
        train, held = split_templates(tuple(items))
        seq = held if self.split == "heldout" else train
        return seq[int(self.rng.random() * len(seq))]

    def noisy(self, template: str) -> str:
        """The template; in training at times with one of its words replaced by one that nobody knows."""
        if self.split != "train" or self.rng.random() >= NOISE:
            return template
        words = template.split(" ")
        spots = [i for i, word in enumerate(words) if word.isalpha() and word.islower()]
        if spots and len(words) > 2:
            words[self.pick(spots)] = w.invented(self.rng, 1, False)
        return " ".join(words)

    def chance(self, p: float) -> bool:
        """True with probability `p`."""
        return self.rng.random() < p

    def sample(self, items: "Sequence[T] | w.Pool", k: int) -> list[T]:
        """`k` distinct entries."""
        seq = items.of(self.split) if isinstance(items, w.Pool) else items
        chosen = self.rng.sample(seq, min(k, len(seq)))
        if isinstance(items, w.Pool) and items.open and self.split == "train":
            chosen = [w.invented(self.rng, 0, c[0].isupper()) if self.rng.random() < UNKNOWN_WORDS else c for c in chosen]
        return chosen

    def int(self, lo: int, hi: int) -> int:
        """An integer in `lo..=hi`."""
        return lo + int(self.rng.random() * (hi - lo + 1))

    def sub(self, seed: int) -> "Ctx":
        """A context with its own stream of randomness."""
        return Ctx(random.Random(seed), self.split, self.level)


def combo_is_held(spec: Spec) -> bool:
    """Whether a combination of field names is set aside for the held-out split."""
    names = tuple(sorted(f.name for f in spec.inputs + spec.outputs))
    if names in CANONICAL:
        return False
    return hashlib.md5("|".join(names).encode()).digest()[0] % HELD_COMBOS == 0


def person(ctx: Ctx) -> tuple[str, str]:
    """A name and a pronoun; some names are invented, some carry a surname."""
    female = ctx.chance(0.5)
    if ctx.chance(UNKNOWN_NAMES):
        name = w.invented(ctx.rng)
    else:
        name = ctx.pick(w.FEMALE if female else w.MALE)
    if ctx.chance(0.22):
        name += " " + (ctx.pick(w.SURNAMES) if ctx.chance(0.75) else w.invented(ctx.rng))
    return name, "she" if female else "he"


def first_name(ctx: Ctx) -> str:
    """A given name alone."""
    return w.invented(ctx.rng) if ctx.chance(UNKNOWN_NAMES) else ctx.pick(w.FEMALE if ctx.chance(0.5) else w.MALE)


def place(ctx: Ctx) -> str:
    """A town, known or invented."""
    return w.invented(ctx.rng) if ctx.chance(UNKNOWN_NAMES) else ctx.pick(w.PLACES)


def company(ctx: Ctx) -> str:
    """A company's name."""
    head = w.invented(ctx.rng) if ctx.chance(0.6) else ctx.pick(w.SURNAMES)
    return f"{head} {ctx.pick(w.COMPANY_TAILS)}" if ctx.chance(0.7) else head


def article(noun: str) -> str:
    """The noun with its indefinite article."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def join_and(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def cap(text: str) -> str:
    """The text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


_PREFIXES = ("input", "the", "raw", "user", "my", "given", "source", "new", "current", "main", "final", "first", "found")
_SUFFIXES = ("text", "field", "value", "data", "in", "out", "info", "result", "item", "x")


def naming(ctx: Ctx, synonyms: Sequence[str], odd: float = 0.12) -> str:
    """A field name: mostly a synonym as it is, sometimes decorated or in camel case."""
    name = ctx.pick(synonyms)
    r = ctx.rng.random()
    if r < odd * 0.4:
        name = f"{ctx.pick(_PREFIXES)}_{name}"
    elif r < odd * 0.8:
        name = f"{name}_{ctx.pick(_SUFFIXES)}"
    elif r < odd and "_" in name:
        head, *tail = name.split("_")
        name = head + "".join(map(cap, tail))
    return name


def describe(ctx: Ctx, options: Sequence[str], p: float = 0.5) -> str:
    """A description with probability `p`."""
    return ctx.pick(options) if options and ctx.chance(p) else ""


def distinct(fields: Sequence[Field]) -> bool:
    """Whether all names differ and none is reserved."""
    names = [f.name for f in fields]
    return len(set(names)) == len(names) and "completed" not in names
