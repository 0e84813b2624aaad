#!/usr/bin/env bash
# Builds the GPU tests and the GPU bench on a machine that needs no GPU, to be carried to one that has.
#
#   bash scripts/cuda/build_binaries.sh [DIR]      (default: target/cuda-binaries)
#
# DIR then holds cuda_tests, cuda_bench, time_to_value, decode.cubin and root (where this repository lies here: the binaries look for test
# data there). scripts/cuda/run_on_gpu.sh runs them.
set -euo pipefail
cd "$(dirname "$0")/../.."
OUT=${1:-target/cuda-binaries}
mkdir -p "$OUT"
eval "$(bash scripts/cuda/setup_cuda_toolchain.sh target/cuda)"
export LIBRARY_PATH="$CUDA_HOME/lib:$CUDA_HOME/lib/stubs${LIBRARY_PATH:+:$LIBRARY_PATH}"
# One call for all, so that what they share is built once.
cargo test --release --no-run -p candle-signature-tests -p candle-signature --features cuda --test cuda --bench cuda --bench time_to_value \
  --message-format=json | python3 -c '
import json, shutil, sys
for one in map(json.loads, sys.stdin):
    if not one.get("executable"):
        continue
    name, kind = one["target"]["name"], one["target"]["kind"][0]
    if name == "cuda":
        shutil.copy(one["executable"], sys.argv[1] + {"bench": "/cuda_bench", "test": "/cuda_tests"}[kind])
    elif name == "time_to_value":
        shutil.copy(one["executable"], sys.argv[1] + "/time_to_value")
' "$OUT"
strip "$OUT/cuda_tests" "$OUT/cuda_bench" "$OUT/time_to_value"
KERNELS=runtime/src/engine/kernels/cuda
"$NVCC" -arch=sm_90 -O3 -std=c++17 -cubin -o "$OUT/decode.cubin" "$KERNELS/decode.cu"
"$NVCC" -arch=sm_90 -O3 -std=c++17 -DPROFILE -cubin -o "$OUT/decode_profile.cubin" "$KERNELS/decode.cu"
pwd > "$OUT/root"
echo "built in $OUT"
