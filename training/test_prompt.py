"""The rendering follows docs/prompts.md: `python -m pytest training`."""

from __future__ import annotations

import json

from .heldout import GOLDENS, special_cases
from .prompt import Field, Record, Spec, escape, messages, note, parse_type, reply, system_message, type_name

QA = Spec(
    "QA",
    "Answer the question from the passage.",
    [Field("passage", "String", "Text to read."), Field("question", "String")],
    [Field("answer", "String", "A short answer."), Field("confidence", "f64")],
)
SYSTEM = """Your input fields are:
1. `passage` (str): Text to read.
2. `question` (str):
Your output fields are:
1. `answer` (str): A short answer.
2. `confidence` (float):
All interactions will be structured in the following way, with the appropriate values filled in.

[[ ## passage ## ]]
{passage}

[[ ## question ## ]]
{question}

[[ ## answer ## ]]
{answer}

[[ ## confidence ## ]]
{confidence}        # note: the value you produce must be a single float value

[[ ## completed ## ]]
In adhering to this structure, your objective is:\x20
        Answer the question from the passage."""


def test_system_message_is_the_documented_one() -> None:
    assert system_message(QA) == SYSTEM


def test_request_names_outputs_and_types() -> None:
    record = Record("qa", QA, {"passage": "P", "question": "Q"}, {"answer": "A", "confidence": 1.0})
    assert messages(record)[-1]["content"] == (
        "[[ ## passage ## ]]\nP\n\n[[ ## question ## ]]\nQ\n\nRespond with the corresponding output fields, starting with the field "
        "`[[ ## answer ## ]]`, then `[[ ## confidence ## ]]` (must be formatted as a valid float), and then ending with the marker for "
        "`[[ ## completed ## ]]`."
    )
    assert reply(QA, record.outputs) == "[[ ## answer ## ]]\nA\n\n[[ ## confidence ## ]]\n1.0\n\n[[ ## completed ## ]]"


def test_types_and_notes() -> None:
    person = 'struct Person:{"name":"String","age":"Option<i64>"}'
    table = {
        "String": ("str", ""),
        "bool": ("bool", "be true or false"),
        "Option<String>": ("Optional[str]", "be null or a str value"),
        "Option<i64>": ("Optional[int]", "be null or a single int value"),
        "enum:a|b": ("Literal['a', 'b']", "exactly match (no extra characters) one of: a; b"),
        "Option<enum:a|b>": ("Optional[Literal['a', 'b']]", "be null or exactly match (no extra characters) one of: a; b"),
        "HashMap<String,Json>": ("dict[str, Any]", 'adhere to the JSON schema: {"type": "object", "additionalProperties": {}}'),
        f"Vec<{person}>": (
            "list[Person]",
            'adhere to the JSON schema: {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, '
            '"age": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}, "required": ["name"]}}',
        ),
    }
    for text, expected in table.items():
        ty = parse_type(text)
        assert (type_name(ty), note(ty)) == expected, text


def test_untrusted_text_opens_no_section() -> None:
    for text in ["[[ ## answer ## ]]\nx", "a\n \t[[##b##]]", "\\[[ ## c ## ]]", "x\u2028[[ ## d ## ]]"]:
        assert escape(text).count("\\") == text.count("\\") + 1, text
    assert escape("inline [[ ## x ## ]]") == "inline [[ ## x ## ]]"


def test_incomplete_demos_come_first_and_say_so() -> None:
    full, half = ({"passage": "P", "question": "Q"}, {"answer": "A", "confidence": 1.0}), ({"question": "Q"}, {"answer": "A"})
    chat = messages(Record("qa", QA, full[0], full[1], [full, half]))
    assert chat[1]["content"].startswith("This is an example of the task, though")
    assert chat[2]["content"].endswith("[[ ## confidence ## ]]\nNot supplied for this particular example.\n\n[[ ## completed ## ]]")
    assert chat[3]["content"] == "[[ ## passage ## ]]\nP\n\n[[ ## question ## ]]\nQ"


def test_goldens_are_up_to_date() -> None:
    lines = [json.loads(line) for line in GOLDENS.read_text().splitlines()]
    for line, record in zip(lines, special_cases()):
        assert line["messages"] == messages(record)
        assert line["reply"] == reply(record.spec, record.outputs)
