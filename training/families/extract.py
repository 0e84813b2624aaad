"""Slot extraction into typed fields: numbers, flags, optional values, lists, maps and nested structs."""

from __future__ import annotations

from typing import Any

from .. import words as w
from ..prompt import Field, Spec
from .common import Built, Case, Ctx, cap, describe, distinct, naming
from .domains import DOMAINS, OWNER, TAGS, URGENT, Slot, complaint
from .labels import URGENCY
from .patterns import Patterns

SOURCE = "message text ticket email note request input mail document body content letter order description transcript form".split()
D_SOURCE = ["The message.", "The text.", "What was written.", "A message to read.", "The source text.", "Free text."]
GENERAL = ["Extract the fields.", "Extract the details from the message.", "Fill in the fields from the text.", "Read the text and give its data.", "Turn the message into data.", "Parse the message.",
           "Get the information from the text.", "Structured extraction.", "", "Pull the facts out of the message.", "Find the values.", "Extract the information."]
OPENERS = ["Hello!", "Hi,", "Good morning.", "Dear team,", "Hey there.", "Thanks for your help.", "Have a nice day.", "Hope you are well.", "Best wishes.", "Please confirm."]
OPTIONAL = {"String": "Option<String>", "i64": "Option<i64>", "f64": "Option<f64>", "bool": "Option<bool>"}
URGENCY_NAMES = [("low", "high", "on-fire"), ("Low", "High", "OnFire"), ("minor", "major", "critical"), ("LOW", "HIGH", "CRITICAL"), ("p3", "p2", "p1"), ("low", "urgent", "emergency"),
                 ("low", "medium", "high"), ("can-wait", "soon", "now")]
# Sentences that work for any slot: the field's own words with the value.
LABELED = Patterns("{l}: {v}.", "(The|My|Our) {l} [here] is [now] {v}.", "{l} is [now] {v}.", "{l} (=|-) {v}.", "For the {l}: {v}.", "I have {v} as the {l}.", "(Please note|Note) the {l}: {v}.")
CRYPTIC = ["f", "x", "col", "slot", "value", "field", "arg", "out", "key"]


def _typed(ctx: Ctx, slot: Slot) -> str:
    """The slot's type in this signature: some become optional, whole prices stay floats."""
    if slot is OWNER:
        return "Option<String>" if ctx.chance(0.85) else "String"
    if slot.type in OPTIONAL and ctx.chance(0.38):
        return OPTIONAL[slot.type]
    if slot.type.startswith(("enum", "struct")) and slot is not URGENT and ctx.chance(0.25):
        return f"Option<{slot.type}>"
    return slot.type


def _say(ctx: Ctx, slot: Slot, said: str) -> str:
    """A sentence with the value: one of the slot's, a labeled one, or one with a word that nobody knows."""
    r = ctx.rng.random()
    if r < 0.2 and slot is not TAGS:
        return ctx.phrase(LABELED).format(l=ctx.pick(slot.names).replace("_", " "), v=said)
    return ctx.noisy(ctx.phrase(slot.says)).format(v=said)


def _field(ctx: Ctx, slot: Slot, p: float) -> Field:
    kind = _typed(ctx, slot)
    if ctx.chance(0.07):
        return Field(f"{ctx.pick(CRYPTIC)}{ctx.pick(('', '_'))}{ctx.int(1, 9)}", kind, ctx.pick(slot.descs))
    return Field(naming(ctx, slot.names), kind, describe(ctx, slot.descs, p))


def build(ctx: Ctx) -> Built:
    """An extraction signature over some of a domain's slots, and its cases."""
    slots_all, instructions = ctx.pick(DOMAINS)
    count = ctx.int(1, min(len(slots_all), 5))
    slots = ctx.sample(slots_all, count)
    if URGENT in slots_all and ctx.chance(0.5):
        slots = [URGENT, TAGS, OWNER]
    p = 0.0 if ctx.chance(0.35) else 0.55
    source = Field(naming(ctx, SOURCE), "String", describe(ctx, D_SOURCE, p))
    fields = [_field(ctx, s, p) for s in slots]
    ranks = ctx.pick(URGENCY_NAMES)
    if ctx.chance(0.3):
        ranks = tuple(ranks)[:: ctx.pick((1, -1))]
    for s, f in zip(slots, fields):
        if s is URGENT:
            f.type = f"enum:{'|'.join(ranks)}"
    instruction = ctx.pick(instructions) if ctx.chance(0.45) else ctx.phrase(GENERAL)
    spec = Spec("Extract", instruction, [source], fields)
    if not distinct([source, *fields]):
        return build(ctx)
    base = {v: i for names in URGENCY_NAMES for i, v in enumerate(names)}

    def case() -> Case:
        sentences: list[str] = []
        lead: list[str] = []
        out: dict[str, Any] = {}
        joined = URGENT in slots and TAGS in slots and ctx.chance(0.75)
        for s, f in zip(slots, fields):
            value, said = s.draw(ctx)
            optional = f.type.startswith("Option<")
            if s is URGENT:
                index = ctx.int(0, 2)
                value = sorted(ranks, key=lambda v: base[v])[index]
                rank = index if "medium" in ranks else (0, 2, 3)[index]
                cue = ctx.pick(URGENCY.concepts[rank].cues)
                if joined:
                    names = TAGS.draw(ctx)[0]
                    out[fields[slots.index(TAGS)].name] = names
                    lead = complaint(ctx, names, rank, cue)
                else:
                    sentences.append(cap(cue) + ctx.pick((".", "!", ".")))
            elif s is TAGS and joined:
                continue
            elif s.denies:
                r = ctx.rng.random()
                if r < (0.3 if optional else 0.2):
                    value = None if optional else False
                else:
                    value = r < 0.65
                    sentences.append(ctx.phrase(s.says if value else s.denies))
            elif (optional and ctx.chance(0.35)) or (f.type.startswith("Vec<") and ctx.chance(0.08)):
                value = None if optional else []
            else:
                sentences.append(cap(_say(ctx, s, said)))
            out[f.name] = value
        ctx.rng.shuffle(sentences)
        sentences = lead + sentences if ctx.chance(0.8) else sentences + lead
        spare = [s for s in slots_all if s not in slots and not s.denies and s is not URGENT]
        if spare and ctx.chance(0.35 * ctx.level):
            extra = ctx.pick(spare)
            sentences.insert(ctx.int(0, len(sentences)), cap(ctx.phrase(extra.says).format(v=extra.draw(ctx)[1])))
        if ctx.chance(0.25) or not sentences:
            opener = ctx.phrase(OPENERS) if ctx.chance(0.6) else ctx.pick(w.FILLERS)
            sentences.insert(0 if ctx.chance(0.6) else len(sentences), opener)
        out = {f.name: out[f.name] for f in fields}
        return {source.name: (" " if ctx.chance(0.9) else "\n").join(sentences)}, out

    return spec, case


