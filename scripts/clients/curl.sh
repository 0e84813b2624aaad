#!/usr/bin/env bash
# What curl gets of the endpoint at $1 (its base URL).
set -euo pipefail
base=$1
root=${base%/v1}
fail() { echo "curl: FAILED: $1"; exit 1; }
# Reads to the end, which `grep -q` does not: curl would fail at what it can't write.
has() { grep -- "$1" >/dev/null; }
post() { curl -sS -m 60 -H 'content-type: application/json' "$@"; }
curl -sS "$root/health" | has '"ok"' || fail health
curl -sS "$base/models" | has '"id":"embedded"' || fail models
body='{"model":"embedded","messages":[{"role":"user","content":"hi"}],"max_tokens":8}'
post "$base/chat/completions" -d "$body" | has '"finish_reason":' || fail chat
post -N "$base/chat/completions" -d "${body%\}},\"stream\":true}" | tail -n 2 | has '^data: \[DONE\]' || fail stream
post "$base/completions" -d '{"model":"embedded","prompt":"1, 2","max_tokens":3}' | has text_completion || fail completions
status() { post -o /dev/null -w '%{http_code}' "$@"; }
[ "$(status "$base/chat/completions" -d '{')" = 400 ] || fail "malformed body"
[ "$(status "$base/chat/completions" -d '{"model":"x","messages":[]}')" = 404 ] || fail "unknown model"
[ "$(curl -sS -o /dev/null -w '%{http_code}' "$base/chat/completions" -d "$body")" = 415 ] || fail "form instead of JSON"
[ "$(head -c 8000000 /dev/zero | status "$base/chat/completions" --data-binary @-)" = 413 ] || fail "huge body"
curl -sS "$root/metrics" | has '^candle_signature_requests_total{path="/v1/chat/completions",status="200"} 2' || fail metrics
echo "curl: passed"
