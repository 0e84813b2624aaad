#!/usr/bin/env bash
# The unit tests of everything with `unsafe` in it (kernels, thread team, memory, mapped files) under a sanitizer: `address` by
# default, `thread` for data races. The pinned toolchain has the sanitizers; RUSTC_BOOTSTRAP lets it take the flag for them.
set -euo pipefail
cd "$(dirname "$0")/../.."
kind=${1:-address}
host=$(rustc -vV | sed -n 's/^host: //p')
case $kind in address) short=asan ;; thread) short=tsan ;; *) echo "address or thread, not $kind" >&2; exit 2 ;; esac
[ -e "$(rustc --print target-libdir)/librustc-stable_rt.$short.a" ] || { echo "this toolchain has no $kind sanitizer: rustup's has" >&2; exit 2; }
# A target named apart keeps the flags from build scripts and macros, which a sanitizer cannot be loaded into.
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=$kind" CARGO_TARGET_DIR=target/sanitize-$kind CARGO_INCREMENTAL=0
if [ "$kind" = thread ]; then
  # The standard library that comes with the toolchain is not instrumented: its own locks would look like races.
  export TSAN_OPTIONS="ignore_noninstrumented_modules=1 ${TSAN_OPTIONS:-}" RUSTFLAGS="$RUSTFLAGS -Cunsafe-allow-abi-mismatch=sanitizer"
fi
exec cargo test -p candle-signature --target "$host" --no-default-features --lib "${@:2}" -- kernels load::
