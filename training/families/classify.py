"""Classification into labels that the prompt lists, and true or false questions about a text."""

from __future__ import annotations

from typing import Any

from .. import words as w
from ..prompt import Field, Spec
from .common import Built, Case, Ctx, cap, describe, distinct, first_name, naming
from .patterns import Patterns
from .labels import AXES, BINARY, GOOD, ISSUES, KIND, NOUNS, SENTIMENT, URGENCY, Axis

TEXT = "text message review ticket comment sentence utterance input email post document note request body content feedback tweet mail passage".split()
D_TEXT = ["The text.", "What to classify.", "A message.", "The message to label.", "What the user wrote.", "Text to classify."]
NEUTRAL = ["I was there on {d}.", "It arrived on {d}.", "My name is {p}.", "We came with {p}.", "I saw it in the {s}.", "It was {d}.", "Written on {d}.", "Greetings, {p}.", "Sent from the {s}.", "Best, {p}."]
STYLES = (str, str, str, str, str.upper, str.title, lambda s: s.replace(" ", "_"), lambda s: s.replace(" ", "-").replace("_", "-"), lambda s: s.replace("_", " "))
MENTIONS = Patterns("(We|They|I) [also|once|just] (saw|found|noticed|heard) a {} [today|there].", "(There was|There is|We left) a {} in the {s} [today|again].", "{p} [now|also|still] (has|owns|wants|needs) a {}.", "A {} (stood|lay|was) there [today|again].",
                    "(Nobody|Somebody|Everybody) (wanted|liked|asked about) the {} [today|again].", "The {} is [now|still|very|quite] {a}.", "{p} (asked|talked|dreamed) about (the|a) {} [today|again].")
SURE, UNSURE = 0.95, 0.6
NEGATABLE = [g for g in GOOD if " " not in g]


def _cue_text(ctx: Ctx, axis: Axis, index: int) -> tuple[str, str]:
    """A sentence of the class, and the cue in it."""
    concept = axis.concepts[index]
    cue = ctx.pick(concept.cues)
    if axis is SENTIMENT and index == 1 and ctx.chance(0.12):
        cue = "not " + ctx.pick(NEGATABLE)
    frame = ctx.phrase(axis.frames)
    other = ctx.pick(concept.cues)
    nouns = ISSUES if axis is URGENCY else NOUNS
    if axis is KIND:
        cue = cue.format(n=ctx.pick(w.OBJECTS), a=ctx.pick(w.ADJS))
    text = frame.format(c=cue, d=other, n=ctx.pick(nouns), m=ctx.pick(nouns))
    # Of two cues the first one counts.
    return cap(text), min((c for c in (cue, other) if c in text), key=text.find)


def text_of(ctx: Ctx, axis: Axis, index: int) -> tuple[str, str]:
    """A text of the class with one or two cues and sometimes neutral sentences around, and the first cue."""
    text, cue = _cue_text(ctx, axis, index)
    if axis is SENTIMENT and ctx.chance(0.35):
        text += " " + _cue_text(ctx, axis, index)[0]
    if axis is not KIND and ctx.chance(0.3):
        extra = ctx.phrase(NEUTRAL).format(d=ctx.pick(w.DAYS), p=first_name(ctx), s=ctx.pick(w.SPOTS))
        text = f"{extra} {text}" if ctx.chance(0.5) else f"{text} {extra}"
    return (text.lower() if ctx.chance(0.12) else text), cue


def pick_labels(ctx: Ctx, axis: Axis) -> tuple[list[int], list[str]]:
    """Which classes the prompt offers, and their names in one style."""
    total = len(axis.concepts)
    if axis is SENTIMENT:
        chosen = [0, 1, 2] if ctx.chance(0.6) else [0, 1]
    elif axis is URGENCY:
        chosen = sorted(ctx.sample(range(total), ctx.int(2, total)))
        if ctx.chance(0.25):
            chosen.reverse()
    else:
        chosen = ctx.sample(range(total), min(total, ctx.int(2, 8)))
    if axis is SENTIMENT and ctx.chance(0.4):
        ctx.rng.shuffle(chosen)
    style = ctx.pick(STYLES)
    row = ctx.int(0, 20)
    names = []
    for i in chosen:
        options = axis.concepts[i].names
        name = options[0] if row < 8 else options[(row - 8) % len(options)] if row < 14 else ctx.pick(options)
        names.append(style(name))
    return (chosen, names) if len(set(names)) == len(names) else pick_labels(ctx, axis)


def build(ctx: Ctx) -> Built:
    """A classification signature and its cases."""
    if ctx.chance(0.14):
        return _binary(ctx)
    if ctx.chance(0.13):
        return _mentions(ctx)
    axis = ctx.pick(AXES)
    chosen, names = pick_labels(ctx, axis)
    p = 0.0 if ctx.chance(0.3) else 0.5
    text = Field(naming(ctx, TEXT), "String", describe(ctx, D_TEXT, p))
    kind = f"enum:{'|'.join(names)}"
    label = Field(naming(ctx, axis.fields), kind, describe(ctx, axis.descs, p))
    outputs = [label]
    extra = ctx.rng.random()
    if extra < 0.14:
        outputs.append(Field(naming(ctx, ("confidence", "certainty", "score", "probability")), "f64", describe(ctx, ("How sure, from 0 to 1.", "From 0 to 1."), p)))
    elif extra < 0.22:
        cue = Field(naming(ctx, ("cue", "because", "keyword", "evidence", "reason", "trigger")), "String", describe(ctx, ("The words that tell.", "The words that decide it.", "Taken from the text."), p))
        outputs.append(cue) if ctx.chance(0.6) else outputs.insert(0, cue)
    elif extra < 0.27:
        outputs.insert(0, Field("reasoning", "String"))
    instruction = ctx.phrase(axis.instructions) if ctx.chance(0.8) else ""
    spec = Spec("Classify", instruction, [text], outputs)
    if not distinct([text, *outputs]):
        return build(ctx)

    def case() -> Case:
        at = ctx.int(0, len(chosen) - 1)
        said, cue = text_of(ctx, axis, chosen[at])
        hedged = ctx.chance(0.3) and extra < 0.14
        if hedged:
            said = f"{ctx.pick(('Perhaps', 'Maybe', 'I am not sure, but', 'It seems:'))} {said[:1].lower() + said[1:]}"
        start = said.lower().find(cue.lower())
        exact = said[start : start + len(cue)]
        out: dict[str, Any] = {}
        for f in outputs:
            if f is label:
                out[f.name] = names[at]
            elif f.type == "f64":
                out[f.name] = UNSURE if hedged else SURE
            else:
                out[f.name] = f'The text says "{exact}".' if f.name == "reasoning" else exact
        return {text.name: said}, out

    return spec, case


def _binary(ctx: Ctx) -> Built:
    """A true or false question about a text."""
    axis, true, fields, descs = ctx.pick(BINARY)
    p = 0.0 if ctx.chance(0.3) else 0.5
    text = Field(naming(ctx, TEXT), "String", describe(ctx, D_TEXT, p))
    kind = ctx.pick(("bool", "bool", "bool", "enum:yes|no", "enum:Yes|No", "enum:no|yes"))
    flag = Field(naming(ctx, fields), kind, describe(ctx, descs, p))
    spec = Spec("Flag", ctx.pick([*descs, *axis.instructions[:3], "", "Check the text."]), [text], [flag])
    if not distinct([text, flag]):
        return _binary(ctx)
    lower = "Yes" not in kind

    def case() -> Case:
        truth = ctx.chance(0.5)
        index = true if truth else ctx.pick([i for i in range(len(axis.concepts)) if i != true])
        said, _ = text_of(ctx, axis, index)
        word = ("yes" if truth else "no") if lower else ("Yes" if truth else "No")
        return {text.name: said}, {flag.name: truth if kind == "bool" else word}

    return spec, case


def _mentions(ctx: Ctx) -> Built:
    """A rule that the instruction states: whether the text names a given thing."""
    target = ctx.pick(w.OBJECTS) if ctx.chance(0.5) else ctx.pick(w.ANIMALS)
    yes, no = ctx.pick([("found", "missing"), ("yes", "no"), ("hit", "miss"), ("A", "B"), ("keep", "drop"), ("alert", "ignore"), ("accept", "reject"), ("X", "Y")])
    rule = ctx.phrase([f'Answer "{yes}" if the text mentions a {target}, otherwise "{no}".', f'Label it "{yes}" when there is a {target} in the text, else "{no}".',
                       f'"{no}" unless the text names a {target}; then "{yes}".', f'If a {target} occurs, choose "{yes}", if not, "{no}".', f'Choose "{yes}" if a {target} occurs in the text, otherwise "{no}".'])
    text = Field(naming(ctx, TEXT), "String", describe(ctx, D_TEXT, 0.3))
    flag = Field(naming(ctx, ("label", "verdict", "outcome", "decision", "tag", "result", "code")), f"enum:{yes}|{no}" if ctx.chance(0.5) else f"enum:{no}|{yes}")
    instruction, flag.desc = (rule, "") if ctx.chance(0.6) else ("", rule)
    spec = Spec("Rule", instruction, [text], [flag])

    def case() -> Case:
        truth = ctx.chance(0.5)
        nouns = [n for n in ctx.sample(w.OBJECTS, 4) + ctx.sample(w.ANIMALS, 2) if n != target][: ctx.int(2, 4)]
        if truth:
            nouns[ctx.int(0, len(nouns) - 1)] = target
        ctx.rng.shuffle(nouns)
        said = " ".join(ctx.phrase(MENTIONS).format(n, s=ctx.pick(w.SPOTS), p=first_name(ctx), a=ctx.pick(w.ADJS)) for n in nouns)
        return {text.name: said}, {flag.name: yes if truth else no}

    return spec, case
