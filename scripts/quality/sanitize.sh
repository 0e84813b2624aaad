#!/usr/bin/env bash
# The unit tests of everything with `unsafe` in it (kernels, thread team, memory, mapped files) under a sanitizer: `address` by
# default, `thread` for data races. Needs a nightly toolchain, for its sanitizers only.
set -euo pipefail
cd "$(dirname "$0")/../.."
kind=${1:-address}
cargo +nightly --version >/dev/null 2>&1 || { echo "a nightly toolchain is missing: rustup toolchain install nightly" >&2; exit 2; }
host=$(rustc -vV | sed -n 's/^host: //p')
# A target named apart keeps the flags from build scripts and macros, which a sanitizer cannot be loaded into.
export RUSTFLAGS="-Zsanitizer=$kind" CARGO_TARGET_DIR=target/sanitize-$kind CARGO_INCREMENTAL=0
if [ "$kind" = thread ]; then
  # The standard library that comes with the toolchain is not instrumented: its own locks would look like races.
  export TSAN_OPTIONS="ignore_noninstrumented_modules=1 ${TSAN_OPTIONS:-}" RUSTFLAGS="$RUSTFLAGS -Cunsafe-allow-abi-mismatch=sanitizer"
fi
exec cargo +nightly test -p candle-signature --target "$host" --no-default-features --lib "${@:2}" -- kernels load::
