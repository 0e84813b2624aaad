#!/usr/bin/env bash
# The endpoint proven by clients that others wrote: curl, the OpenAI Python SDK, Python DSPy 3, all against the example server on the
# embedded model. Sets up an environment of its own in target/clients-venv (or $CLIENTS_VENV), builds the server, runs everything.
# PROFILE=debug takes a debug build.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=${CLIENTS_VENV:-target/clients-venv}
profile=${PROFILE:-release}
if [ ! -e "$venv/ready" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement scripts/clients/requirements.txt
    touch "$venv/ready"
fi
flags=()
[ "$profile" = debug ] || flags=(--release)
cargo build --quiet "${flags[@]}" -p candle-signature-tests-serve --example serve
log=$(mktemp)
"target/$profile/examples/serve" --address 127.0.0.1:0 --hold-dspy-replies >"$log" &
server=$!
trap 'kill $server 2>/dev/null || true; rm -f "$log"' EXIT
for _ in $(seq 100); do
    base=$(head -n 1 "$log")
    [ -n "$base" ] && break
    sleep 0.1
done
[ -n "$base" ] || { echo "the server did not start"; exit 1; }
echo "server: $base"
bash scripts/clients/curl.sh "$base"
"$venv/bin/python" scripts/clients/openai_sdk.py "$base"
"$venv/bin/python" scripts/clients/dspy_programs.py "$base"
echo "all clients: passed"
