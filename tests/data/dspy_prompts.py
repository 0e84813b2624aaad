"""Writes dspy_prompts.jsonl: what DSPy's ChatAdapter and JSONAdapter make of some signatures. Run once: `pip install dspy==3.4.1`, then
`python dspy_prompts.py > dspy_prompts.jsonl`. Only types that are written alike in both (no bool, no Optional)."""
import json
from typing import Literal
import dspy

TYPES = {
    "String": str, "i64": int, "f64": float, "Vec<String>": list[str], "Vec<i64>": list[int],
    "HashMap<String,i64>": dict[str, int], "enum:low|high|on-fire": Literal["low", "high", "on-fire"],
    "enum:it's|\"x\"": Literal["it's", '"x"'],
}

def case(instruction, inputs, outputs, demos, values, adapter=dspy.ChatAdapter):
    fields = {}
    for name, ty, desc in inputs:
        fields[name] = (TYPES[ty], dspy.InputField(desc=desc) if desc else dspy.InputField())
    for name, ty, desc in outputs:
        fields[name] = (TYPES[ty], dspy.OutputField(desc=desc) if desc else dspy.OutputField())
    signature = dspy.make_signature(fields, instruction or None)
    messages = adapter().format(signature, demos, values)
    listed = lambda fs: [{"name": n, "type": t, "desc": d} for n, t, d in fs]
    names = lambda fs: {n for n, _, _ in fs}
    split = lambda demo: {
        "inputs": {k: v for k, v in demo.items() if k in names(inputs)},
        "outputs": {k: v for k, v in demo.items() if k in names(outputs)},
    }
    print(json.dumps({
        "spec": {"name": "Case", "instruction": instruction, "format": "json" if adapter is dspy.JSONAdapter else "chat", "inputs": listed(inputs), "outputs": listed(outputs)},
        "demos": [split(d) for d in demos], "inputs": values, "messages": messages,
    }))

QA_IN = [("passage", "String", "Text to read."), ("question", "String", "")]
QA_OUT = [("answer", "String", "A short answer."), ("confidence", "f64", "")]
case("Answer the question from the passage.", QA_IN, QA_OUT, [], {"passage": "Ann is 4.\nBo is 5.", "question": "How old is Bo?"})
case("", QA_IN, QA_OUT, [], {"passage": "é ☃ \"q\"", "question": "?"})
case("Two lines.\n\nAnd a paragraph.", QA_IN, QA_OUT,
     [{"passage": "P", "question": "Q", "answer": "A", "confidence": 1.0},
      {"question": "only", "answer": "half"},
      {"passage": "P2", "question": "Q2", "answer": "A2", "confidence": 0.25}],
     {"passage": "x", "question": "y"})
case("Label it.", [("ticket", "String", "")], [("urgency", "enum:low|high|on-fire", "How soon."), ("tags", "Vec<String>", "")],
     [{"ticket": "t", "urgency": "on-fire", "tags": ["a", "b c"]}], {"ticket": "It burns."})
case("Count.", [("items", "Vec<i64>", ""), ("limit", "i64", "The most.")],
     [("counts", "HashMap<String,i64>", ""), ("total", "i64", "")],
     [{"items": [1, 2], "limit": 3, "counts": {"a": 1}, "total": 3}], {"items": [], "limit": 9})
case("Quote.", [("text", "String", "")], [("kind", "enum:it's|\"x\"", "")], [], {"text": "a"})
case("  Indented.\n    More.\n\n      Deeper.", [("text", "String", "")], [("out", "String", "")], [], {"text": "  padded  "})
case("Answer.", QA_IN, QA_OUT, [{"passage": "P", "question": "Q", "answer": "A \"q\" é", "confidence": 1.0}],
     {"passage": "x", "question": "y"}, dspy.JSONAdapter)
case("", [("ticket", "String", "")], [("urgency", "enum:low|high|on-fire", "How soon."), ("reason", "String", "")], [],
     {"ticket": "It burns."}, dspy.JSONAdapter)
