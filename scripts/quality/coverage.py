"""Prints the share of lines that were run, by group of files, against each group's bar; exits with 1 where one is missed.

Called by coverage.sh with what `llvm-cov export -summary-only` wrote. With a third word it lists the files below that percentage.
"""

import json
import re
import sys

# What reads attributes and says what is wrong with them.
SIGNATURES = r"/macros/src/(ast|attr|case|check|constraint|ctxt|field|pattern|shape|suggest|tool|valid|value)\.rs"

GROUPS = [
    ("prompt formatting", 100, r"/runtime/src/prompt/"),
    ("Example", 100, r"/runtime/src/signature/example\.rs|/macros/src/(entry|example|example_file|json|literal|untyped)\.rs"),
    ("signature parsing", 100, r"/runtime/src/signature/(spec_json|spec_constraint|type_string|python_type|shorthand|suits)\.rs|" + SIGNATURES),
    ("output parsing", 100, r"/runtime/src/parse/"),
    ("errors", 90, r"/error\.rs|/api_error\.rs"),
    ("dspy-rs integration", 80, r"/runtime/src/dspy/"),
    ("macros", None, r"/macros/src/"),
    ("grammar", None, r"/runtime/src/grammar/"),
    ("engine", None, r"/runtime/src/engine/"),
    ("adapter", None, r"/runtime/src/adapter/"),
    ("programs", None, r"/runtime/src/program/"),
    ("endpoint", None, r"/runtime/src/serve/"),
    ("hub", None, r"/runtime/src/hub/"),
    ("remote engines", None, r"/runtime/src/remote/"),
    ("command line", None, r"/cli/src/"),
    ("overall", 90, r""),
]

files = [
    (entry["filename"], entry["summary"]["lines"]["count"], entry["summary"]["lines"]["covered"])
    for entry in json.load(open(sys.argv[1], encoding="utf-8"))["data"][0]["files"]
]
missed = False
for name, bar, pattern in GROUPS:
    group = [(count, covered) for file, count, covered in files if re.search(pattern, file)]
    count, covered = sum(c for c, _ in group), sum(c for _, c in group)
    if count == 0:
        continue
    share = 100 * covered / count
    verdict = "" if bar is None else f"   bar {bar} %" + ("" if share >= bar else "   MISSED")
    missed |= bar is not None and share < bar
    print(f"{name:22} {len(group):4} files {covered:6} of {count:6} lines {share:6.2f} %{verdict}")
if len(sys.argv) > 2:
    for file, count, covered in sorted(files, key=lambda entry: entry[2] - entry[1]):
        if count and 100 * covered / count < float(sys.argv[2]):
            print(f"  {count - covered:5} lines not run, {100 * covered / count:6.2f} %  {file.split('/runtime/')[-1]}")
sys.exit(missed)
