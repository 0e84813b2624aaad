#!/usr/bin/env bash
# Everything that needs a GPU, in one command: tests, the check of the decode kernel, references, bench with ratios.
#
#   bash scripts/cuda/run_on_gpu.sh [DIR]      (default: target/cuda-binaries, see build_binaries.sh)
#
# Needs a Hopper GPU with its driver, cuBLAS and cuRAND 13 (those in torch's wheels do), and for the references python3 with
# torch and transformers. SANITIZE=1 also runs the tests under compute-sanitizer; REFERENCES=0 leaves the references out,
# which take minutes.
set -uo pipefail
cd "$(dirname "$0")/../.."
DIR=$(cd "${1:-target/cuda-binaries}" && pwd)
ROOT=$(cat "$DIR/root")
if [ ! -e "$ROOT/tests/data" ]; then mkdir -p "$(dirname "$ROOT")" && ln -sfn "$PWD" "$ROOT"; fi
SITE=$(python3 -c 'import site; print(site.getsitepackages()[0])' 2>/dev/null)
for folder in "$SITE"/nvidia/*/lib; do [ -d "$folder" ] && LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder"; done
export LD_LIBRARY_PATH
chmod +x "$DIR/cuda_tests" "$DIR/cuda_bench" "$DIR/time_to_value"
FAILED=0
echo "== tests"
"$DIR/cuda_tests" --test-threads=1 || FAILED=1
if [ "${SANITIZE:-0}" = 1 ]; then
  echo "== compute-sanitizer"
  compute-sanitizer --tool memcheck --error-exitcode 9 "$DIR/cuda_tests" --test-threads=1 \
    the_engine goldens what_ replays masked the_gpu_chooses draws batches || FAILED=1
fi
echo "== decode kernel against torch"
python3 scripts/cuda/decode_kernel.py "$DIR/decode.cubin" "$DIR/decode_profile.cubin" || FAILED=1
REFERENCE=""
if [ "${REFERENCES:-1}" = 1 ]; then
  echo "== references"
  python3 scripts/cuda/transformers_eager.py | tail -1 > "$DIR/eager.json"
  python3 scripts/cuda/torch_reference.py | tail -1 > "$DIR/torch.json"
  python3 - "$DIR" <<'P' && REFERENCE="$DIR/reference.json"
import json, sys
both = {}
for name in ("eager", "torch"):
    try: both |= json.load(open(f"{sys.argv[1]}/{name}.json"))
    except ValueError as error: print(f"no figures of {name}: {error}")
print(json.dumps(both)); json.dump(both, open(f"{sys.argv[1]}/reference.json", "w"))
P
fi
echo "== bench"
"$DIR/cuda_bench" $REFERENCE || FAILED=1
echo "== time to a valid value"
"$DIR/time_to_value" --gpu || FAILED=1
exit $FAILED
