"""Passage question answering: people, things, scenes and numbers, with distractors and unanswerable questions."""

from __future__ import annotations

from typing import Any

from .. import words as w
from ..prompt import Field, Spec
from .common import Built, Case, Ctx, cap, describe, distinct, naming, person
from .facts import DEED_QUESTIONS, DEEDS, ENTITIES, FRIEND_QUESTIONS, PERSON, Attr
from .scenes import scene, thing

PASSAGE = ("passage context text document story paragraph article note report source excerpt content background notes page body "
           "description memo letter transcript facts").split()
QUESTION = "question query q user_question ask what_to_find request prompt lookup inquiry".split()
ANSWER = "answer response result reply short_answer span a solution final_answer finding extracted_answer value".split()
INSTRUCTIONS = [
    "Answer the question from the passage.", "", "Answer the question.", "Read the passage and answer the question.", "Find the answer in the text.",
    "Use only the text to answer.", "Answer questions about a short text.", "Give a short answer taken from the text.",
    "Reply with the words of the text that answer the question.", "Extract the answer to the question from the passage.",
    "Answer with as few words as possible.", "You read texts and answer questions about them.", "Reading comprehension.",
    "Answer briefly, from the given text only.", "Find what is asked for.", "Answer a question about a passage.",
    "Given a text and a question, give the answer.", "Look the answer up in the text.", "Answer from the context.", "Extract a short answer.",
]
D_PASSAGE = ["Text to read.", "The text.", "A short text.", "The passage to read.", "Where the answer is.", "Some sentences.", "May hold the answer.", "What to read."]
D_QUESTION = ["What is asked.", "The question.", "A question about the text.", "The question to answer.", "What the user wants to know."]
D_ANSWER = ["A short answer.", "The answer.", "Taken from the text.", "A few words from the passage.", "The shortest span that answers.", "Short."]
D_NULL = ["null if the text does not say.", "The answer, if the text has one.", "Null when unknown.", "Leave null if not stated."]
UNKNOWN = ["unknown", "not stated", "n/a", "no answer", "not in the text", "none"]
HEDGES = ["Perhaps {}", "Maybe {}", "It seems that {}", "Some say that {}", "Probably {}", "It is said that {}", "I think that {}", "Apparently {}"]
LEADS = ["In fact, {}", "Last year {}", "By the way, {}", "As everybody knows, {}", "At the moment {}", "These days {}", "According to the report, {}", "As far as we know, {}", "It is known that {}",
         "As far as we know {}"]
TAILS = [", by the way.", " these days.", " at the moment.", ", as everybody knows.", " according to the report.", ", as far as we know.", " now.", " again.", " for some time.", " at the moment now."]
SURE, UNSURE, NONE = 0.95, 0.6, 0.05
MOST = 3  # others than the first: up to four persons or things


def _question(ctx: Ctx, attr: Attr, phrase: str, name: str) -> str:
    if attr.key == "bought":
        verb = DEED_QUESTIONS[phrase]
        return f"What {'does' if verb in ('own', 'carry') else 'did'} {name} {DEEDS[verb]}?"
    if attr.key == "friend":
        return FRIEND_QUESTIONS[phrase].format(n=name)
    return ctx.noisy(ctx.phrase(attr.questions)).format(n=name)


class Fact:
    """One thing that a passage says."""

    __slots__ = ("attr", "phrase", "said", "sentence", "name", "value", "hedged")

    def __init__(self, ctx: Ctx, attr: Attr, name: str, value: str) -> None:
        self.attr, self.phrase, self.name, self.value = attr, ctx.phrase(attr.phrases), name, value
        self.said = ctx.noisy(self.phrase).format(v=attr.wrap(value))
        self.sentence, self.hedged = "", False


def _origin(a: Fact, b: Fact) -> str:
    """`a baker from Lund`, where one fact is a job and the other a place of birth."""
    if (b.attr.key, a.attr.key) == ("job", "born"):
        a, b = b, a
    if (a.attr.key, b.attr.key) != ("job", "born"):
        return ""
    a.phrase, b.phrase = "is {v}", "is from {v}"
    a.said, b.said = f"is {a.attr.wrap(a.value)}", f"is from {b.value}"
    return f"{a.attr.wrap(a.value)} from {b.value}"


def _tell(ctx: Ctx, name: str, pronoun: str, facts: list[Fact], human: bool, linked: bool) -> list[str]:
    """Sentences that say the facts about one entity."""
    out, rest, first = [], list(facts), True
    while rest:
        subject = name if first or not linked else pronoun if ctx.chance(0.75) else name.split()[0] if human else name
        r = ctx.rng.random()
        if len(rest) >= 2 and {rest[0].attr.key, rest[1].attr.key} == {"job", "born"} and ctx.chance(0.4):
            r = 0.5
        if len(rest) >= 3 and r < 0.15:
            used, text = 3, f"{subject} {rest[0].said}, {rest[1].said} and {rest[2].said}."
        elif len(rest) >= 2 and r < 0.45:
            used, text = 2, f"{subject} {rest[0].said} and {rest[1].said}."
        elif len(rest) >= 2 and r < 0.53 and (pair := _origin(rest[0], rest[1])):
            used, text = 2, f"{subject} is {pair}."
        elif len(rest) >= 2 and r < 0.6 and first:
            used, text = 2, f"{subject}, {'who' if human else 'which'} {rest[0].said}, {rest[1].said}."
        else:
            used, text = 1, f"{subject} {rest[0].said}."
        hedged = ctx.chance(0.06)
        if hedged:
            text = ctx.pick(HEDGES).format(text)
        elif ctx.chance(0.1):
            text = ctx.phrase(LEADS).format(text) if ctx.chance(0.6) else cap(text[:-1]) + ctx.phrase(TAILS)
        else:
            text = cap(text)
        for fact in rest[:used]:
            fact.sentence, fact.hedged = text, hedged
        out.append(text)
        rest, first = rest[used:], False
    return out


def _world(ctx: Ctx, shared: bool = False, numeric: bool = False) -> tuple[str, list[Fact], bool]:
    """A passage about several people or things of one kind, and its facts."""
    human = ctx.chance(0.62)
    if human:
        make, attrs, noun = (lambda c: person(c)), PERSON, ""
    else:
        maker, attrs, noun = ctx.pick(ENTITIES)
        make = lambda c: (maker(c), noun)  # noqa: E731
    count = ctx.int(1, 1 + int(ctx.level * (MOST - 0.001)))
    per = ctx.int(1, 4 if count < 3 else 3 if count < 4 else 2)
    chosen = ctx.sample(attrs, min(len(attrs), per + (1 if ctx.chance(0.4) else 0)))
    if human and not numeric and ctx.chance(0.12):
        chosen = [a for a in PERSON if a.key in ("job", "born")] + [a for a in chosen if a.key not in ("job", "born", "home", "year")][:1]
    if numeric and not any(a.numeric for a in chosen):
        chosen[0] = ctx.pick([a for a in attrs if a.numeric])
    keys = {a.key for a in chosen}
    chosen = [a for a in chosen if not (a.key == "pets" and "pet" in keys)]
    everyone = [make(ctx) for _ in range(count)]
    first_words = [n.removeprefix("the ").split()[0] for n, _ in everyone]
    if len(set(first_words)) < count:
        return _world(ctx, shared, numeric)
    facts: list[Fact] = []
    groups: list[list[Fact]] = []
    for name, _ in everyone:
        mine = []
        for attr in chosen if ctx.chance(0.5) else ctx.sample(chosen, min(per, len(chosen))):
            value = attr.draw(ctx)
            if attr.key == "friend" and count > 1 and ctx.chance(0.5):
                value = ctx.pick(everyone)[0]
            taken = [f.value for f in facts if f.attr is attr]
            if shared and taken and ctx.chance(0.6):
                value = ctx.pick(taken)
            elif value in taken and not shared:
                continue
            if value == name or value in name:
                continue
            mine.append(Fact(ctx, attr, name, value))
        ctx.rng.shuffle(mine)
        facts += mine
        groups.append(mine)
    if not facts:
        return _world(ctx, shared, numeric)
    linked = ctx.chance(0.75)
    if linked:
        parts = [_tell(ctx, n, p, g, human, True) for (n, p), g in zip(everyone, groups)]
        sentences = [s for part in parts for s in part]
    else:
        sentences = [s for (n, p), g in zip(everyone, groups) for f in g for s in _tell(ctx, n, p, [f], human, False)]
        ctx.rng.shuffle(sentences)
    for _ in range(ctx.int(0, 2) if ctx.chance(0.4) else 0):
        sentences.insert(ctx.int(0, len(sentences)) if not linked else len(sentences), ctx.pick(w.FILLERS))
    return " ".join(sentences), facts, human


def _bare(name: str) -> str:
    return name.removeprefix("the ")


def _ask(ctx: Ctx, facts: list[Fact], human: bool, numeric: bool = False) -> tuple[Fact, str, str]:
    """A question that the facts answer: (fact, question, answer)."""
    pool = [f for f in facts if f.attr.numeric] if numeric else facts
    fact = ctx.pick(pool or facts)
    same = [f for f in facts if f.attr is fact.attr and f.value == fact.value]
    hits = sum(f.said == fact.said for f in facts)
    if human and not numeric and fact.attr.reverse and hits == 1 and len(same) == 1 and ctx.chance(0.28):
        lead = ctx.phrase(("Who", "Who", "Which person", "Who is it that", "Which of them"))
        return fact, f"{lead} {fact.said}?", _bare(fact.name)
    name = fact.name.split()[0] if human and ctx.chance(0.3) else fact.name
    return fact, _question(ctx, fact.attr, fact.phrase, name), fact.value


def _missing(ctx: Ctx, facts: list[Fact], human: bool) -> str | None:
    """A question about an attribute that the passage gives for somebody else, or for nobody."""
    names = sorted({f.name for f in facts})
    ctx.rng.shuffle(names)
    present = {f.attr.key for f in facts}
    attrs = [f.attr for f in facts] if ctx.chance(0.6) else PERSON if human else []
    for name in names:
        has = {f.attr.key for f in facts if f.name == name}
        has |= {"employer", "workplace", "job"} if has & {"employer", "workplace", "job"} else set()
        has |= {"pet", "pets"} if has & {"pet", "pets"} else set()
        has |= {"home", "born", "year", "age"} if has & {"home", "born", "year", "age"} else set()
        for attr in ctx.sample(attrs, len(attrs)):
            if attr.key not in has and attr.questions and (attr.key in present or ctx.chance(0.5)):
                return ctx.phrase(attr.questions).format(n=name)
    return None


def _false_claim(ctx: Ctx, facts: list[Fact], fact: Fact) -> str:
    """The fact's phrase with another value: somebody else's, or a new one."""
    others = [f.value for f in facts if f.attr is fact.attr and f.value != fact.value and f.name != fact.name]
    value = ctx.pick(others) if others and ctx.chance(0.7) else fact.attr.draw(ctx)
    return "" if value == fact.value else fact.phrase.format(v=fact.attr.wrap(value))


def _scenes(ctx: Ctx) -> tuple[str, str, str, str]:
    """Passage, question, answer, evidence about several actions."""
    count = ctx.int(1, 1 + int(ctx.level * (MOST + 0.999)))
    made = [scene(ctx) for _ in range(count)]
    text, pairs = ctx.pick(made)
    question, answer = ctx.pick(pairs)
    everything = [q for _, ps in made for q, _ in ps]
    if everything.count(question) > 1:
        return _scenes(ctx)
    return " ".join(t for t, _ in made), question, answer, text


def _things(ctx: Ctx, numeric: bool) -> tuple[str, str, str, str]:
    made = [thing(ctx) for _ in range(ctx.int(1, 1 + int(ctx.level * (MOST + 0.999))))]
    asked = [m for m in made if m[3]] if numeric else made
    if not asked or len({m[1] for m in made}) < len(made):
        return _things(ctx, numeric)
    text, question, answer, _ = ctx.pick(asked)
    return " ".join(m[0] for m in made), question, answer, text


def _case(ctx: Ctx, kind: str) -> tuple[str, str, Any, str, float]:
    """Passage, question, answer, evidence and confidence for one kind of answer."""
    r = ctx.rng.random()
    if kind == "bool":
        passage, facts, human = _world(ctx)
        fact = ctx.pick(facts)
        truth = ctx.chance(0.5)
        said = fact.said if truth else _false_claim(ctx, facts, fact)
        if not said:
            return _case(ctx, kind)
        lead = ctx.phrase(("Is it true that {}?", "Does the text say that {}?", "Can we say that {}?", "Is it right that {}?", "Is it correct that {}?"))
        return passage, lead.format(f"{fact.name} {said}"), truth, fact.sentence, UNSURE if fact.hedged else SURE
    if kind == "list":
        passage, facts, _ = _world(ctx, shared=True)
        fact = ctx.pick(facts)
        names = [_bare(f.name) for f in facts if f.said == fact.said]
        same = [f for f in facts if f.attr is fact.attr and f.value == fact.value]
        if len(same) != len(names):
            return _case(ctx, kind)
        lead = ctx.phrase(("Who {}?", "Which of them {}?", "Name all who: {}?", "Who all {}?", "List all who: {}?"))
        return passage, lead.format(fact.said), names, fact.sentence, SURE
    numeric = kind == "int"
    if kind != "null" and r < 0.18:
        passage, question, answer, evidence = _things(ctx, numeric)
        return passage, question, int(answer) if numeric else answer, evidence, SURE
    if kind not in ("int", "null") and r < 0.42:
        passage, question, answer, evidence = _scenes(ctx)
        return passage, question, answer, evidence, SURE
    passage, facts, human = _world(ctx, numeric=numeric)
    if kind == "null":
        missing = _missing(ctx, facts, human)
        return (passage, missing, None, "", NONE) if missing else _case(ctx, kind)
    if numeric and not any(f.attr.numeric for f in facts):
        return _case(ctx, kind)
    fact, question, answer = _ask(ctx, facts, human, numeric)
    return passage, question, int(answer) if numeric else answer, fact.sentence, UNSURE if fact.hedged else SURE


KINDS = ("str",) * 11 + ("option",) * 5 + ("int",) * 2 + ("oint", "bool", "yesno", "list", "unknown")
YESNO = [("yes", "no"), ("Yes", "No"), ("true", "false"), ("YES", "NO"), ("right", "wrong")]


def build(ctx: Ctx) -> Built:
    """A question-answering signature and its cases."""
    kind = ctx.pick(KINDS)
    yes, no = ctx.pick(YESNO)
    types = {"str": "String", "option": "Option<String>", "int": "i64", "oint": "Option<i64>", "bool": "bool", "list": "Vec<String>",
             "yesno": f"enum:{yes}|{no}", "unknown": "String"}
    word = ctx.pick(UNKNOWN)
    p_name, q_name, a_name = naming(ctx, PASSAGE), naming(ctx, QUESTION), naming(ctx, ANSWER)
    plain = ctx.chance(0.25)
    p = 0.0 if plain else 0.55
    desc = describe(ctx, D_NULL + D_ANSWER if kind in ("option", "oint") else D_ANSWER, p)
    instruction = ctx.phrase(INSTRUCTIONS)
    if kind == "unknown":
        ask = ctx.pick(['Write "{}" if the text does not say.', 'If the text does not say, answer "{}".', '"{}" if not stated.']).format(word)
        desc, instruction = (ask, instruction) if ctx.chance(0.5) else (desc, f"{instruction} {ask}".strip())
    inputs = [Field(p_name, "String", describe(ctx, D_PASSAGE, p)), Field(q_name, "String", describe(ctx, D_QUESTION, p))]
    if ctx.chance(0.3):
        inputs.reverse()
    main = Field(a_name, types[kind], desc)
    outputs = [main]
    extra = ctx.rng.random()
    if extra < 0.12:
        f = Field(naming(ctx, ("confidence", "certainty", "score", "sureness")), "f64", describe(ctx, ("How sure, from 0 to 1.", "0 to 1."), p))
        outputs.append(f)
    elif extra < 0.2:
        f = Field(naming(ctx, ("evidence", "quote", "sentence", "support", "citation", "source_sentence")), "String",
                  describe(ctx, ("The sentence that says so.", "The sentence the answer comes from.", "Quoted from the text."), p))
        outputs.append(f) if ctx.chance(0.6) else outputs.insert(0, f)
    elif extra < 0.28:
        outputs.insert(0, Field("reasoning", "String"))
    spec = Spec("Qa", instruction, inputs, outputs)
    if not distinct(inputs + outputs):
        return build(ctx)

    def case() -> Case:
        asked = kind
        if kind in ("option", "oint", "unknown"):
            asked = "null" if ctx.chance(0.35) else "int" if kind == "oint" else "str"
        elif kind == "yesno":
            asked = "bool"
        passage, question, answer, evidence, sure = _case(ctx, asked)
        if kind == "yesno":
            answer = yes if answer else no
        elif kind == "unknown" and answer is None:
            answer = word
        out: dict[str, Any] = {}
        for f in outputs:
            if f is main:
                out[f.name] = answer
            elif f.name == "reasoning":
                out[f.name] = f"The text says: {evidence}" if evidence else "The text does not say."
            elif f.type == "f64":
                out[f.name] = sure
            else:
                out[f.name] = evidence or "none"
        values = {p_name: passage, q_name: question}
        return {f.name: values[f.name] for f in inputs}, out

    return spec, case


