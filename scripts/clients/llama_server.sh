#!/usr/bin/env bash
# The remote backend against an engine that others wrote: builds llama.cpp's llama-server and runs tests-serve's `llama_server` tests on it, with the
# embedded model from the GGUF file that this crate writes. The source comes by scripts/bench/llama_source.sh.
# LLAMA_SERVER=/path takes a server that is there already; LLAMA_LLGUIDANCE=1 builds one with llguidance (from the crate that Cargo.lock names), whose
# grammars are then tested too. Words are cargo test's. Needs Python 3 and a C++ compiler; the build takes about twenty minutes of one core.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LLAMA_SERVER="${LLAMA_SERVER:-}"
if [ -z "$LLAMA_SERVER" ]; then
    out=$PWD/target/llama.cpp
    source=$(scripts/bench/llama_source.sh "$out")
    build=$out/server${LLAMA_LLGUIDANCE:+-llguidance}
    flags=()
    if [ -n "${LLAMA_LLGUIDANCE:-}" ]; then
        # llama.cpp would fetch it from GitHub: the crate has the same header and library.
        crate=$(cargo metadata --format-version 1 --locked | python3 -c 'import json,os,sys; print(next(os.path.dirname(p["manifest_path"]) for p in json.load(sys.stdin)["packages"] if p["name"] == "llguidance"))')
        CARGO_TARGET_DIR=$out/llguidance cargo rustc --quiet --release --locked --manifest-path "$crate/Cargo.toml" --lib --crate-type staticlib
        flags=(-DCMAKE_CXX_FLAGS="-DLLAMA_USE_LLGUIDANCE -I$crate" -DCMAKE_CXX_STANDARD_LIBRARIES="$out/llguidance/release/libllguidance.a -ldl -lpthread -lm")
    fi
    export PATH="$out/tools/bin:$PATH"
    cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=ON -DLLAMA_OPENSSL=OFF \
        -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_SERVER=ON -DLLAMA_BUILD_UI=OFF \
        -DLLAMA_USE_PREBUILT_UI=OFF "${flags[@]}" >"$build.log"
    cmake --build "$build" --target llama-server -j "${JOBS:-$(nproc)}" >>"$build.log"
    LLAMA_SERVER=$build/bin/llama-server
fi
"$LLAMA_SERVER" --version 2>&1 | head -n 1
cargo test -p candle-signature-tests-serve --test llama_server "$@" -- --ignored --nocapture --test-threads 1
