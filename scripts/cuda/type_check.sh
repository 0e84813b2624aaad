#!/usr/bin/env bash
# Type-checks and lints what stands behind the feature `cuda` where there is no CUDA: an nvcc that answers every question and compiles nothing is enough,
# since checking links nothing. The kernels themselves are compiled by scripts/cuda/build_binaries.sh.
#
#   bash scripts/cuda/type_check.sh            (a minute or two, once candle's own dependencies are built)
set -euo pipefail
cd "$(dirname "$0")/../.."
home=$PWD/target/cuda-stub
mkdir -p "$home/bin" "$home/include"
cat > "$home/bin/nvcc" <<'NVCC'
#!/usr/bin/env bash
# cudarc reads the fourth line of the version.
case " $* " in
  *" --version "*) printf 'nvcc: a stand-in\n\n\nCuda compilation tools, release 13.0, V13.0.88\n'; exit ;;
  *" --list-gpu-code "*) printf 'sm_80\nsm_90\n'; exit ;;
esac
while [ $# -gt 0 ]; do
  case $1 in
    -o | --output-file) : > "$2" ;;
    --output-directory) folder=$2 ;;
    *.cu) [ -z "${folder:-}" ] || : > "$folder/$(basename "$1" .cu).ptx" ;;
  esac
  shift
done
NVCC
chmod +x "$home/bin/nvcc"
export CUDA_HOME=$home CUDA_PATH=$home CUDA_ROOT=$home NVCC=$home/bin/nvcc PATH=$home/bin:$PATH
export CUDA_COMPUTE_CAP=90
cargo clippy --workspace --all-targets --features candle-signature/cuda,candle-signature-tests/cuda -- -D warnings
