#!/bin/bash
# Replaces the collections that the archive holds.
set -euo pipefail
mongorestore --config=<(printf 'uri: "%s"\n' "$(cat "$URL_FILE")") --drop --archive="$SCRATCH/content.archive"
