"""The product's prompt format (docs/prompts.md) in Python: types, notes, messages and replies.

The Rust formatter is checked against goldens written from here, so both must agree byte for byte.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

COMPLETED = "[[ ## completed ## ]]"
STRUCTURE_INTRO = "All interactions will be structured in the following way, with the appropriate values filled in."
INCOMPLETE = "This is an example of the task, though some input or output fields are not supplied."
NOT_SUPPLIED = "Not supplied for this particular example. "


@dataclass(frozen=True)
class Type:
    """A field type. `kind` is str, char, bool, int, float, json, option, list, map, enum or struct."""

    kind: str
    item: "Type | None" = None
    name: str = ""
    variants: tuple[str, ...] = ()
    fields: tuple[tuple[str, "Type", str], ...] = ()


SCALARS = {
    "String": Type("str"),
    "char": Type("char"),
    "bool": Type("bool"),
    "i64": Type("int"),
    "f64": Type("float"),
    "Json": Type("json"),
}


@lru_cache(maxsize=65536)
def parse_type(text: str) -> Type:
    """Reads a Rust-like type: `Option<i64>`, `enum:a|b`, `struct P:{"name":"String"}`."""
    ty, rest = _parse(text)
    if rest:
        raise ValueError(f"type {text!r}: {rest!r} is left over")
    return ty


def _parse(text: str) -> tuple[Type, str]:
    for head, kind in (("Option<", "option"), ("Vec<", "list"), ("HashMap<String,", "map")):
        if text.startswith(head):
            item, rest = _parse(text[len(head) :].lstrip())
            if not rest.startswith(">"):
                raise ValueError(f"type {text!r}: expected '>' at {rest!r}")
            return Type(kind, item), rest[1:]
    if text.startswith("enum:"):
        body, sep, rest = text[5:].partition(">")
        return Type("enum", variants=tuple(body.split("|"))), sep + rest
    if text.startswith("struct "):
        name, _, body = text[7:].partition(":")
        spec, end = json.JSONDecoder().raw_decode(body)
        fields = []
        for key, value in spec.items():
            ty, desc = (value, "") if isinstance(value, str) else (value["type"], value.get("desc", ""))
            fields.append((key, parse_type(ty), desc))
        return Type("struct", name=name, fields=tuple(fields)), body[end:]
    for word, ty in SCALARS.items():
        if text.startswith(word):
            return ty, text[len(word) :]
    raise ValueError(f"unknown type {text!r}")


def _literal(variant: str) -> str:
    if "'" in variant and '"' not in variant:
        return f'"{variant}"'
    return "'" + variant.replace("\\", "\\\\").replace("'", "\\'") + "'" if "'" in variant else f"'{variant}'"


@lru_cache(maxsize=65536)
def type_name(ty: Type) -> str:
    """The type as the prompt shows it: `Optional[str]`, `Literal['a', 'b']`."""
    match ty.kind:
        case "option":
            return f"Optional[{type_name(ty.item)}]"
        case "list":
            return f"list[{type_name(ty.item)}]"
        case "map":
            return f"dict[str, {type_name(ty.item)}]"
        case "enum":
            return f"Literal[{', '.join(map(_literal, ty.variants))}]"
        case "struct":
            return ty.name
        case "json":
            return "Any"
    return ty.kind


def schema(ty: Type) -> dict[str, Any]:
    """The JSON schema of a type, keys in the documented order."""
    match ty.kind:
        case "str" | "char":
            return {"type": "string"}
        case "int":
            return {"type": "integer"}
        case "float":
            return {"type": "number"}
        case "bool":
            return {"type": "boolean"}
        case "enum":
            return {"type": "string", "enum": list(ty.variants)}
        case "option":
            return {"anyOf": [schema(ty.item), {"type": "null"}]}
        case "list":
            return {"type": "array", "items": schema(ty.item)}
        case "map":
            return {"type": "object", "additionalProperties": schema(ty.item)}
        case "struct":
            properties = {n: {**schema(t), **({"description": d} if d else {})} for n, t, d in ty.fields}
            out: dict[str, Any] = {"type": "object", "properties": properties}
            required = [n for n, t, _ in ty.fields if t.kind != "option"]
            return {**out, "required": required} if required else out
    return {}


@lru_cache(maxsize=65536)
def note(ty: Type) -> str:
    """What follows `the value you produce must `; empty where there is no note."""
    match ty.kind:
        case "str":
            return ""
        case "char":
            return "be a single character"
        case "bool":
            return "be true or false"
        case "int" | "float":
            return f"be a single {ty.kind} value"
        case "json":
            return "be a JSON value"
        case "enum":
            return f"exactly match (no extra characters) one of: {'; '.join(ty.variants)}"
        case "option":
            inner = note(ty.item) or "a str value"
            return "be null or " + inner.removeprefix("be ")
    return "adhere to the JSON schema: " + dumps(schema(ty))


def dumps(value: Any) -> str:
    """JSON as the format writes it: `, ` and `: `, non-ASCII kept."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


_MARKER = re.compile(r"(^|[\n\r\x0b\x0c\x85\u2028\u2029])(\s*)(\\*\[\[\s*#)")


def escape(text: str) -> str:
    """Puts a backslash before what could be read as a marker at a line's start."""
    return _MARKER.sub(r"\1\2\\\3", text) if "[[" in text else text


def value_text(ty: Type, value: Any) -> str:
    """A value as its section shows it: strings and enum names as they are, the rest as JSON."""
    if isinstance(value, str) and ty.kind in ("str", "char", "enum", "option"):
        return escape(value)
    return dumps(value)


@dataclass
class Field:
    """One field of a signature."""

    name: str
    type: str
    desc: str = ""

    def ty(self) -> Type:
        """The parsed type."""
        return parse_type(self.type)

    def to_json(self) -> dict[str, str]:
        """The exported form."""
        return {"name": self.name, "type": self.type, "desc": self.desc}


@dataclass
class Spec:
    """A signature."""

    name: str
    instruction: str
    inputs: list[Field]
    outputs: list[Field]

    def to_json(self) -> dict[str, Any]:
        """The exported form."""
        return {
            "name": self.name,
            "instruction": self.instruction,
            "inputs": [f.to_json() for f in self.inputs],
            "outputs": [f.to_json() for f in self.outputs],
        }


@dataclass
class Record:
    """One training or evaluation example."""

    family: str
    spec: Spec
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    demos: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The exported form."""
        return {
            "family": self.family,
            "spec": self.spec.to_json(),
            "demos": [{"inputs": i, "outputs": o} for i, o in self.demos],
            "inputs": self.inputs,
            "outputs": self.outputs,
        }


def _listing(fields: list[Field]) -> str:
    lines = [f"{i}. `{f.name}` ({type_name(f.ty())}): {f.desc}" for i, f in enumerate(fields, 1)]
    return "\n".join(lines).strip()


def _structure(fields: list[Field], notes: bool) -> str:
    parts = []
    for f in fields:
        text = note(f.ty()) if notes else ""
        comment = f"        # note: the value you produce must {text}" if text else ""
        parts.append(f"[[ ## {f.name} ## ]]\n{{{f.name}}}{comment}")
    return "\n\n".join(parts)


def default_instruction(spec: Spec) -> str:
    """What stands in for an empty instruction."""
    ins, outs = (", ".join(f"`{f.name}`" for f in fs) for fs in (spec.inputs, spec.outputs))
    return f"Given the fields {ins}, produce the fields {outs}."


def system_message(spec: Spec) -> str:
    """The first message: fields, structure, objective."""
    instruction = spec.instruction or default_instruction(spec)
    objective = "".join(f"\n        {line}" for line in instruction.splitlines())
    return (
        f"Your input fields are:\n{_listing(spec.inputs)}\nYour output fields are:\n{_listing(spec.outputs)}\n"
        f"{STRUCTURE_INTRO}\n\n{_structure(spec.inputs, False)}\n\n{_structure(spec.outputs, True)}\n\n{COMPLETED}\n"
        f"In adhering to this structure, your objective is: {objective}"
    )


def input_sections(spec: Spec, values: dict[str, Any]) -> list[str]:
    """The sections of the inputs that `values` holds."""
    return [f"[[ ## {f.name} ## ]]\n{value_text(f.ty(), values[f.name])}" for f in spec.inputs if f.name in values]


def request(spec: Spec) -> str:
    """The line that asks for the outputs."""
    asks = []
    for f in spec.outputs:
        hint = "" if f.ty().kind == "str" else f" (must be formatted as a valid {type_name(f.ty())})"
        asks.append(f"`[[ ## {f.name} ## ]]`{hint}")
    return (
        f"Respond with the corresponding output fields, starting with the field {', then '.join(asks)}"
        f", and then ending with the marker for `{COMPLETED}`."
    )


def reply(spec: Spec, values: dict[str, Any]) -> str:
    """The assistant's message, without a newline at its end."""
    sections = []
    for f in spec.outputs:
        text = value_text(f.ty(), values[f.name]) if f.name in values else NOT_SUPPLIED
        sections.append(f"[[ ## {f.name} ## ]]\n{text}")
    return "\n\n".join(sections).strip() + f"\n\n{COMPLETED}"


def messages(record: Record) -> list[dict[str, str]]:
    """All messages up to the request."""
    spec, out = record.spec, [{"role": "system", "content": system_message(record.spec)}]

    def complete(demo: tuple[dict[str, Any], dict[str, Any]]) -> bool:
        return all(f.name in demo[0] for f in spec.inputs) and all(f.name in demo[1] for f in spec.outputs)

    for demo in sorted(record.demos, key=complete):
        prefix = [] if complete(demo) else [INCOMPLETE]
        user = "\n\n".join(prefix + input_sections(spec, demo[0])).strip()
        out.append({"role": "user", "content": user})
        out.append({"role": "assistant", "content": reply(spec, demo[1])})
    user = "\n\n".join([*input_sections(spec, record.inputs), request(spec)]).strip()
    out.append({"role": "user", "content": user})
    return out


def chat(record: Record) -> tuple[list[tuple[str, str]], str]:
    """The messages as (role, content) pairs, and the reply."""
    return [(m["role"], m["content"]) for m in messages(record)], reply(record.spec, record.outputs)
