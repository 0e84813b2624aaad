"""Word problems of one to three steps, with reasoning, then an integer."""

from __future__ import annotations

from typing import Any

from .. import words as w
from ..prompt import Field, Spec
from .common import Built, Case, Ctx, cap, describe, distinct, first_name, naming
from .facts import _plural

PROBLEM = "problem question task word_problem exercise puzzle text riddle math_problem story".split()
ANSWER = "answer result solution total number value outcome final_answer final_number amount".split()
INSTRUCTIONS = ["Solve the word problem.", "Solve the problem.", "Work it out step by step.", "Answer the math question.", "Compute the answer.", "", "Do the arithmetic.", "Think, then give the number.",
                "Calculate the result.", "Solve the math problem."]
D_PROBLEM = ["A word problem.", "The problem to solve.", "A short math story.", "What to work out."]
D_ANSWER = ["The number.", "A whole number.", "The result.", "The final number."]

ADD = ["{n} buys {k} more.", "{n} finds {k} more.", "{m} gives {n} {k} more.", "{n} gets another {k}.", "Then {k} more are added.", "{n} picks up {k} more.", "{k} more arrive.", "{n} receives {k} from {m}.",
       "Later {n} collects {k} more.", "{n} gets {k} more from {m}."]
SUB = ["{n} gives away {k}.", "{n} loses {k}.", "{n} sells {k}.", "{n} gives {k} to {m}.", "{k} of them break.", "{n} throws away {k}.", "{m} takes {k}.", "{n} uses {k} of them.", "{k} are stolen.", "{n} gives {k} of them to {m}."]
MUL = ["Then the number doubles.", "Then the number triples."]
START = ["{n} has {k} {o}.", "{n} starts with {k} {o}.", "There are {k} {o} in the {s}.", "{n} owns {k} {o}.", "{n} collected {k} {o}.", "{n} keeps {k} {o} in a box.", "A box holds {k} {o}.", "At first there are {k} {o}.",
         "In the morning {n} has {k} {o}.", "There are {k} {o} in a box."]
ASK = ["How many {o} are there now?", "How many {o} does {n} have now?", "How many {o} are left?", "How many {o} is that in the end?", "How many {o} are there in the end?"]
PACKS = ["{n} buys {a} boxes with {b} {o} each.", "There are {a} rows of {b} {o}.", "Each of {a} shelves holds {b} {o}.", "{a} people bring {b} {o} each.", "{n} fills {a} bags with {b} {o} each."]
PRICES = ["One {x} costs {b} dollars. {n} buys {a} of them.", "{n} buys {a} {o} at {b} dollars each.", "A {x} is {b} dollars and {n} takes {a}.", "{a} {o} cost {b} dollars each and {n} wants all of them.", "{n} takes {a} {o} for {b} dollars each."]
PAY = ["How many dollars does {n} pay?", "How much does {n} pay in total?", "What is the total in dollars?", "How much is that in total?", "How much does {n} pay?"]


def _chain(ctx: Ctx) -> tuple[str, list[str], int]:
    n, m = first_name(ctx), first_name(ctx)
    noun = ctx.pick(w.OBJECTS)
    o, s = _plural(noun), ctx.pick(w.SPOTS)
    steps = ctx.int(1, 1 + int(ctx.level * 2.999))
    lines: list[str] = []
    money = False
    if ctx.chance(0.4):
        a, b = ctx.int(2, 12), ctx.int(2, 15)
        money = ctx.chance(0.4)
        text = ctx.phrase(PRICES if money else PACKS).format(n=n, a=a, b=b, o=o, x=noun)
        value = a * b
        lines.append(f"{a} * {b} = {value}")
        steps = min(steps, 2) if not money else ctx.int(0, 1) + 1
    else:
        value = ctx.int(2, 150)
        text = ctx.phrase(START).format(n=n, k=value, o=o, s=s)
        steps += 1
    sentences = [cap(text)]
    for _ in range(steps - 1):
        r = ctx.rng.random()
        if money:
            if r < 0.5 or value < 4:
                k = ctx.int(2, 40)
                sentences.append(f"Delivery costs {k} dollars more.")
                lines.append(f"{value} + {k} = {value + k}")
                value += k
            else:
                k = ctx.int(1, value - 1)
                sentences.append(f"A coupon takes off {k} dollars.")
                lines.append(f"{value} - {k} = {value - k}")
                value -= k
            break
        if r < 0.08 and value < 120:
            times = ctx.int(2, 3)
            sentences.append(MUL[times - 2])
            lines.append(f"{value} * {times} = {value * times}")
            value *= times
        elif r < 0.54 or value < 4:
            k = ctx.int(1, 99)
            sentences.append(cap(ctx.phrase(ADD).format(n=n, m=m, k=k)))
            lines.append(f"{value} + {k} = {value + k}")
            value += k
        else:
            k = ctx.int(1, value - 1)
            sentences.append(cap(ctx.phrase(SUB).format(n=n, m=m, k=k)))
            lines.append(f"{value} - {k} = {value - k}")
            value -= k
    if not lines:
        return _chain(ctx)
    sentences.append(ctx.phrase(PAY if money else ASK).format(n=n, o=o))
    return " ".join(sentences), lines, value


def _compare(ctx: Ctx) -> tuple[str, list[str], int]:
    n, m = first_name(ctx), first_name(ctx)
    if n == m:
        return _compare(ctx)
    o = _plural(ctx.pick(w.OBJECTS))
    a, b = sorted((ctx.int(1, 150), ctx.int(1, 150)), reverse=True)
    both = f"{n} has {a} {o} and {m} has {b}." if ctx.chance(0.5) else f"{n} has {a} {o}. {m} has {b} {o}."
    if ctx.chance(0.5):
        ask = ctx.phrase(["How many {o} do they have together?", "How many {o} is that together?", "What is the sum?", "How many {o} do both have?", "How many {o} do both have together?"])
        return f"{both} {ask.format(o=o)}", [f"{a} + {b} = {a + b}"], a + b
    ask = ctx.phrase(["How many more {o} does {n} have than {m}?", "How many more does {n} have?", "What is the difference?", "By how many {o} does {n} have more?", "How many more {o} does {n} have?"])
    return f"{both} {ask.format(o=o, n=n, m=m)}", [f"{a} - {b} = {a - b}"], a - b


def _plain(ctx: Ctx) -> tuple[str, list[str], int]:
    r = ctx.rng.random()
    if r < 0.4:
        a, b = ctx.int(1, 199), ctx.int(1, 199)
        ask = ctx.phrase(["What is {a} + {b}?", "What is {a} plus {b}?", "Add {a} and {b}.", "{a} + {b}?", "What is the sum of {a} and {b}?"])
        return ask.format(a=a, b=b), [f"{a} + {b} = {a + b}"], a + b
    if r < 0.7:
        a, b = sorted((ctx.int(1, 199), ctx.int(1, 199)), reverse=True)
        ask = ctx.phrase(["What is {a} - {b}?", "What is {a} minus {b}?", "Take {b} from {a}.", "{a} - {b}?", "How much is {a} minus {b}?"])
        return ask.format(a=a, b=b), [f"{a} - {b} = {a - b}"], a - b
    a, b = ctx.int(2, 12), ctx.int(2, 15)
    ask = ctx.phrase(["What is {a} * {b}?", "What is {a} times {b}?", "Multiply {a} by {b}.", "{a} times {b}?", "How much is {a} times {b}?"])
    return ask.format(a=a, b=b), [f"{a} * {b} = {a * b}"], a * b


def build(ctx: Ctx) -> Built:
    """A word-problem signature and its cases."""
    p = 0.0 if ctx.chance(0.4) else 0.5
    problem = Field(naming(ctx, PROBLEM), "String", describe(ctx, D_PROBLEM, p))
    answer = Field(naming(ctx, ANSWER), ctx.pick(("i64", "i64", "i64", "String", "f64")), describe(ctx, D_ANSWER, p))
    thought = Field("reasoning" if ctx.chance(0.8) else naming(ctx, ("steps", "thoughts", "working", "rationale", "calculation")), "String")
    if thought.name != "reasoning":
        thought.desc = describe(ctx, ("Step by step.", "The steps.", "The calculation."), 0.6)
    spec = Spec("Math", ctx.phrase(INSTRUCTIONS), [problem], [thought, answer])
    if not distinct([problem, thought, answer]):
        return build(ctx)

    def case() -> Case:
        r = ctx.rng.random()
        text, lines, value = _chain(ctx) if r < 0.7 else _compare(ctx) if r < 0.85 else _plain(ctx)
        result: Any = str(value) if answer.type == "String" else float(value) if answer.type == "f64" else value
        return {problem.name: text}, {thought.name: ". ".join(lines) + ".", answer.name: result}

    return spec, case
