#!/bin/bash
# Documents and image files in one archive, so that none is without the other.
set -euo pipefail
mkdir -p "$SCRATCH"
mongodump --config=<(printf 'uri: "%s"\n' "$(cat "$URL_FILE")") --archive="$SCRATCH/content.archive"
