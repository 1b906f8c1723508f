#!/bin/sh
# Puts each snapshot in its collection's place.
set -eu
HEADERS=$(mktemp)
printf 'header = "api-key: %s"\n' "$(cat "$API_KEY_FILE")" >"$HEADERS"
for file in "$SCRATCH"/*.snapshot; do
    collection=$(basename "$file" .snapshot)
    curl --fail --silent --show-error --max-time 1800 --config "$HEADERS" --form "snapshot=@$file" --output /dev/null \
        "$QDRANT/collections/$collection/snapshots/upload?priority=snapshot&wait=true"
done
