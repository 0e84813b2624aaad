#!/usr/bin/env bash
# The public face of the library against that of another revision, main's if none is named.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v cargo-semver-checks >/dev/null || { echo "cargo-semver-checks is missing: cargo install --locked cargo-semver-checks" >&2; exit 2; }
cargo semver-checks -p candle-signature --baseline-rev "${1:-main}" --only-explicit-features --features chrono
