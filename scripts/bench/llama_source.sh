#!/usr/bin/env bash
# Lays llama.cpp's source, the tree inside the llama-cpp-python 0.3.36 source package on PyPI, and the tools that build it (tools/bin) into target/llama.cpp,
# or into $1; prints where the source is. Needs Python 3 and a C++ compiler.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-target/llama.cpp}
mkdir -p "$out"
out=$(cd "$out" && pwd)
source=$out/llama_cpp_python-0.3.36/vendor/llama.cpp
[ -e "$out/tools/bin/cmake" ] || { python3 -m venv "$out/tools"; "$out/tools/bin/pip" install --quiet scikit-build-core cmake ninja; } >&2
if [ ! -e "$source" ]; then
    "$out/tools/bin/pip" download --quiet --no-deps --no-binary llama-cpp-python -d "$out" llama-cpp-python==0.3.36 >&2
    tar xzf "$out/llama_cpp_python-0.3.36.tar.gz" -C "$out"
fi
echo "$source"
