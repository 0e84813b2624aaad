"""Training and held-out records differ in entities, sentences and field combinations, and are reproducible."""

from __future__ import annotations

import json

from . import words as w
from .evaluate import fits, parses
from .families import FAMILIES, arithmetic, domains, extract, facts, labels, scenes
from .families.common import combo_is_held, split_templates
from .families.patterns import Patterns, words
from .generate import record
from .heldout import held_out
from .prompt import Record, reply

COUNT = 400


def drawn(split: str) -> list[Record]:
    return [record(f, 42_000_000 + i, split) for f in FAMILIES for i in range(COUNT)]


TRAIN, HELD = drawn("train"), drawn("heldout")


def patterns() -> list[Patterns]:
    """Every list of sentence patterns of the families."""
    found = [x for a in [*facts.PERSON, *(v for v in vars(facts).values() if isinstance(v, facts.Attr))] for x in (a.phrases, a.questions)]
    found += [x for s in vars(domains).values() if isinstance(s, domains.Slot) for x in (s.says, s.denies)]
    found += [x for pair in [*scenes.THINGS, *scenes.COLORED, *scenes.KEPT] for x in pair] + [extract.LABELED]
    return [p for p in found if isinstance(p, Patterns)]


def template_lists() -> list[list[str]]:
    """The plain template lists that `Ctx.phrase` draws from."""
    return [a.frames for a in labels.AXES] + [arithmetic.ADD, arithmetic.SUB, arithmetic.START]


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


def test_held_out_patterns_are_new_sentences_of_known_words() -> None:
    lists = patterns()
    assert sum(bool(p.held) for p in lists) > 0.7 * len(lists)
    for p in lists:
        trained = [t for source in p.train for t in source]
        known = set().union(*map(words, trained))
        assert trained and not set(p.held) & set(trained)
        assert all(words(t) <= known for t in p.held)


def test_held_out_sentences_are_never_trained_on() -> None:
    held = {t.split("{v}")[0] for s in vars(domains).values() if isinstance(s, domains.Slot) for t in s.says.held}
    known = {t.split("{v}")[0] for s in vars(domains).values() if isinstance(s, domains.Slot) for source in s.says.train for t in source}
    heads = [h for h in held if len(h) > 14 and not any(h in k for k in known)]
    assert len(heads) > 20
    texts = [" ".join(v for v in r.inputs.values() if isinstance(v, str)) for r in TRAIN if r.family == "extract"]
    assert not [h for h in heads if any(h in t for t in texts)]


def test_every_output_fits_its_type_and_parses() -> None:
    for r in TRAIN + HELD:
        for f in r.spec.outputs:
            assert fits(f.ty(), r.outputs[f.name]), (f, r.outputs)
        assert parses(r, reply(r.spec, r.outputs)), reply(r.spec, r.outputs)


def test_held_out_set_has_every_family() -> None:
    assert {r.family for r in held_out(2)} == set(FAMILIES)
