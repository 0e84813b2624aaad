#!/usr/bin/env bash
# The library on 64-bit ARM: it is checked for that target, and the kernels' tests run under an emulator, with the dot products of
# ARMv8.2 and without them.
#
# Where rustup has the target's standard library (`rustup target add aarch64-unknown-linux-gnu`), rustup's toolchain is taken. Elsewhere
# Debian's, of a later version than the pinned one, which says whether it builds and nothing more:
#   apt-get install rustc-web cargo-web gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
#   dpkg --add-architecture arm64 && apt-get update && cd "$(mktemp -d)" && apt-get download libstd-rust-web-dev:arm64
#   dpkg -x libstd-rust-web-dev_*_arm64.deb x && cp -r x/usr/lib/rustlib/aarch64-unknown-linux-gnu /usr/lib/rustlib/
set -euo pipefail
cd "$(dirname "$0")/../.."
target=aarch64-unknown-linux-gnu
cargo=
for one in cargo /usr/bin/cargo; do
  rustc=${one%cargo}rustc
  if command -v "$rustc" > /dev/null && [ -d "$("$rustc" --print sysroot)/lib/rustlib/$target/lib" ]; then cargo=$one; break; fi
done
if [ -z "$cargo" ]; then
  echo "the standard library of $target is missing: rustup target add $target, or see the head of $0" >&2
  exit 2
fi
if ! command -v aarch64-linux-gnu-gcc > /dev/null; then
  echo "a linker and C compiler for $target is missing: apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross" >&2
  exit 2
fi
# Another compiler's files stay apart.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target/aarch64}"
export RUSTC=$rustc CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
# Linked statically: QEMU 7.2 hangs where a program of shared libraries starts a thread.
tests=$("$cargo" rustc -p candle-signature --lib --profile test --target "$target" --message-format=json -- -C target-feature=+crt-static |
  python3 -c 'import json, sys
for one in map(json.loads, sys.stdin):
    if one.get("executable"): print(one["executable"])')
if ! command -v qemu-aarch64-static > /dev/null; then
  echo "it builds; to run it: apt-get install qemu-user-static" >&2
  exit 0
fi
cd runtime
for cpu in neoverse-n1 cortex-a57; do
  echo "== $cpu"
  qemu-aarch64-static -cpu "$cpu" "$tests" kernels
done
