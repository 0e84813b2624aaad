#!/usr/bin/env bash
# The library on 64-bit ARM: it builds for that target, and the kernels' tests pass under an emulator, once on a processor with the dot
# products of ARMv8.2 and once on one without them, each with the kernels that are meant for it. `aarch64.sh whole` also has the embedded
# model reply, which takes minutes more.
#
# Where rustup has the target's standard library (`rustup target add aarch64-unknown-linux-gnu`), rustup's toolchain is taken. Elsewhere
# Debian's, of bookworm's updates: it may be later than the pinned one, so what it accepts the pinned one need not.
#   dpkg --add-architecture arm64 && apt-get update
#   apt-get install --no-install-recommends rustc-web cargo-web libstd-rust-web-dev:arm64 \
#     gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
set -euo pipefail
cd "$(dirname "$0")/../.."
target=aarch64-unknown-linux-gnu
cargo=
for one in cargo /usr/bin/cargo; do
  rustc=${one%cargo}rustc
  if command -v "$one" > /dev/null && command -v "$rustc" > /dev/null \
    && [ -d "$("$rustc" --print sysroot)/lib/rustlib/$target/lib" ]; then cargo=$one; break; fi
done
if [ -z "$cargo" ]; then
  echo "the standard library of $target is missing: rustup target add $target, or Debian's: see the head of $0" >&2
  exit 2
fi
if ! command -v aarch64-linux-gnu-gcc > /dev/null; then
  echo "a linker and C compiler for $target is missing: apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross" >&2
  exit 2
fi
echo "== $("$rustc" --version), $target"
# Another compiler's files stay apart.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target/aarch64}"
export RUSTC=$rustc CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
"$cargo" test -p candle-signature --lib --no-run --target "$target"
if ! command -v qemu-aarch64-static > /dev/null; then
  echo "it builds; nothing was run: apt-get install qemu-user-static" >&2
  exit 0
fi
# The C library is named beside its loader: where libc6:arm64 is installed too (libstd-rust-web-dev:arm64 brings it), the loader would take
# that one, of another version, and the first thread that starts would spin for ever.
root=/usr/aarch64-linux-gnu
emulator="qemu-aarch64-static -L $root -E LD_LIBRARY_PATH=$root/lib"
# The emulator of a processor, and the quantized kernels that the library must find there.
on() {
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="$emulator -cpu $1" EXPECTED_KERNELS=$2
  echo "== $1: $2"
}
on neoverse-n1 "NEON dot products"
"$cargo" test -p candle-signature --lib --target "$target" -- kernels
if [ "${1:-}" = whole ]; then
  "$cargo" test -p candle-signature-tests --test embedded --target "$target" -- greedy_replies_are_those_of_pytorch
fi
on cortex-a57 portable
"$cargo" test -p candle-signature --lib --target "$target" -- kernels
