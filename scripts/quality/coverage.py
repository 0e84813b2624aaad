"""Prints the share of lines that were run, by group of files, against each group's bar; exits with 1 where one is missed.

Called by coverage.sh with the lcov report. A line counts as run where any instance of its function has run it: llvm-cov's own summary takes the best single
instance of a generic function instead. With a third word it lists the files below that percentage, and their lines that were not run.
"""

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


def read(report):
    """(file, lines counted, numbers of those not run) of each file."""
    for record in open(report, encoding="utf-8").read().split("end_of_record"):
        file = re.search(r"^SF:(.*)$", record, re.MULTILINE)
        runs = re.findall(r"^DA:(\d+),(\d+)", record, re.MULTILINE)
        if file:
            yield file.group(1), len(runs), [int(line) for line, count in runs if count == "0"]


files = list(read(sys.argv[1]))
missed = False
for name, bar, pattern in GROUPS:
    group = [(count, count - len(missing)) for file, count, missing in files if re.search(pattern, file)]
    count, covered = sum(c for c, _ in group), sum(c for _, c in group)
    if count == 0:
        continue
    share = 100 * covered / count
    verdict = "" if bar is None else f"   bar {bar} %" + ("" if share >= bar else "   MISSED")
    missed |= bar is not None and share < bar
    print(f"{name:22} {len(group):4} files {covered:6} of {count:6} lines {share:6.2f} %{verdict}")
if len(sys.argv) > 2:
    for file, count, missing in sorted(files, key=lambda entry: -len(entry[2])):
        if count and 100 * (count - len(missing)) / count < float(sys.argv[2]):
            print(f"  {len(missing):5} lines not run: {file.split('/runtime/')[-1]}: {', '.join(map(str, missing))}")
sys.exit(missed)
