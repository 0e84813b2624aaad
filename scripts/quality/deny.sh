#!/usr/bin/env bash
# Licences, sources and bans of all that is built upon; and advisories, whose database cargo-deny fetches from GitHub. Without a network the one it
# fetched last is used, and without any this part is left out, and said to be.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v cargo-deny >/dev/null || { echo "cargo-deny is missing: cargo install --locked cargo-deny" >&2; exit 2; }
cargo deny check licenses bans sources
if cargo deny check advisories 2>/tmp/advisories.$$ || cargo deny --offline check advisories 2>/tmp/advisories.$$; then
  cat /tmp/advisories.$$
  for base in "${CARGO_HOME:-$HOME/.cargo}"/advisory-dbs/*/; do
    git -C "$base" log -1 --format="advisories as of %cd" --date=short 2>/dev/null || true
  done
elif grep -q "failed to fetch\|failed to open\|no such file" -i /tmp/advisories.$$; then
  echo "advisories NOT checked: their database could not be fetched"
else
  cat /tmp/advisories.$$ >&2
  rm -f /tmp/advisories.$$
  exit 1
fi
rm -f /tmp/advisories.$$
