#!/usr/bin/env bash
# Every crate that is published packs, builds from what was packed, and is under crates.io's limit of 10 MB. `--no-verify` leaves the builds out.
set -euo pipefail
cd "$(dirname "$0")/../.."
names=$(cargo metadata --no-deps --format-version 1 |
  python3 -c 'import json,sys; print(" ".join("-p "+p["name"] for p in json.load(sys.stdin)["packages"] if p["publish"]!=[]))')
# shellcheck disable=SC2086
cargo package $names "$@"
target=$(cargo metadata --no-deps --format-version 1 | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
limit=$((10 * 1024 * 1024))
for name in $names; do
  [ "$name" = -p ] && continue
  crate=$(ls -t "$target/package/$name"-[0-9]*.crate | head -n 1)
  size=$(stat -c %s "$crate")
  echo "$(basename "$crate"): $size bytes, $((100 * size / limit)) % of the limit"
  [ "$size" -lt "$limit" ] || { echo "too large" >&2; exit 1; }
done
