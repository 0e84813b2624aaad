#!/bin/bash
# Builds llama-bench, the peer of `cargo bench -p candle-signature --bench engine`, for this machine's processor.
# Needs what llama_source.sh needs. Writes to target/llama.cpp, or to $1.
set -e
cd "$(dirname "$0")/../.."
out=${1:-target/llama.cpp}
source=$(scripts/bench/llama_source.sh "$out")
out=$(cd "$out" && pwd)
export PATH="$out/tools/bin:$PATH"
cmake -S "$source" -B "$out" -G Ninja -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DGGML_OPENMP=ON \
  -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF \
  -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF
cmake --build "$out" --target llama-bench -j"$(nproc)"
echo "$out/bin/llama-bench"
