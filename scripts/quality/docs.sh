#!/usr/bin/env bash
# Documentation without a warning, and a book without a broken chapter. The feature `cuda` needs CUDA's compiler and is left out.
set -euo pipefail
cd "$(dirname "$0")/../.."
features=$(cargo metadata --no-deps --format-version 1 |
  python3 -c 'import json,sys; print(",".join(f for p in json.load(sys.stdin)["packages"] if p["name"]=="candle-signature" for f in p["features"] if f not in ("cuda","default")))')
echo "features: $features"
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps -p candle-signature -p candle-signature-macros --features "$features"
if command -v mdbook >/dev/null; then mdbook build; else echo "mdbook is missing: the book was not built (cargo install --locked mdbook)"; fi
cargo test -q -p candle-signature-tests --test documents
