#!/usr/bin/env python3
"""The peer of the bench `time_to_value`: llama.cpp, held to a JSON schema by its own grammar, through llama-cpp-python.

Reads one JSON object a line: {"prompt": [token ids], "schema": {...}, "max_tokens": n}; answers each with
{"ms": time from the call to the parsed value, "valid": bool, "tokens": tokens of the reply}.
The bench starts it; by hand: llama_schema.py MODEL.gguf THREADS
"""
import json
import sys
import time

import llama_cpp


def valid(value, schema, defs):
    """Whether a value is of the schema's types: as much of JSON schema as signatures write."""
    if "$ref" in schema:
        return valid(value, defs[schema["$ref"].rsplit("/", 1)[1]], defs)
    if "anyOf" in schema:
        return any(valid(value, one, defs) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema.get("type")
    if kind == "object":
        return isinstance(value, dict) and all(
            name in value and valid(value[name], inner, defs)
            for name, inner in schema.get("properties", {}).items()
        )
    if kind == "array":
        return isinstance(value, list) and all(valid(item, schema["items"], defs) for item in value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "null": value is None,
        "number": number,
        "integer": number and float(value).is_integer(),
    }.get(kind, True)


def main():
    model = llama_cpp.Llama(
        model_path=sys.argv[1], n_ctx=2048, n_threads=int(sys.argv[2]), n_threads_batch=int(sys.argv[2]), verbose=False
    )
    print(json.dumps({"version": llama_cpp.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        text = json.dumps(request["schema"])
        start = time.perf_counter()
        # A grammar has a state: it is made anew for each call, as `response_format` does it.
        grammar = llama_cpp.LlamaGrammar.from_json_schema(text, verbose=False)
        reply = model.create_completion(
            request["prompt"], grammar=grammar, max_tokens=request["max_tokens"], temperature=0.0
        )
        try:
            value = json.loads(reply["choices"][0]["text"])
        except ValueError:
            value = None
        ms = (time.perf_counter() - start) * 1e3
        good = value is not None and valid(value, request["schema"], request["schema"].get("$defs", {}))
        tokens = reply["usage"]["completion_tokens"]
        print(json.dumps({"ms": ms, "valid": good, "tokens": tokens}), flush=True)


if __name__ == "__main__":
    main()
