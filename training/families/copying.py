"""Copying: a text repeated, or its words as a list. Words are mostly unknown ones, so that every token learns to be copied."""

from __future__ import annotations

from typing import Any

from .. import words as w
from ..prompt import Field, Spec
from .common import Built, Case, Ctx, describe, distinct, join_and, naming

TEXT = "text input message words line source content phrase".split()
COPY = "copy output repeated echo same_text result quote".split()
LIST = "words items parts list names entries".split()
REPEAT = ["Repeat the text.", "Copy the text.", "Write the text again.", "Give back the text as it is.", "Echo the input.", "Repeat the input word by word."]
SPLIT = ["List the words.", "Give the words as a list.", "List the items.", "Split the text into its items.", "Make a list of what is named.", "List what is named."]


def _word(ctx: Ctx) -> str:
    if ctx.chance(0.8):
        return w.invented(ctx.rng, 0, ctx.chance(0.5))
    return ctx.pick(ctx.pick((w.OBJECTS, w.FEMALE, w.PLACES, w.FOODS, w.JOBS)))


def build(ctx: Ctx) -> Built:
    """A copying signature and its cases."""
    listing = ctx.chance(0.4)
    text = Field(naming(ctx, TEXT), "String", describe(ctx, ("The text.", "What to copy."), 0.3))
    out = Field(naming(ctx, LIST if listing else COPY), "Vec<String>" if listing else "String", describe(ctx, ("From the text.", "In order."), 0.3))
    spec = Spec("Copy", ctx.phrase(SPLIT if listing else REPEAT), [text], [out])
    if not distinct([text, out]):
        return build(ctx)

    def case() -> Case:
        words = [_word(ctx) for _ in range(ctx.int(2, 14))]
        value: Any = words if listing else " ".join(words) + ctx.pick(("", ".", "!", "?"))
        said = value if not listing else join_and(words) if ctx.chance(0.5) else ", ".join(words)
        return {text.name: said}, {out.name: value}

    return spec, case
