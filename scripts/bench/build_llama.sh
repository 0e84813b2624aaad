#!/bin/bash
# Builds llama-bench, the peer of `cargo bench -p candle-signature --bench engine`, for this machine's processor.
# The source is the llama.cpp tree inside the llama-cpp-python 0.3.36 source package on PyPI.
# Needs Python 3, cmake and a C++ compiler. Writes to target/llama.cpp, or to $1.
set -e
cd "$(dirname "$0")/../.."
out=${1:-target/llama.cpp}
mkdir -p "$out"; out=$(cd "$out" && pwd)
python3 -m venv "$out/venv"
"$out/venv/bin/pip" install -q scikit-build-core ninja
"$out/venv/bin/pip" download -q --no-deps --no-binary :all: -d "$out" llama-cpp-python==0.3.36
tar xzf "$out/llama_cpp_python-0.3.36.tar.gz" -C "$out"
cmake -S "$out/llama_cpp_python-0.3.36/vendor/llama.cpp" -B "$out" -G Ninja \
  -DCMAKE_MAKE_PROGRAM="$out/venv/bin/ninja" -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DGGML_OPENMP=ON \
  -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF \
  -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF
cmake --build "$out" --target llama-bench -j"$(nproc)"
echo "$out/bin/llama-bench"
