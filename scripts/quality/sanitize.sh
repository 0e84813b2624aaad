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
# A test asks for more memory than there is, to see the error.
export ASAN_OPTIONS="allocator_may_return_null=1 ${ASAN_OPTIONS:-}"
tests=(kernels load::)
if [ "$kind" = thread ]; then
  # The standard library that comes with the toolchain is not instrumented: locks of its own look like races wherever another crate's threads wait for
  # one another by them. So these are the tests that no threads of rayon's are in, which candle's operations use.
  tests=(kernels::team kernels::pieces kernels::activation kernels::quantized kernels::memory kernels::simd kernels::lanes attention::group attention::tests::a_ load::)
  export TSAN_OPTIONS="ignore_noninstrumented_modules=1 allocator_may_return_null=1 ${TSAN_OPTIONS:-}"
  export RUSTFLAGS="$RUSTFLAGS -Cunsafe-allow-abi-mismatch=sanitizer"
fi
exec cargo test -p candle-signature --target "$host" --no-default-features --lib "${@:2}" -- "${tests[@]}"
