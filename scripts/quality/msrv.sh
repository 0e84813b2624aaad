#!/usr/bin/env bash
# The oldest Rust that Cargo.toml states builds the default members, tests and examples included.
set -euo pipefail
cd "$(dirname "$0")/../.."
stated=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
have=$(rustc --version | sed 's/rustc \([0-9]*\.[0-9]*\).*/\1/')
if [ "$have" = "$stated" ]; then
  cargo check --all-targets
else
  cargo "+$stated" check --all-targets
fi
echo "Rust $stated, as stated, builds it"
