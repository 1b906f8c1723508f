#!/bin/sh
# A snapshot of each collection. Aliases are not in it: the embedder moves its own.
set -eu
ask() { curl --fail --silent --show-error --max-time 1800 --config "$HEADERS" "$@"; }
names() { grep -o '"name":"[^"]*"' | cut -d '"' -f 4; }
HEADERS=$(mktemp)
printf 'header = "api-key: %s"\n' "$(cat "$API_KEY_FILE")" >"$HEADERS"
for collection in $(ask "$QDRANT/collections" | names); do
    snapshot=$(ask --request POST "$QDRANT/collections/$collection/snapshots?wait=true" | names)
    ask --output "$SCRATCH/$collection.snapshot" "$QDRANT/collections/$collection/snapshots/$snapshot"
    ask --output /dev/null --request DELETE "$QDRANT/collections/$collection/snapshots/$snapshot"
done
