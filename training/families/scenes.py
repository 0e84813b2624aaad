"""Scenes and plain facts for passage question answering: who did what where and when, and numbers about things."""

from __future__ import annotations

from .. import words as w
from .common import Ctx, cap, first_name, place
from .facts import _plural

VERBS = [tuple(p.split("/")) for p in """chase/chased watch/watched push/pushed pull/pulled follow/followed carry/carried find/found
lose/lost hide/hid steal/stole buy/bought sell/sold break/broke fix/fixed paint/painted clean/cleaned wash/washed drop/dropped
throw/threw catch/caught take/took bring/brought see/saw hear/heard feed/fed kick/kicked lift/lifted move/moved open/opened
draw/drew photograph/photographed repair/repaired build/built burn/burned bury/buried borrow/borrowed return/returned
deliver/delivered collect/collected count/counted visit/visited meet/met help/helped call/called choose/chose cut/cut
eat/ate cook/cooked order/ordered test/tested read/read write/wrote sign/signed print/printed scan/scanned lock/locked
invent/invented discover/discovered design/designed damage/damaged inspect/inspected measure/measured weigh/weighed""".split()]
PREPS = ("in", "at", "near", "behind", "beside", "outside")
THINGS = [
    ("The {a} weighs {v} kilograms.", "How much does the {a} weigh?"), ("The {a} costs {v} dollars.", "How many dollars does the {a} cost?"),
    ("There are {v} {as} in the {s}.", "How many {as} are in the {s}?"), ("The {s} has room for {v} {as}.", "How many {as} does the {s} have room for?"),
    ("In the {s} there are {v} {as}.", "How many {as} are there in the {s}?"), ("The {a} is {v} years old.", "How old is the {a}?"),
    ("The {s} keeps {v} {as}.", "How many {as} does the {s} keep?"), ("The {a} lasts {v} hours.", "How many hours does the {a} last?"),
    ("The {s} was built in {v}.", "When was the {s} built?"), ("The {s} holds {v} {as}.", "How many {as} does the {s} hold?"),
    ("Repairing the {a} takes {v} days.", "How many days does repairing the {a} take?"), ("The {s} is {v} meters away.", "How far away is the {s}?"),
    ("Each {a} comes with {v} {bs}.", "How many {bs} come with each {a}?"), ("The {a} needs {v} minutes to start.", "How many minutes does the {a} need to start?"),
    ("The {s} bought {v} {as} this year.", "How many {as} did the {s} buy this year?"), ("The {s} opens at {v}.", "When does the {s} open?"),
    ("Entry to the {s} costs {v} euros.", "How much does entry to the {s} cost?"), ("{v} people visit the {s} every day.", "How many people visit the {s} every day?"),
    ("The {a} broke {v} times.", "How many times did the {a} break?"), ("The {s} employs {v} people.", "How many people does the {s} employ?"),
    ("The {a} is {v} centimeters long.", "How long is the {a}?"), ("Refunds for the {a} take {v} days.", "How many days do refunds for the {a} take?"),
    ("The {a} has a warranty of {v} months.", "How many months is the warranty of the {a}?"), ("A ticket for the {s} costs {v} dollars.", "How much does a ticket for the {s} cost?"),
    ("The {s} sold {v} {as}.", "How many {as} did the {s} sell?"),
]
COLORED = [
    ("The {a} is {c}.", "What color is the {a}?"), ("The {a} in the {s} is {c}.", "What color is the {a} in the {s}?"),
    ("Somebody painted the {a} {c}.", "What color was the {a} painted?"), ("The {a} turned {c}.", "What color did the {a} turn?"),
    ("The {a} by the door is {c}.", "What color is the {a} by the door?"),
]
KEPT = [
    ("The {a} is in the {s}.", "Where is the {a}?"), ("The {a} was left in the {s}.", "Where was the {a} left?"), ("The {a} is kept in the {s}.", "Where is the {a} kept?"),
    ("You can find the {a} in the {s}.", "Where can you find the {a}?"), ("The {a} was found in the {s}.", "Where was the {a} found?"),
]


def _agent(ctx: Ctx) -> tuple[str, str]:
    r = ctx.rng.random()
    if r < 0.45:
        name = first_name(ctx)
        return name, name
    noun = ctx.pick(w.JOBS) if r < 0.72 else ctx.pick(w.ANIMALS)
    if ctx.chance(0.25):
        noun = f"{ctx.pick(w.ADJS)} {noun}"
    return f"the {noun}", noun


def _object(ctx: Ctx) -> tuple[str, str]:
    noun = ctx.pick(w.OBJECTS) if ctx.chance(0.7) else ctx.pick(w.ANIMALS) if ctx.chance(0.7) else w.invented(ctx.rng, 0, False)
    r = ctx.rng.random()
    if r < 0.2:
        noun = f"{ctx.pick(w.COLORS)} {noun}"
    elif r < 0.4:
        noun = f"{ctx.pick(w.ADJS)} {noun}"
    return f"the {noun}", noun


def scene(ctx: Ctx) -> tuple[str, list[tuple[str, str]]]:
    """A sentence about an action, and (question, answer) pairs about its parts."""
    base, past = ctx.pick(VERBS)
    subj, subj_answer = _agent(ctx)
    obj, obj_answer = _object(ctx)
    where = when = ""
    if ctx.chance(0.55):
        spot = place(ctx) if ctx.chance(0.3) else ctx.pick(w.SPOTS)
        where = f" in {spot}" if spot[0].isupper() else f" {ctx.pick(PREPS)} the {spot}"
    if ctx.chance(0.45):
        value = ctx.pick((ctx.pick(w.DAYS), ctx.pick(w.MONTHS), str(ctx.int(1700, 2024)), "noon", "midnight"))
        when = f" {'on' if value.endswith('day') else 'at' if value in ('noon', 'midnight') else 'in'} {value}"
    if when and ctx.chance(0.3):
        text = f"{cap(when.strip())}, {subj} {past} {obj}{where}."
    else:
        text = f"{cap(subj)} {past} {obj}{where}{when}."
    tail = where if ctx.chance(0.3) else ""
    pairs = [(f"Who {past} {obj}{tail}?", subj_answer), (f"What did {subj} {base}{tail}?", obj_answer)]
    if where:
        pairs.append((f"Where did {subj} {base} {obj}?", spot))
    if when:
        pairs.append((f"When did {subj} {base} {obj}?", value))
    return text, pairs


def thing(ctx: Ctx) -> tuple[str, str, str, bool]:
    """A plain fact: sentence, question, answer, whether the answer is a whole number."""
    a, b, s = ctx.pick(w.OBJECTS), ctx.pick(w.OBJECTS), ctx.pick(w.SPOTS)
    r = ctx.rng.random()
    stmt, question = ctx.phrase(THINGS if r < 0.6 else COLORED if r < 0.75 else KEPT)
    number = "{v}" in stmt
    value = str(ctx.int(2, 30) if ctx.chance(0.5) else ctx.int(2, 2500)) if number else ctx.pick(w.COLORS) if "{c}" in stmt else s
    fill = {"a": a, "b": b, "s": s, "v": value, "c": value, "as": _plural(a), "bs": _plural(b)}
    return cap(stmt.format(**fill)), question.format(**fill), value, number
