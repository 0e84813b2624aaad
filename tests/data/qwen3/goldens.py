"""Renders conversations with Qwen3's template as transformers does: `python tests/data/qwen3/goldens.py` (transformers, jinja2)."""

import json
from pathlib import Path

from transformers.utils.chat_template_utils import render_jinja_template

HERE = Path(__file__).parent
USER = {"role": "user", "content": "What is 2 + 2?"}
THOUGHT = {"role": "assistant", "content": "<think>\nEasy.\n</think>\n\n4"}
CALL = {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {"name": "add", "arguments": {"a": 1, "b": "ü"}}}]}
TOOL = {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}}
CASES = [
    ([USER], None),
    ([{"role": "system", "content": "Be brief."}, USER], None),
    ([USER, THOUGHT, {"role": "user", "content": "And 3 + 3?"}], None),
    ([USER, {"role": "assistant", "content": "4"}, USER, {"role": "assistant", "content": "4"}, USER], None),
    ([USER], [TOOL]),
    ([USER, CALL, {"role": "tool", "content": "4"}], [TOOL]),
    ([USER, CALL, {"role": "tool", "content": "4"}, {"role": "tool", "content": "5"}, THOUGHT, USER], [TOOL]),
]


def main() -> None:
    template = (HERE / "chat_template.jinja").read_text()
    with (HERE / "chat_template.jsonl").open("w") as out:
        for messages, tools in CASES:
            texts, _ = render_jinja_template([messages], tools=tools, chat_template=template, add_generation_prompt=True, enable_thinking=False)
            print(json.dumps({"messages": messages, "tools": tools, "text": texts[0]}, ensure_ascii=False), file=out)


main()
