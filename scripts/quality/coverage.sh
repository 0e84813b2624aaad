#!/usr/bin/env bash
# The lines of library and macros that the whole workspace's tests run, by cargo-llvm-cov. LLVM's own tools must be those of rustc's LLVM: they come by
# `rustup component add llvm-tools`, or as a package llvm-NN of that version (`rustc -vV` says which; Debian has it). Words are
# cargo's and choose packages (`-p candle-signature -p candle-signature-tests`); `--no-run` prints the table of the last run again,
# `--missing` the lines that the last run left out. The macros' lines count whether tests of theirs or rustc ran them.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v cargo-llvm-cov >/dev/null || { echo "cargo-llvm-cov is missing: cargo install --locked cargo-llvm-cov" >&2; exit 2; }
version=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
for folder in "$(rustc --print target-libdir)/../bin" "/usr/lib/llvm-$version/bin"; do
  if [ -x "$folder/llvm-cov" ] && [ -x "$folder/llvm-profdata" ]; then
    export LLVM_COV="${LLVM_COV:-$folder/llvm-cov}" LLVM_PROFDATA="${LLVM_PROFDATA:-$folder/llvm-profdata}"
  fi
done
[ -n "${LLVM_COV:-}" ] || { echo "llvm-cov of LLVM $version is missing: rustup component add llvm-tools" >&2; exit 2; }
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target/llvm-cov-target}"
# shellcheck disable=SC2046
eval "$(cargo llvm-cov show-env --sh)"
# The kernels are left out of the count: with a counter in each loop they are a hundred times slower. They are tested against their plain versions by the
# tests beside them.
export RUSTC_WRAPPER="$PWD/scripts/quality/rustc_counted.sh"
# The GPU's code is run by scripts/cuda, on a machine that has one.
ignore='/(tests|tests-dspy|tests-serve|ui-tests|examples|plots|benches|build\.rs)|/engine/(cuda|kernels|model/cuda)'
# Files of tests beside what they test.
ignore="$ignore|/macros/src/(mutation\.rs|refusals/|snapshots\.rs)"
if [ "${1:-}" = --missing ]; then
  exec python3 scripts/quality/coverage.py target/coverage.lcov 100
fi
if [ "${1:-}" != --no-run ]; then
  [ $# -gt 0 ] || set -- --workspace
  cargo llvm-cov clean --workspace
  # What fails is told by the tests; what ran is counted all the same.
  cargo test --tests --no-fail-fast "$@" || echo "some tests failed" >&2
fi
cargo llvm-cov report --lcov --ignore-filename-regex "$ignore" --output-path target/coverage.lcov
python3 scripts/quality/coverage.py target/coverage.lcov
