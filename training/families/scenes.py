"""Scenes and plain facts for passage question answering: who did what where and when, and numbers about things."""

from __future__ import annotations

from .. import words as w
from .common import Ctx, cap, first_name, place
from .facts import _plural
from .patterns import Patterns

VERBS = [tuple(p.split("/")) for p in """chase/chased watch/watched push/pushed pull/pulled follow/followed carry/carried find/found
lose/lost hide/hid steal/stole buy/bought sell/sold break/broke fix/fixed paint/painted clean/cleaned wash/washed drop/dropped
throw/threw catch/caught take/took bring/brought see/saw hear/heard feed/fed kick/kicked lift/lifted move/moved open/opened
draw/drew photograph/photographed repair/repaired build/built burn/burned bury/buried borrow/borrowed return/returned
deliver/delivered collect/collected count/counted visit/visited meet/met help/helped call/called choose/chose cut/cut
eat/ate cook/cooked order/ordered test/tested read/read write/wrote sign/signed print/printed scan/scanned lock/locked
invent/invented discover/discovered design/designed damage/damaged inspect/inspected measure/measured weigh/weighed""".split()]
PREPS = ("in", "at", "near", "behind", "beside", "outside")
# Statements with their questions.
THINGS = [(Patterns(a), Patterns(b)) for a, b in (
    ("The {a} weighs [about|almost|over] {v} kilograms [in all].", "(How much does the {a} weigh|What is the weight of the {a}|How heavy is the {a}) [in kilograms]?"),
    ("The {a} [in the shop] [now|only] costs {v} dollars [at present].", "(How much does the {a} cost|What does the {a} cost|How many dollars does the {a} cost|What is the price of the {a})?"),
    ("(There are|We counted|You can see) [about|only|almost] {v} {as} in the {s}.", "How many {as} are [there] in the {s}?"), ("The {s} has (room|space) for [about|only|up to] {v} {as}.", "How many {as} does the {s} have (room|space) for?"),
    ("In the {s} (there are|we counted|you can see) [about|only|almost] {v} {as}.", "How many {as} (are there|are|can you see) in the {s}?"), ("The {a} is [about|almost|over] {v} years old [now].", "(How old is the {a}|What is the age of the {a}|What age is the {a})?"),
    ("The {s} [now|still] (keeps|stores|owns|has) [about|only|almost] {v} {as}.", "How many {as} does the {s} (keep|store|own|have)?"), ("The {a} lasts [about|only|almost] {v} hours.", "How (many hours does the {a} last|long does the {a} last)?"),
    ("The {s} was (built|opened|finished) in [the year|early|late] {v}.", "(When|In what year|In which year) was the {s} (built|opened|finished)?"), ("The {s} [now|only] holds [about|almost|over] {v} {as}.", "How many {as} does the {s} hold?"),
    ("(Repairing|Mending|Cleaning) the {a} takes [about|only|almost] {v} days.", "How many days does (repairing|mending|cleaning) the {a} take?"), ("The {s} is [about|only|almost] {v} meters (away|from here).", "How (far away is the {s}|many meters away is the {s}|far is the {s})?"),
    ("(Each|Every) {a} comes with {v} {bs}.", "How many {bs} come with (each|every|one) {a}?"), ("The {a} needs [about|only|almost] {v} minutes to (start|cool down|get ready).", "How many minutes does the {a} need [to start]?"),
    ("The {s} [also|only] bought {v} [new] {as} (this year|last week|in spring|today).", "How many {as} did the {s} buy?"), ("The {s} [usually|always|only] opens at {v} [on weekdays|in winter].", "(When|At what time|At what hour) does the {s} open?"),
    ("(Entry to|A visit to|A tour of) the {s} [now|only] costs {v} euros.", "(How much|How many euros) does (entry to|a visit to|a tour of) the {s} cost?"), ("[About|Almost|Over] {v} people visit the {s} (every|each) day.", "How many people visit the {s} [every day|each day]?"),
    ("The {a} (broke|failed|stopped) {v} times [last year|in all].", "How (many times|often) did the {a} (break|fail|stop)?"), ("The {s} [now|still] employs [about|only|almost] {v} people.", "How many people does the {s} employ?"),
    ("The {a} is [about|only|almost] {v} centimeters long.", "How (long|many centimeters long) is the {a}?"), ("Refunds for the {a} take [about|only|almost|up to] {v} days.", "How (many days|long) do refunds for the {a} take?"),
    ("The {a} (has|carries) a warranty of [full|only] {v} months.", "How (many months|long) is the warranty of the {a}?"), ("A ticket for the {s} [now|only] costs {v} dollars.", "(How much|How many dollars) does a ticket for the {s} cost?"),
    ("The {s} [also|only] sold {v} {as} (today|last week|this year|in spring).", "How many {as} did the {s} sell?"),
)]
COLORED = [(Patterns(a), Patterns(b)) for a, b in (
    ("The {a} is [all|mostly|now] {c}.", "(What|Which) color is the {a}?"), ("The {a} in the {s} is [all|mostly|now] {c}.", "(What|Which) color is the {a} in the {s}?"),
    ("(Somebody|A painter|My aunt) [once] painted the {a} {c}.", "(What|Which) color was the {a} painted?"), ("The {a} [slowly|suddenly|once] turned {c}.", "(What|Which) color did the {a} turn?"),
    ("The {a} by the door is [all|mostly|now] {c}.", "(What|Which) color is the {a} by the door?"),
)]
KEPT = [(Patterns(a), Patterns(b)) for a, b in (
    ("The {a} is [now|still|always] in the {s}.", "Where is the {a} [now]?"), ("The {a} was [once|again|simply] left in the {s} [last night|today].", "Where was the {a} left?"), ("The {a} is [now|always|usually] (kept|stored) in the {s}.", "Where is the {a} (kept|stored)?"),
    ("You can [now|always|still] find the {a} in the {s}.", "Where can (you|one|we) find the {a}?"), ("The {a} was [again|finally|later] found in the {s} [today|last night].", "Where was the {a} found?"),
)]


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
    stmts, questions = ctx.pick(THINGS if r < 0.6 else COLORED if r < 0.75 else KEPT)
    stmt, question = ctx.phrase(stmts), ctx.phrase(questions)
    number = "{v}" in stmt
    value = str(ctx.int(2, 30) if ctx.chance(0.5) else ctx.int(2, 2500)) if number else ctx.pick(w.COLORS) if "{c}" in stmt else s
    fill = {"a": a, "b": b, "s": s, "v": value, "c": value, "as": _plural(a), "bs": _plural(b)}
    return cap(stmt.format(**fill)), question.format(**fill), value, number
