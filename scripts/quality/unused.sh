#!/usr/bin/env bash
# No dependency that nothing uses.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v cargo-machete >/dev/null || { echo "cargo-machete is missing: cargo install --locked cargo-machete" >&2; exit 2; }
# By the command's own name: `cargo machete` takes the folder for a word of its own.
cargo-machete --with-metadata .
