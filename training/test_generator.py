"""Training and held-out records differ in entities, sentences and field combinations, and are reproducible."""

from __future__ import annotations

import json

from . import words as w
from .evaluate import fits, parses
from .families import FAMILIES, arithmetic, domains, facts, labels, scenes
from .families.common import combo_is_held, split_templates
from .generate import record
from .heldout import held_out
from .prompt import Record, reply

COUNT = 400


def drawn(split: str) -> list[Record]:
    return [record(f, 42_000_000 + i, split) for f in FAMILIES for i in range(COUNT)]


TRAIN, HELD = drawn("train"), drawn("heldout")


def template_lists() -> list[list[str]]:
    """The templates that `Ctx.phrase` draws from, by module."""
    lists = [a.phrases for a in facts.PERSON] + [a.questions for a in facts.PERSON]
    lists += [s.says for s in vars(domains).values() if isinstance(s, domains.Slot)]
    lists += [a.frames for a in labels.AXES] + [arithmetic.ADD, arithmetic.SUB, arithmetic.START]
    return [x for x in lists if x] + [[s for s, _ in scenes.THINGS]]


def test_same_arguments_give_the_same_record() -> None:
    for family in FAMILIES:
        assert record(family, 7).to_json() == record(family, 7).to_json()


def test_field_combinations_do_not_overlap() -> None:
    def combos(records: list[Record]) -> set[tuple[str, ...]]:
        return {tuple(sorted(f.name for f in r.spec.inputs + r.spec.outputs)) for r in records if r.family != "react"}

    assert not combos(TRAIN) & combos(HELD)
    assert all(combo_is_held(r.spec) for r in HELD if r.family != "react")


def test_entities_do_not_overlap() -> None:
    pools = [p for p in vars(w).values() if isinstance(p, w.Pool)]
    held = {n for p in (w.FEMALE, w.MALE, w.PLACES) for n in p.held} - {n for p in pools for n in p.train}
    for r in TRAIN:
        text = json.dumps([r.inputs, r.outputs, r.demos])
        assert not held & set(text.replace('"', " ").replace(".", " ").replace(",", " ").split()), text
    used = json.dumps([[r.inputs, r.outputs] for r in HELD])
    assert sum(n in used for n in held) > len(held) / 2


def test_template_splits_are_disjoint_and_not_empty() -> None:
    for items in template_lists():
        train, held = split_templates(tuple(items))
        assert train and held
        if len(set(items)) >= 5:
            assert not set(train) & set(held), items


def test_held_out_slot_sentences_are_never_trained_on() -> None:
    held = [t for s in vars(domains).values() if isinstance(s, domains.Slot) for t in split_templates(tuple(s.says))[1]]
    fixed = [t.replace("{v}", "").strip(" .!") for t in held if len(t) > 14 and t.endswith("{v}.")]
    assert fixed
    texts = [" ".join(v for v in r.inputs.values() if isinstance(v, str)) for r in TRAIN if r.family == "extract"]
    for head in ("I am staying in", "It takes about", "It deserves"):
        assert not any(head in t for t in texts), head


def test_every_output_fits_its_type_and_parses() -> None:
    for r in TRAIN + HELD:
        for f in r.spec.outputs:
            assert fits(f.ty(), r.outputs[f.name]), (f, r.outputs)
        assert parses(r, reply(r.spec, r.outputs)), reply(r.spec, r.outputs)


def test_held_out_set_has_every_family() -> None:
    assert {r.family for r in held_out(2)} == set(FAMILIES)
