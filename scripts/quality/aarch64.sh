#!/usr/bin/env bash
# It builds for 64-bit ARM: `cargo check` for that target, without a linker. onig and other C code are not in the default features.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${1:-aarch64-unknown-linux-gnu}
if ! [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
  echo "the standard library of $target is missing: rustup target add $target" >&2
  exit 2
fi
cargo check -p candle-signature --target "$target"
