#!/bin/sh
# A snapshot of each collection. Aliases are not in it: the embedder moves its own.
set -eu
mkdir -p "$SCRATCH"
HEADERS=$(mktemp)
printf 'header = "api-key: %s"\n' "$(cat "$API_KEY_FILE")" >"$HEADERS"
ask() { curl --fail --silent --show-error --max-time 1800 --config "$HEADERS" "$@"; }
names() { printf %s "$1" | grep -o '"name":"[^"]*"' | cut -d '"' -f 4; }

# An answer is kept before it is read: a failure inside a pipe would go unseen.
answer=$(ask "$QDRANT/collections")
collections=$(names "$answer")
if [ -z "$collections" ]; then
    echo "there is no collection to back up" >&2
    exit 1
fi
for collection in $collections; do
    answer=$(ask --request POST "$QDRANT/collections/$collection/snapshots?wait=true")
    snapshot="$QDRANT/collections/$collection/snapshots/$(names "$answer")"
    ask --output "$SCRATCH/$collection.snapshot" "$snapshot"
    ask --output /dev/null --request DELETE "$snapshot"
done
